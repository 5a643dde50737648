import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { StoredPod } from "../../src/kube/types.ts";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { runCommand } from "../helpers/peapod.ts";

// What Kubernetes' conformance suite asks of a pod's network: [sig-network] DNS, HostPort, Networking, Proxy.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const isReady = ({ status }: StoredPod) =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;

/** A program of Node.js in a pod that is ready once its port is open. */
async function serve(
  name: string,
  program: string,
  spec: object = {},
  container: object = {},
): Promise<StoredPod> {
  await cluster.create(
    "default",
    scriptPod(name, "", spec, {
      command: ["node", "-e", program],
      readinessProbe: { exec: { command: ["test", "-e", "/tmp/open"] }, periodSeconds: 1 },
      ...container,
    }),
  );
  return cluster.until("default", name, isReady, "ready");
}
const opened = `() => require("fs").writeFileSync("/tmp/open", "")`;

/** Answers with its host name and what was asked of it. */
const http = (port: number, address = "0.0.0.0") =>
  `require("http").createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk)).on("end", () => {
      if (request.url === "/there") return response.writeHead(302, { location: "/here" }).end();
      response.setHeader("x-method", request.method);
      response.end(require("os").hostname() + " " + request.method + " " + request.url + " " + body);
    });
  }).listen(${port}, "${address}", ${opened})`;
const udp = (port: number) =>
  `const socket = require("dgram").createSocket("udp4");
  socket.on("message", (data, { port, address }) => socket.send(require("os").hostname() + " " + data, port, address));
  socket.bind(${port}, ${opened})`;
const askUDP = (address: string, port: number) => [
  "-e",
  `const socket = require("dgram").createSocket("udp4");
  socket.on("message", (data) => { console.log(String(data)); clearInterval(again); socket.close(); });
  const ask = () => socket.send("hello", ${port}, "${address}");
  const again = setInterval(ask, 500);
  ask();`,
];

describe("[sig-network] Networking", () => {
  test("Granular Checks: should function for intra-pod communication: http", async () => {
    const { status } = await serve("http-server", http(8080));
    const { log } = await runPod(
      cluster,
      "default",
      scriptPod("http-client", `curl -sS --max-time 10 http://${status?.podIP}:8080/hostName`),
    );
    expect(log).toBe("http-server GET /hostName ");
  });

  test("Granular Checks: should function for node-pod communication: http", async () => {
    const { status } = await serve("http-node", http(8080));
    const { stdout } = await runCommand("curl", ["-sS", "--max-time", "10", `http://${status?.podIP}:8080/`]);
    expect(stdout).toBe("http-node GET / ");
  });

  test("Granular Checks: should function for intra-pod communication: udp", async () => {
    const { status } = await serve("udp-server", udp(8081));
    const client = scriptPod(
      "udp-client",
      "",
      {},
      { command: ["node", ...askUDP(status?.podIP ?? "", 8081)] },
    );
    expect((await runPod(cluster, "default", client)).log).toBe("udp-server hello\n");
  });

  test("Granular Checks: should function for node-pod communication: udp", async () => {
    const { status } = await serve("udp-node", udp(8081));
    const { stdout } = await runCommand(process.execPath, askUDP(status?.podIP ?? "", 8081));
    expect(stdout).toBe("udp-node hello\n");
  });
});

describe("[sig-network] HostPort", () => {
  test("validates that there is no conflict between pods with same hostPort but different hostIP and protocol", async () => {
    const port = (hostIP: string, protocol: string) => ({
      ports: [{ containerPort: 8080, hostPort: 54_323, hostIP, protocol }],
    });
    const [address = ""] = (await runCommand("hostname", ["-I"])).stdout.split(" ");
    await serve("host-port-1", http(8080), {}, port("127.0.0.1", "TCP"));
    await serve("host-port-2", http(8080), {}, port(address, "TCP"));
    await serve("host-port-3", udp(8080), {}, port(address, "UDP"));
    const ask = async (host: string) =>
      (await runCommand("curl", ["-sS", "--max-time", "10", `http://${host}:54323/hostname`])).stdout;
    expect(await ask("127.0.0.1")).toBe("host-port-1 GET /hostname ");
    expect(await ask(address)).toBe("host-port-2 GET /hostname ");
    expect((await runCommand(process.execPath, askUDP(address, 54_323))).stdout).toBe("host-port-3 hello\n");
  });
});

describe("[sig-network] DNS", () => {
  test("should support configurable pod DNS nameservers", async () => {
    const dnsConfig = {
      nameservers: ["1.1.1.1"],
      searches: ["resolv.conf.local"],
      options: [{ name: "ndots", value: "2" }],
    };
    const pod = scriptPod("resolver", "cat /etc/resolv.conf", { dnsPolicy: "None", dnsConfig });
    const { log } = await runPod(cluster, "default", pod);
    expect(log).toBe("search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n");
  });
});

describe("[sig-network] Proxy", () => {
  const path = (rest: string) => `/api/v1/namespaces/default/${rest}`;
  const methods = ["DELETE", "OPTIONS", "PATCH", "POST", "PUT"];
  /** A Service of these endpoints, which are given by hand. */
  async function expose(name: string, address: string): Promise<void> {
    const { status } = await cluster.call("POST", path("services"), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { ports: [{ name: "portname1", port: 80, targetPort: 8080 }] },
    });
    expect(status).toBe(201);
    const slice = await cluster.call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "portname1", port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: [address] }],
    });
    expect(slice.status).toBe(201);
  }

  test("version v1 A set of valid responses are returned for both pod and service Proxy", async () => {
    const { status } = await serve("proxied", http(8080), {}, { ports: [{ containerPort: 8080 }] });
    await expose("proxied-service", status?.podIP ?? "");
    for (const target of ["pods/proxied", "services/proxied-service"]) {
      for (const method of methods) {
        const answer = await cluster.call(method, path(`${target}/proxy/some/path?method=${method}`), "data");
        expect(answer, `${target} ${method}`).toEqual({
          status: 200,
          body: `proxied ${method} /some/path?method=${method} data`,
        });
      }
      expect((await cluster.call("HEAD", path(`${target}/proxy/`))).status).toBe(200);
      // Links of what answers are meant below the slash.
      expect((await cluster.call("GET", path(`${target}/proxy`))).status).toBe(301);
    }
  });

  test("version v1 should proxy through a service and a pod", async () => {
    const { status } = await serve("through", http(8080));
    await expose("through-service", status?.podIP ?? "");
    const said = async (target: string) => (await cluster.call("GET", path(`${target}/proxy/x`))).body;
    for (const target of [
      "pods/through:8080",
      "pods/http:through:8080",
      "services/through-service",
      "services/through-service:80",
      "services/through-service:portname1",
      "services/http:through-service:portname1",
    ]) {
      expect(await said(target), target).toBe("through GET /x ");
    }
  });

  test("a redirect leads through the proxy again, and a body of 10 MB passes", async () => {
    await serve("redirects", http(8080));
    const curl = async (args: string[]) =>
      (await runCommand("curl", ["-sS", "--unix-socket", `${cluster.node.runDir}/api.sock`, ...args])).stdout;
    const url = `http://localhost${path("pods/redirects:8080/proxy")}`;
    expect(await curl(["-L", `${url}/there`])).toBe("redirects GET /here ");
    const body = "x".repeat(10_000_000);
    const { stdout } = await runCommand(
      "curl",
      ["-sS", "--unix-socket", `${cluster.node.runDir}/api.sock`, "--data-binary", "@-", `${url}/big`],
      { input: body },
    );
    expect(stdout.length).toBe(`redirects POST /big `.length + body.length);
  });

  test("a WebSocket through the proxy", async () => {
    const program = `
      const { createHash } = require("crypto");
      require("http").createServer().on("upgrade", (request, socket) => {
        const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n" +
          "Sec-WebSocket-Accept: " + createHash("sha1").update(key).digest("base64") + "\\r\\n\\r\\n");
        const text = "hello from " + request.url;
        socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
        socket.on("error", () => {});
      }).listen(8080, "0.0.0.0", ${opened})`;
    await serve("websocket", program);
    const socket = new WebSocket(
      `ws+unix://${cluster.node.runDir}/api.sock:${path("pods/websocket:8080/proxy/socket?a=b")}`,
    );
    const message = await new Promise((resolve, reject) => {
      socket.on("message", (data) => resolve(String(data)));
      socket.on("error", reject);
    });
    socket.terminate();
    expect(message).toBe("hello from /socket?a=b");
  });

  test("what can't be reached says why", async () => {
    await cluster.create("default", scriptPod("silent", "sleep infinity"));
    await cluster.until("default", "silent", isReady, "ready");
    const answer = async (target: string) => {
      const { status, body } = await cluster.call("GET", path(`${target}/proxy/`));
      return `${status} ${body.message}`;
    };
    expect(await answer("pods/silent:9")).toMatch(/^503 error trying to reach service: .*ECONNREFUSED/);
    expect(await answer("pods/nobody")).toBe('404 pods "nobody" not found');
    expect(await answer("pods/silent:http")).toContain('400 invalid port "http"');
    expect(await answer("pods/ftp:silent:21")).toContain("400 invalid proxy request");
    expect(await answer("services/through-service:other")).toContain(
      '400 service through-service has no port "other"',
    );
  });
});
