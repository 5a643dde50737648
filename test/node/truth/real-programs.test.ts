import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Channel } from "../../../src/channels/types.ts";
import { edgesOf } from "../../helpers/channel-edges.ts";
import { slower } from "../../helpers/patience.ts";
import { eventually, type TestNode, testNode } from "../../helpers/peapod.ts";

/** A program's own start, such as PostgreSQL's initdb, is part of it. */
const patience = { timeout: 60_000 * slower, interval: 500 };

let node: TestNode;

beforeAll(async () => {
  node = await testNode();
});
afterAll(() => node?.close());

/** Starts a pod of shell scripts, which share the volume `work` at /work. */
async function startPod(name: string, scripts: Record<string, string>, securityContext = {}): Promise<void> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext,
      volumes: [{ name: "work", emptyDir: {} }],
      containers: Object.entries(scripts).map(([container, script]) => ({
        name: container,
        image: "peapod.dev/host",
        command: ["/bin/sh", "-c", script],
        volumeMounts: [{ name: "work", mountPath: "/work" }],
      })),
    },
  };
  await node.ok(["up", "-d", "-f", "-"], { input: stringify(pod) });
}

async function channelsOf(pod: string, deep = false): Promise<Channel[]> {
  const text = await node.ok(["channels", pod, "-o", "json", ...(deep ? ["--deep"] : [])]);
  return (JSON.parse(text) as { items: Channel[] }).items;
}

const inContainer = (pod: string, container: string, script: string) =>
  node.ok(["exec", pod, "-c", container, "--", "/bin/sh", "-c", script]);

/** Waits for exactly these edges between containers. */
async function expectEdges(pod: string, edges: string[], deep = false): Promise<Channel[]> {
  let channels: Channel[] = [];
  await expect
    .poll(async () => {
      channels = await channelsOf(pod, deep);
      return edgesOf(channels.filter(({ spec }) => spec.scope !== "IntraContainer"));
    }, patience)
    .toEqual([...edges].sort());
  return channels;
}

function between(channels: readonly Channel[], address: string): Channel {
  const found = channels.find(
    ({ spec, status }) =>
      spec.address === address && spec.scope === "InterContainer" && status.endpoints.length === 2,
  );
  if (found === undefined) throw new Error(`no channel at ${address}`);
  return found;
}

const openAt = (channels: readonly Channel[], address: string) =>
  between(channels, address).status.connections?.open;

/** nginx, which makes a connection to the application for each request, and a client. */
async function startProxy(name: string, client: string): Promise<void> {
  const configuration = `daemon off; error_log stderr; pid /work/nginx.pid;
events {}
http {
  access_log off; client_body_temp_path /work/body; proxy_temp_path /work/proxy; fastcgi_temp_path /work/f;
  uwsgi_temp_path /work/u; scgi_temp_path /work/s;
  server {
    listen 127.0.0.1:8080;
    location / { proxy_pass http://unix:/work/app.sock; }
    location /status { stub_status; }
  }
}`;
  const application = `import socketserver, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
    def address_string(self):
        return "unix"
class Server(socketserver.UnixStreamServer):
    def get_request(self):
        return self.socket.accept()[0], ("unix", 0)
Server("/work/app.sock", Handler).serve_forever()`;
  await startPod(name, {
    nginx: `cat > /work/nginx.conf <<'END'\n${configuration}\nEND\nexec nginx -c /work/nginx.conf`,
    app: `umask 0; cat > /work/app.py <<'END'\n${application}\nEND\nexec python3 /work/app.py`,
    client,
  });
}

test("nginx before a server on a Unix socket: a connection for each request, seen without the deep look", async () => {
  await startProxy("requests", "while sleep 0.2; do curl -sf http://127.0.0.1:8080/; done");
  const channels = await expectEdges("requests", [
    "client -> nginx TCP 127.0.0.1:8080",
    "nginx -> app UnixStream work:/app.sock",
  ]);
  const { connections, traffic } = between(channels, "work:/app.sock").status;
  expect(connections?.total).toBeGreaterThan(0);
  expect(traffic).toBeUndefined();
  await node.ok(["down", "requests"]);
});

test("nginx before a server on a Unix socket: as many connections and requests as nginx counts", async () => {
  await startProxy(
    "proxy",
    `until test -e /work/go; do sleep 0.1; done
      for i in $(seq 40); do curl -sf http://127.0.0.1:8080/ || sleep 0.2; done; sleep infinity`,
  );
  await channelsOf("proxy", true);
  // A question before both listen would be one of the forty. 0A: TCP_LISTEN, 1F90: port 8080 (proc(5)).
  const listening = "test -S /work/app.sock && grep -q ':1F90 .* 0A ' /proc/net/tcp";
  await inContainer("proxy", "client", `until ${listening}; do sleep 0.1; done; touch /work/go`);
  await expectEdges(
    "proxy",
    ["client -> nginx TCP 127.0.0.1:8080", "nginx -> app UnixStream work:/app.sock"],
    true,
  );
  // nginx' own count has the one connection that asks for it.
  const accepted = async () => {
    const status = await inContainer("proxy", "nginx", "curl -s http://127.0.0.1:8080/status");
    return Number(/^ (\d+) \d+ \d+/m.exec(status)?.[1]);
  };
  await expect
    .poll(
      async () => between(await channelsOf("proxy", true), "127.0.0.1:8080").status.connections?.total,
      patience,
    )
    .toBe(40);
  expect(await accepted()).toBe(41);
  await expect
    .poll(
      async () => between(await channelsOf("proxy", true), "work:/app.sock").status.connections?.total,
      patience,
    )
    .toBe(40);
  await node.ok(["down", "proxy"]);
});

test("redis on TCP and on a Unix socket: as many clients as redis lists", async () => {
  await startPod("redis", {
    redis: "exec redis-server --save '' --dir /work --unixsocket /work/redis.sock --unixsocketperm 777",
    remote: "until redis-cli ping; do sleep 0.2; done; exec redis-cli subscribe a",
    local:
      "until redis-cli -s /work/redis.sock ping; do sleep 0.2; done; exec redis-cli -s /work/redis.sock subscribe b",
  });
  await expectEdges("redis", [
    "remote -> redis TCP 127.0.0.1:6379",
    "local -> redis UnixStream work:/redis.sock",
  ]);
  // Both have asked by another connection before the one that lasts.
  const counts = async () => {
    const channels = await channelsOf("redis");
    const list = await inContainer("redis", "redis", "redis-cli client list");
    const clients = list.split("\n").filter((line) => line.includes("cmd=subscribe"));
    return {
      open: ["127.0.0.1:6379", "work:/redis.sock"].map((address) => openAt(channels, address)),
      listed: [" addr=127.0.0.1:", "redis.sock"].map(
        (address) => clients.filter((line) => line.includes(address)).length,
      ),
    };
  };
  await expect.poll(counts, patience).toEqual({ open: [1, 1], listed: [1, 1] });
  await node.ok(["down", "redis"]);
});

test("PostgreSQL: clients of its socket as it lists them, its System V memory as it names it", async () => {
  const [version = ""] = readdirSync("/usr/lib/postgresql");
  const programs = join("/usr/lib/postgresql", version, "bin");
  await startPod(
    "postgres",
    {
      db: `export PATH=${programs}:$PATH; cd /work; initdb -D /work/data -A trust -U postgres >/dev/null
        exec postgres -D /work/data -k /work -c listen_addresses= -c shared_memory_type=sysv`,
      client: `until psql -h /work -U postgres -c 'select 1'; do sleep 0.3; done
        exec psql -h /work -U postgres -c 'select pg_sleep(1000)'`,
    },
    // PostgreSQL refuses to run as root.
    { runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534 },
  );
  await expectEdges("postgres", ["client -> db UnixStream work:/.s.PGSQL.5432"]);
  const query = (sql: string) =>
    inContainer("postgres", "db", `${programs}/psql -h /work -U postgres -Atc "${sql}"`);
  const sessions =
    "select count(*) from pg_stat_activity where backend_type = 'client backend' and query like '%pg_sleep%' and pid <> pg_backend_pid()";
  // Its questions before the one that lasts had connections of their own.
  let channels: Channel[] = [];
  const counts = async () => {
    channels = await channelsOf("postgres");
    return [openAt(channels, "work:/.s.PGSQL.5432"), Number(await query(sessions))];
  };
  await expect.poll(counts, patience).toEqual([1, 1]);
  // The seventh line of the lock file: key and id of the segment (docs/current/storage-file-layout.html).
  const [, id] = (await inContainer("postgres", "db", "sed -n 7p /work/data/postmaster.pid"))
    .trim()
    .split(/\s+/);
  const memory = channels.find(({ spec }) => spec.type === "SysVSharedMemory");
  expect(memory?.spec).toMatchObject({ scope: "IntraContainer" });
  expect(memory?.spec.address).toMatch(new RegExp(` id ${id}$`));
  await node.ok(["down", "postgres"]);
});

test("socat on a FIFO, dbus-daemon on an abstract socket", async () => {
  await startPod("fifo", {
    writer: `mkfifo /work/lines; exec socat -u SYSTEM:'while true; do echo tick; sleep 0.5; done' OPEN:/work/lines,wronly`,
    reader: "until test -p /work/lines; do sleep 0.1; done; exec socat -u OPEN:/work/lines,rdonly STDOUT",
  });
  await startPod("bus", {
    bus: "exec dbus-daemon --session --nofork --nopidfile --nosyslog --address=unix:abstract=peapod-bus",
    listener: "until dbus-monitor --address unix:abstract=peapod-bus; do sleep 0.2; done",
  });
  await expectEdges("fifo", ["writer -> reader FIFO work:/lines"]);
  const log = async () => (await node.ok(["logs", "fifo", "-c", "reader"])).includes("tick") || undefined;
  await eventually(log, "a line in the reader's log");
  await expectEdges("bus", ["listener -> bus UnixStream @peapod-bus"]);
  const names = await inContainer(
    "bus",
    "bus",
    "DBUS_SESSION_BUS_ADDRESS=unix:abstract=peapod-bus dbus-send --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames",
  );
  // One name is the asker's own; a monitor gives its name up.
  expect(names.match(/":1\.\d+"/g)?.length).toBe(1);
  await expect.poll(async () => openAt(await channelsOf("bus"), "@peapod-bus"), patience).toBe(1);
  await node.ok(["down", "fifo", "bus"]);
});
