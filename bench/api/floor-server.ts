import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { DatabaseSync } from "node:sqlite";

// The floor: the same HTTP server, Unix socket, store and durability as the daemon's, and nothing of Kubernetes. What a
// client sends is stored as it is; what is asked for is sent as it is stored. `node floor-server.ts SOCKET DATABASE`

const [socketPath = "", file = ""] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
database.exec("CREATE TABLE objects (name TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID");
const insert = database.prepare("INSERT INTO objects VALUES (?, ?)");
const remove = database.prepare("DELETE FROM objects WHERE name = ?");
const find = database.prepare("SELECT data FROM objects WHERE name = ?");
const list = database.prepare("SELECT data FROM objects ORDER BY name");
const watchers = new Set<ServerResponse>();

const server = createServer(async (request, response) => {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const name = path.split("/")[6];
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  response.setHeader("content-type", "application/json");
  if (request.method === "POST") {
    const created = /"name":"([^"]+)"/.exec(body)?.[1] ?? "";
    insert.run(created, body);
    for (const watcher of watchers) watcher.write(`{"type":"ADDED","object":${body}}\n`);
    response.writeHead(201).end(body);
  } else if (request.method === "DELETE") {
    remove.run(name ?? "");
    response.end("{}");
  } else if (query.includes("watch=1")) {
    watchers.add(response);
    response.on("close", () => watchers.delete(response));
    response.flushHeaders();
  } else if (name !== undefined) {
    response.end(find.get(name)?.data);
  } else {
    response.end(
      `{"items":[${list
        .all()
        .map(({ data }) => data)
        .join(",")}]}`,
    );
  }
});
server.listen(socketPath);
await once(server, "listening");
process.stdout.write("ready\n");
