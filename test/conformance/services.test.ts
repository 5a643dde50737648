import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFileIfExists, readFolderIfExists } from "../../src/host/files.ts";
import { layoutFor } from "../../src/host/layout.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { leftovers } from "../helpers/leftovers.ts";
import { eventually, runCommand, type TestNode, testNode } from "../helpers/peapod.ts";

/** Answers each connection (TCP 8080) and each datagram (UDP 8081) with its host name and the client's address. */
const program = `
import socket, threading
name = socket.gethostname()
def datagrams():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 8081))
    while True:
        _, client = s.recvfrom(99)
        s.sendto(f"{name} {client[0]}".encode(), client)
threading.Thread(target=datagrams, daemon=True).start()
s = socket.create_server(("", 8080), backlog=128)
while True:
    c, client = s.accept()
    c.recv(9999)
    body = f"{name} {client[0]}"
    c.sendall(f"HTTP/1.0 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
    c.close()
`;

let node: TestNode;
let kubectl: Client;

function server(name: string, labels: object, spec: object = {}, isReady = true): object {
  const touch = isReady ? "touch /mnt/ready; " : "";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "main",
          image: "peapod.dev/host",
          command: ["sh", "-c", `${touch}exec python3 -c "$0"`, program],
          ports: [
            { name: "web", containerPort: 8080 },
            { name: "dgram", containerPort: 8081, protocol: "UDP" },
          ],
          readinessProbe: {
            exec: { command: ["sh", "-c", "test -e /mnt/ready && curl -s http://127.0.0.1:8080/"] },
            periodSeconds: 1,
            timeoutSeconds: 10,
          },
          volumeMounts: [{ name: "mark", mountPath: "/mnt" }],
        },
      ],
      volumes: [{ name: "mark", emptyDir: {} }],
      ...spec,
    },
  };
}

function client(name: string, spec: object = {}): object {
  const main = { name: "main", image: "peapod.dev/host", command: ["sleep", "infinity"] };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, containers: [main], ...spec },
  };
}

const service = (name: string, spec: object): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec,
});

async function apply(...objects: object[]): Promise<string> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  return kubectl.ok(["apply", "-f", "-"], { input: JSON.stringify(list) });
}

const ready = (...pods: string[]) =>
  kubectl.ok(["wait", "--for=condition=Ready", "--timeout=60s", ...pods.map((pod) => `pod/${pod}`)]);

const inside = (script: string, pod = "client") => kubectl.run(["exec", pod, "--", "sh", "-c", script]);

async function said(script: string, pod = "client"): Promise<string> {
  const { exitCode, stdout, stderr } = await inside(script, pod);
  if (exitCode !== 0) throw new Error(`${script}: exit code ${exitCode}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** The script's output as soon as it is as wanted: a change of pods is at the Service a moment later. */
const untilSaid = (script: string, wanted: RegExp | string, pod = "client") =>
  eventually(async () => {
    const { stdout } = await inside(script, pod);
    const isWanted = typeof wanted === "string" ? stdout.trim() === wanted : wanted.test(stdout);
    return isWanted ? stdout.trim() : undefined;
  }, `${wanted} by ${script}`);

const get = (what: string[], path: string) => kubectl.ok(["get", ...what, "-o", `jsonpath=${path}`]);
const addressOf = (pod: string) => get(["pod", pod], "{.status.podIP}");

/** The addresses that a name has in a pod. */
async function lookUp(name: string, type = "a", pod = "client"): Promise<string[]> {
  const { stdout } = await inside(`busybox nslookup -type=${type} ${name}`, pod);
  const [, answer = ""] = stdout.split(/\n\n/);
  const lines = answer.split("\n").filter((line) => line !== "");
  return lines
    .map((line) => line.replace(/^Address: /, ""))
    .filter((line) => !/^Name:|^\*\*/.test(line))
    .sort();
}

const curl = "curl -sS -m 20";

beforeAll(async () => {
  node = await testNode();
  ({ kubectl } = await clientsOf(node));
  await apply(server("one", { app: "web" }), server("two", { app: "web", alone: "yes" }), client("client"));
  await ready("one", "two", "client");
});
afterAll(() => node?.close());

describe("a Service with an address", () => {
  test("kubectl expose: reached by its short name and by its long ones, and sees who asks", async () => {
    await kubectl.ok(["expose", "pod", "two", "--name=exposed", "--port=80", "--target-port=8080"]);
    const answer = `two ${await addressOf("client")}`;
    await untilSaid(`${curl} http://exposed/`, answer);
    for (const name of ["exposed.default", "exposed.default.svc", "exposed.default.svc.cluster.local"]) {
      expect(await said(`${curl} http://${name}/`)).toBe(answer);
    }
    expect(await get(["endpoints", "exposed"], "{.subsets[*].addresses[*].ip}")).toBe(await addressOf("two"));
  });

  test("its pods share the connections; one that is not ready gets none", async () => {
    await apply(
      server("three", { app: "web" }, {}, false),
      service("web", { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "web" }] }),
    );
    const count = `for i in $(seq 40); do ${curl} http://web/; echo; done | cut -d' ' -f1 | sort | uniq -c`;
    const counts = async () => {
      const lines = (await said(count)).split("\n").map((line) => line.trim().split(" "));
      return Object.fromEntries(lines.map(([number, name]) => [name, Number(number)]));
    };
    await untilSaid(`${curl} http://web/`, /^(one|two) /);
    await eventually(async () => {
      const { phase } = JSON.parse(await get(["pod", "three"], "{.status}"));
      return phase === "Running" || undefined;
    }, "three runs");
    const before = await counts();
    expect(Object.keys(before).sort()).toEqual(["one", "two"]);
    // 40 throws of a fair coin: fewer than 5 of one side once in 100 million times.
    expect(before.one).toBeGreaterThan(4);
    expect(before.two).toBeGreaterThan(4);
    const slice = JSON.parse(
      await kubectl.ok(["get", "endpointslices", "-l", "kubernetes.io/service-name=web", "-o", "json"]),
    ).items[0];
    expect(slice.endpoints).toMatchObject([
      { conditions: { ready: true, serving: true, terminating: false }, targetRef: { name: "one" } },
      { conditions: { ready: false, serving: false, terminating: false }, targetRef: { name: "three" } },
      { conditions: { ready: true }, targetRef: { name: "two" } },
    ]);
    expect(slice.ports).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);
    await said("touch /mnt/ready", "three");
    await ready("three");
    await eventually(async () => Object.keys(await counts()).length === 3 || undefined, "three takes part");
    await kubectl.ok(["delete", "pod", "three"]);
    await eventually(
      async () => Object.keys(await counts()).length === 2 || undefined,
      "three takes no part",
    );
  });

  test("a pod reaches itself through it, and the host reaches it", async () => {
    expect(await said(`${curl} http://exposed/`, "two")).toMatch(/^two /);
    const ip = await get(["service", "exposed"], "{.spec.clusterIP}");
    expect((await runCommand("curl", ["-sS", "-m", "5", `http://${ip}/`])).stdout).toMatch(/^two /);
  });

  test("without pods it refuses at once, as does a port that it has not", async () => {
    await apply(service("empty", { selector: { app: "nobody" }, ports: [{ port: 80 }] }));
    await eventually(async () => (await lookUp("empty.default.svc.cluster.local"))[0], "its name");
    for (const url of ["http://empty/", "http://exposed:81/"]) {
      const { stderr, exitCode } = await inside(`${curl} ${url}`);
      expect([exitCode, stderr]).toEqual([7, expect.stringMatching(/after \d{1,4} ms/)]);
    }
    const why = async (address: string) => (await node.peapod(["why", "client", "main", address])).stdout;
    expect(await why("empty:80")).toContain("no ready pod stands behind Service default/empty");
    expect(await why("exposed:81")).toContain("Service default/exposed has no port 81");
    expect(await why("exposed.default:80")).toMatch(
      /through Service default\/exposed at [\d.]+:80, to two \(/,
    );
  });

  test("UDP, and the same client at the same pod with sessionAffinity", async () => {
    const ask = `python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(('datagrams', 53)); s.send(b'?'); print(s.recv(99).decode())"`;
    await apply(
      service("datagrams", {
        selector: { alone: "yes" },
        ports: [{ port: 53, protocol: "UDP", targetPort: "dgram" }],
      }),
      service("sticky", {
        selector: { app: "web" },
        sessionAffinity: "ClientIP",
        ports: [{ port: 80, targetPort: 8080 }],
      }),
    );
    await untilSaid(ask, `two ${await addressOf("client")}`);
    await untilSaid(`${curl} http://sticky/`, /^(one|two) /);
    const all = await said(`for i in $(seq 12); do ${curl} http://sticky/; echo; done | sort -u`);
    expect(all.split("\n")).toHaveLength(1);
  });

  test("a sender of datagrams is led to another pod when its own is one no more", async () => {
    const sender = `
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.2)
s.connect(("datagrams", 53))
seen = []
for _ in range(1200):
    try:
        s.send(b"?")
        name = s.recv(99).decode().split()[0]
        if name not in seen: seen.append(name)
        open("/dev/shm/sent", "w").close()
    except OSError:
        pass
    if len(seen) == 2: break
    time.sleep(0.05)
print(*seen)
`;
    await kubectl.ok(["label", "pod", "one", "only=one"]);
    const sent = kubectl.ok(["exec", "client", "--", "python3", "-c", sender]);
    await untilSaid("test -e /dev/shm/sent && echo begun", "begun");
    const selector = { alone: null, only: "one" };
    await kubectl.ok(["patch", "service", "datagrams", "-p", JSON.stringify({ spec: { selector } })]);
    expect((await sent).trim()).toBe("two one");
    await untilSaid(
      `python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(('datagrams', 53)); s.send(b'?'); print(s.recv(99).decode())"`,
      /^one /,
    );
  });

  test("a NodePort is there on the host's addresses, and refuses without pods", async () => {
    await apply(
      service("door", {
        type: "NodePort",
        selector: { alone: "yes" },
        ports: [{ port: 80, targetPort: 8080 }],
      }),
      service("shut", { type: "NodePort", selector: { app: "nobody" }, ports: [{ port: 80 }] }),
    );
    const open = await get(["service", "door"], "{.spec.ports[0].nodePort}");
    const shut = await get(["service", "shut"], "{.spec.ports[0].nodePort}");
    const hostIP = await get(["node"], "{.items[0].status.addresses[0].address}");
    for (const address of ["127.0.0.1", hostIP]) {
      await eventually(async () => {
        const { stdout } = await runCommand("curl", ["-sS", "-m", "5", `http://${address}:${open}/`]);
        return stdout.startsWith("two ") || undefined;
      }, `an answer at ${address}:${open}`);
      expect((await runCommand("curl", ["-sS", "-m", "5", `http://${address}:${shut}/`])).exitCode).toBe(7);
    }
    expect(await said(`${curl} http://${hostIP}:${open}/`)).toBe(`two ${await addressOf("client")}`);
  });

  test("without selector it leads where Endpoints or EndpointSlices of somebody say", async () => {
    const ip = await addressOf("one");
    const ports = [{ port: 80 }];
    await apply(
      service("by-endpoints", { ports }),
      service("by-slice", { ports }),
      {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { name: "by-endpoints" },
        subsets: [{ addresses: [{ ip }], ports: [{ port: 8080 }] }],
      },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: "mine", labels: { "kubernetes.io/service-name": "by-slice" } },
        addressType: "IPv4",
        endpoints: [{ addresses: [ip] }],
        ports: [{ name: "", port: 8080 }],
      },
    );
    await untilSaid(`${curl} http://by-endpoints/`, /^one /);
    await untilSaid(`${curl} http://by-slice/`, /^one /);
    const subsets = [{ addresses: [{ ip: await addressOf("two") }], ports: [{ port: 8080 }] }];
    await kubectl.ok([
      "patch",
      "endpoints",
      "by-endpoints",
      "--type=merge",
      "-p",
      JSON.stringify({ subsets }),
    ]);
    await untilSaid(`${curl} http://by-endpoints/`, /^two /);
    await kubectl.ok(["delete", "endpoints", "by-endpoints"]);
    await eventually(async () => {
      const { exitCode } = await inside(`${curl} http://by-endpoints/`);
      return exitCode === 7 || undefined;
    }, "nobody behind it");
    expect(await kubectl.ok(["get", "endpointslice", "mine"])).toContain(ip);
  });

  test("the API is behind the Service kubernetes, with a certificate for its names", async () => {
    const authority = readFileSync(join(node.stateDir, "pki", "ca.crt"), "utf8");
    const ask = 'cat > /dev/shm/ca; curl -sS -m 20 --cacert /dev/shm/ca "https://$0/version"';
    const ip = await get(["service", "kubernetes"], "{.spec.clusterIP}");
    for (const name of ["kubernetes", "kubernetes.default.svc", `${ip}:443`]) {
      const { stdout, stderr } = await kubectl.run(["exec", "-i", "client", "--", "sh", "-c", ask, name], {
        input: authority,
      });
      expect(JSON.parse(stdout || stderr)).toMatchObject({ reason: "Unauthorized" });
    }
    const hostIP = await get(["node"], "{.items[0].status.addresses[0].address}");
    expect(await get(["endpoints", "kubernetes"], "{.subsets[0].addresses[0].ip}")).toBe(hostIP);
    expect(await get(["endpointslice", "kubernetes"], "{.endpoints[0].addresses[0]}")).toBe(hostIP);
  });
});

describe("names of Services", () => {
  test("a pod asks the node's name server, with the search list of its namespace", async () => {
    const lines = (await said("cat /etc/resolv.conf")).split("\n");
    expect(lines[0]).toMatch(/^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^nameserver 10\.244\.\d+\.1$/),
      "options ndots:5",
    ]);
    const path = '{.items[0].status.conditions[?(@.type=="ServiceNames")].status}';
    expect(await get(["node"], path)).toBe("True");
  });

  test("a pod in the host's network only with ClusterFirstWithHostNet", async () => {
    await apply(
      client("host-default", { hostNetwork: true }),
      client("host-cluster", { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }),
    );
    await ready("host-default", "host-cluster");
    expect(await said("cat /etc/resolv.conf", "host-default")).not.toContain("cluster.local");
    expect(await said(`${curl} http://exposed/`, "host-cluster")).toMatch(/^two /);
  });

  test("ports as SRV, addresses as PTR, an outside name as CNAME", async () => {
    expect(await lookUp("_http._tcp.web.default.svc.cluster.local", "srv")).toEqual([
      "_http._tcp.web.default.svc.cluster.local\tservice = 0 100 80 web.default.svc.cluster.local",
    ]);
    const ip = await get(["service", "web"], "{.spec.clusterIP}");
    const reverse = ip.split(".").reverse().join(".");
    expect(await lookUp(`${reverse}.in-addr.arpa`, "ptr")).toEqual([
      `${reverse}.in-addr.arpa\tname = web.default.svc.cluster.local`,
    ]);
    await apply(
      service("alias", { type: "ExternalName", externalName: "web.default.svc.cluster.local" }),
      service("outside", { type: "ExternalName", externalName: "localhost" }),
    );
    await untilSaid("getent ahostsv4 outside", /^127\.0\.0\.1 /);
    expect(await said(`${curl} http://alias/`)).toMatch(/^(one|two) /);
    const missing = await inside("busybox nslookup -type=a missing.default.svc.cluster.local");
    expect(missing.stdout).toContain("NXDOMAIN");
  });

  test("names of pods: a headless Service has the address of each, and each has a name by hostname and subdomain", async () => {
    const ports = [{ name: "http", port: 8080 }];
    await apply(
      service("group", { clusterIP: "None", selector: { in: "group" }, ports }),
      server("first", { in: "group" }, { hostname: "alpha", subdomain: "group" }),
      server("second", { in: "group" }),
    );
    await ready("first", "second");
    const [first, second] = [await addressOf("first"), await addressOf("second")];
    await untilSaid(`${curl} http://alpha.group:8080/`, /^alpha /);
    const group = "group.default.svc.cluster.local";
    await eventually(async () => (await lookUp(group)).length === 2 || undefined, "both addresses");
    expect(await lookUp(group)).toEqual([first, second].sort());
    const dashed = `${second.replaceAll(".", "-")}.${group}`;
    expect(await lookUp(dashed)).toEqual([second]);
    expect(await lookUp(`_http._tcp.${group}`, "srv")).toEqual(
      [`alpha.${group}`, dashed].map((name) => `_http._tcp.${group}\tservice = 0 100 8080 ${name}`).sort(),
    );
    expect(await said("hostname -f", "first")).toBe(`alpha.${group}`);
    await kubectl.ok(["delete", "pod", "second"]);
    await eventually(async () => (await lookUp(group)).length === 1 || undefined, "one address less");
  });
});

test("variables of Services: those of the namespace, and kubernetes always", async () => {
  await apply(client("linked"), client("unlinked", { enableServiceLinks: false }));
  await ready("linked", "unlinked");
  const variables = async (pod: string) => {
    const lines = (await said("env | grep -E '^(KUBERNETES|WEB)_' | sort", pod)).split("\n");
    return Object.fromEntries(lines.map((line) => line.split("=")));
  };
  const ip = await get(["service", "web"], "{.spec.clusterIP}");
  const api = await get(["service", "kubernetes"], "{.spec.clusterIP}");
  const links = (name: string, address: string, port: string, portName: string) => ({
    [`${name}_SERVICE_HOST`]: address,
    [`${name}_SERVICE_PORT`]: port,
    [`${name}_SERVICE_PORT_${portName}`]: port,
    [`${name}_PORT`]: `tcp://${address}:${port}`,
    [`${name}_PORT_${port}_TCP`]: `tcp://${address}:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: "tcp",
    [`${name}_PORT_${port}_TCP_PORT`]: port,
    [`${name}_PORT_${port}_TCP_ADDR`]: address,
  });
  const kubernetes = links("KUBERNETES", api, "443", "HTTPS");
  expect(await variables("unlinked")).toEqual(kubernetes);
  expect(await variables("linked")).toEqual({ ...kubernetes, ...links("WEB", ip, "80", "HTTP") });
});

describe("the daemon's end", () => {
  // The daemon removes the file of a name server that was replaced at any time, also between these two looks.
  const nameServers = () =>
    readFolderIfExists(join(node.runDir, "names"))
      .filter((name) => name.endsWith(".pid"))
      .map((name) => readFileIfExists(join(node.runDir, "names", name))?.trim())
      .filter((pid) => pid !== undefined && /^\d+$/.test(pid));

  test("kill -9 of the daemon: who asks by name goes on being answered, and the next daemon takes over", async () => {
    await eventually(() => (nameServers().length === 1 ? true : undefined), "replaced name servers gone");
    const [before = ""] = nameServers();
    // Seen from the host: a command of the node's would start the next daemon. A question for a name that is lost is
    // asked again after longer than curl waits here.
    const folder = mkdtempSync(join(dirname(node.stateDir), "asked-"));
    const once = "RES_OPTIONS=timeout:30 curl -sS -m 20 http://web/ > /dev/null && echo ok || echo failed";
    const main = {
      name: "main",
      image: "peapod.dev/host",
      command: ["sh", "-c", `while sleep 0.02; do ${once}; done >> /mnt/asked`],
      volumeMounts: [{ name: "asked", mountPath: "/mnt" }],
    };
    await apply(
      client("asker", { containers: [main], volumes: [{ name: "asked", hostPath: { path: folder } }] }),
    );
    const answers = () => (readFileIfExists(join(folder, "asked")) ?? "").split("\n").slice(0, -1);
    const more = async (count: number) => {
      const wanted = answers().length + count;
      await eventually(() => answers().length >= wanted || undefined, `${count} more answers`);
    };
    await more(3);
    await node.killDaemon();
    await more(10);
    await node.ok(["get", "pods"]);
    await more(10);
    expect(answers()).not.toContain("failed");
    expect(nameServers()).toEqual([before]);
    await kubectl.ok(["delete", "pod", "asker"]);
    await kubectl.ok(["delete", "pod", "one"]);
    await untilSaid(`for i in $(seq 9); do ${curl} http://web/; echo; done | cut -d' ' -f1 | sort -u`, "two");
  });

  test("a name server that is killed comes back", async () => {
    for (const pid of nameServers()) process.kill(Number(pid), "SIGKILL");
    await untilSaid(`${curl} http://web/`, /^two /);
  });

  test("nothing is left after the node's stop", async () => {
    const instance = layoutFor(node.stateDir, node.runDir).instance;
    expect(execFileSync("nft", ["list", "tables"], { encoding: "utf8" })).toContain(`${instance}-services`);
    await node.ok(["down", "--all", "--grace-period=1"]);
    await node.ok(["node", "stop"]);
    const isKubectls = (line: string) => line.includes("/.kube/") || line.endsWith("/kubeconfig");
    expect((await leftovers(node, instance)).filter((line) => !isKubectls(line))).toEqual([]);
  });
});
