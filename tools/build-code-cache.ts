/**
 * The last step of `npm run build`: runs the built CLI's common commands against a stand-in API server and keeps the
 * code that was compiled for them beside the chunks (src/cli/code-cache.ts says why). Must be run by the Node.js that
 * will run the CLI; without its result the CLI works too, only slower.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChunkLoader } from "../src/cli/code-cache.ts";

/** Far above what it takes (a second), far below what anybody would wait for something that only saves time. */
const limitMilliseconds = 30_000;

const chunks = join(import.meta.dirname, "..", "dist", "cli");

const manifest = `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
  - name: server
    image: node:18-alpine
    command: ["node", "-e", "x => { y('z') }"]
    ports:
    - containerPort: 8080
    env:
    - {name: MODE, value: "production"}
    resources:
      limits: {cpu: 500m, memory: 64Mi}
    volumeMounts:
    - name: data
      mountPath: /data
  - name: client
    image: 'alpine/curl'
    args: [sh, -c, "while true; do echo 'x'; sleep 1; done"]
  volumes:
  - name: data
    emptyDir: {}
`;

/** Answers as a node whose pods are up at once. */
function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const { method, url = "", headers } = request;
  const metadata = { name: "web", namespace: "default", uid: "1", resourceVersion: "5" };
  const pod = {
    ...(method === "POST"
      ? JSON.parse(body)
      : { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "server" }] } }),
    metadata: { ...metadata, creationTimestamp: "2026-01-01T00:00:00Z" },
  };
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { phase: url.includes("watch=true") || method === "GET" ? "Running" : "Pending" };
  const send = (code: number, value: object) => {
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  if (method === "POST") send(201, { ...pod, status });
  else if (url.includes("watch=true")) {
    const changed = { ...pod.metadata, resourceVersion: "6" };
    const object = { ...pod, metadata: changed, status: { ...status, conditions } };
    response.writeHead(200).write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
  } else if (headers.accept?.includes("as=Table")) {
    const columnDefinitions = ["Name", "Ready"].map((name) => ({ name, type: "string", priority: 0 }));
    const object = { ...pod, spec: { scope: "InterContainer" }, status: { state: "Active" } };
    send(200, { kind: "Table", metadata: {}, columnDefinitions, rows: [{ cells: ["web", "2/2"], object }] });
  } else if (url.includes("/log")) response.end("one line\n");
  else if (/\/pods\/web$/.test(url) && method === "GET") send(200, { ...pod, status });
  else send(200, { kind: "List", apiVersion: "v1", metadata: { resourceVersion: "5" }, items: [] });
}

/** In a process of its own, so that what the commands print stays out of the way: runs them and saves the code. */
async function runCommands(manifestPath: string): Promise<void> {
  const loader = createChunkLoader(chunks);
  const { run } = loader.load("program.cjs") as { run: (argv: readonly string[]) => Promise<number> };
  for (const argv of [
    ["up", "-d", "--timeout=5s", "-f", manifestPath],
    ["get", "pods"],
    ["get", "pods", "-o", "json"],
    ["logs", "web", "-c", "server"],
    ["channels", "-o", "json"],
    ["channels"],
    ["down", "-f", manifestPath],
    ["version", "--client"],
  ]) {
    await run(argv);
  }
  loader.save();
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "peapod-build-"));
  const manifestPath = join(folder, "pod.yaml");
  writeFileSync(manifestPath, manifest);
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => answer(request, response, body));
  });
  try {
    await once(server.listen(join(folder, "api.sock")), "listening");
    const child = spawn(process.execPath, [import.meta.filename, manifestPath], {
      env: {
        ...process.env,
        PEAPOD_RUN_DIR: folder,
        PEAPOD_STATE_DIR: folder,
        // A build never starts a node, whatever happens to the stand-in.
        PEAPOD_NO_AUTOSTART: "1",
        NODE_OPTIONS: "",
        NODE_COMPILE_CACHE: undefined,
      },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      timeout: limitMilliseconds,
    });
    const [code] = await once(child, "exit");
    if (code !== 0) console.warn("the CLI's code was not kept: it starts slower until the next build");
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

const [manifestPath] = process.argv.slice(2);
if (manifestPath === undefined) await main();
else {
  // Ends with the build, also when that is killed.
  process.on("disconnect", () => process.exit(1));
  await runCommands(manifestPath);
  process.exit(0);
}
