import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFileIfExists } from "../../src/host/files.ts";
import { layoutFor } from "../../src/host/layout.ts";
import { leftovers } from "../helpers/leftovers.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import {
  outsideAddress,
  ownAddress,
  type PrivateNetwork,
  privateNetwork,
} from "../helpers/private-network.ts";

/** Says to each connection whom it sees, then whatever it is sent. */
const serverProgram = `
import socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.client_address[0].encode() + b"\\n")
        while data := self.request.recv(99):
            self.request.sendall(data)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", 8080), Handler).serve_forever()
`;

/** Asks its server five times a second over one connection, but while it is to be quiet, and ends when that breaks. */
const talkerProgram = `
import os, socket, time
s = socket.create_connection(("web", 8080))
print(s.recv(99).decode(), flush=True)
for i in range(10000):
    s.sendall(b"x")
    if s.recv(1) != b"x": break
    print("answered", i, flush=True)
    time.sleep(0.2)
    if os.path.exists("/tmp/quiet"):
        print("quiet", flush=True)
        while os.path.exists("/tmp/quiet"): time.sleep(0.05)
`;

const pod = (name: string, command: string[], container: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    restartPolicy: "Never",
    containers: [{ name: "main", image: "peapod.dev/host", command, ...container }],
  },
});

const items = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 8080 }] },
  },
  pod("web", ["python3", "-c", serverProgram], {
    ports: [{ containerPort: 8080, hostPort: 28080 }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  }),
  pod("client", ["sleep", "infinity"]),
];

/** Stands in for firewalld's own program, which needs a system bus: keeps what it was told and does what matters of it. */
const firewallCommand = `#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
case "$2" in
--add-interface=*) nft add rule inet firewalld filter_INPUT_ZONES iifname "\${2#*=}" accept ;;
esac
`;

const bin = mkdtempSync(join(tmpdir(), "peapod-bin-"));
let network: PrivateNetwork;
let neighbour: ChildProcess;
let node: TestNode;
let instance: string;
let ips: { web: string; client: string };

const statusOf = async (...object: string[]) =>
  JSON.parse(await node.ok(["get", ...object, "-o", "json"])).status;

/** Whom a server sees when the client asks it; empty when it does not answer in time. */
async function asked(host: string, port: number, seconds = shortly): Promise<string> {
  const script = `import socket; print(socket.create_connection(("${host}", ${port}), ${seconds}).recv(99).decode().strip())`;
  return (await node.peapod(["exec", "client", "--", "python3", "-c", script])).stdout.trim();
}

async function askedFromOutside(seconds: number): Promise<string> {
  const script = `import socket; print(socket.create_connection(("${ownAddress}", 28080), ${seconds}).recv(99).decode().strip())`;
  const words = [...network.outside.slice(1), "python3", "-c", script];
  const child = spawn(network.outside[0] ?? "", words, { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  return text.trim();
}

/** Seconds that an answer may take where it is asked for again, or is not to come. */
const shortly = 2;
const patiently = 20;

async function everyWay(seconds: number): Promise<object> {
  return {
    pod: await asked(ips.web, 8080, seconds),
    service: await asked("web", 8080, seconds),
    outside: await asked(outsideAddress, 8080, seconds),
    hostPort: await askedFromOutside(seconds),
  };
}

const everyWayOpen = () => ({
  pod: ips.client,
  service: ips.client,
  outside: ownAddress,
  hostPort: outsideAddress,
});

const isOpen = async () => isDeepStrictEqual(await everyWay(shortly), everyWayOpen()) || undefined;

async function nodeStatus(): Promise<{ node: string; problems: string[] }> {
  return JSON.parse(await node.ok(["node", "status", "-o", "json"]));
}

const problems = async () => (await nodeStatus()).problems;

beforeAll(async () => {
  network = await privateNetwork();
  const [file = "", ...words] = [...network.outside, "python3", "-c", serverProgram];
  neighbour = spawn(file, words, { stdio: "ignore" });
  // As Docker and ufw leave a machine; what belongs to connections of its own may come in.
  await network.sh(`iptables -P FORWARD DROP
    iptables -P INPUT DROP
    iptables -A INPUT -i lo -j ACCEPT`);
  writeFileSync(join(bin, "firewall-cmd"), firewallCommand, { mode: 0o755 });
  node = await testNode([], [...network.through, "env", `PATH=${bin}:${process.env.PATH}`]);
  ({ instance } = layoutFor(node.stateDir, node.runDir));
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await node.ok(["up", "-d", "-f", "-"], { input });
  ips = { web: (await statusOf("pod", "web")).podIP, client: (await statusOf("pod", "client")).podIP };
});

afterAll(async () => {
  try {
    await node?.close();
  } finally {
    neighbour?.kill("SIGKILL");
    network?.close();
    rmSync(bin, { recursive: true });
  }
});

test("pods, Services, names, host ports and the outside are reached where iptables drops what it does not know", async () => {
  expect(await everyWay(patiently)).toEqual(everyWayOpen());
  expect(await problems()).toEqual([]);
  const rules = await network.sh("iptables -S");
  expect(rules.split("\n").filter((line) => line.includes(`"${instance}: `))).toHaveLength(3);
});

test("iptables that was flushed is opened again, legacy tables are opened when somebody has made them", async () => {
  await network.sh("iptables -F FORWARD; iptables -F INPUT; iptables-legacy -P FORWARD DROP");
  const opened = async () => {
    const rules = await network.sh("iptables -S; iptables-legacy -S");
    return rules.split("\n").filter((line) => line.includes(`"${instance}: `)).length === 6 || undefined;
  };
  await eventually(opened, "rules in both tables");
  // The host's probes had no answers meanwhile: the pod behind the Service has to become ready again.
  await eventually(isOpen, "every way open again");
});

test("a ruleset that was flushed is made again, and connections go on", async () => {
  const input = JSON.stringify(pod("talker", ["python3", "-c", talkerProgram]));
  await node.ok(["up", "-d", "-f", "-"], { input });
  const answers = async () => (await node.ok(["logs", "talker"])).trim().split("\n").length;
  await eventually(async () => (await answers()) > 3 || undefined, "answers");
  // What arrives before the rules are back has no connection that it belongs to, and resets it.
  await node.ok(["exec", "talker", "--", "touch", "/tmp/quiet"]);
  await eventually(
    async () => (await node.ok(["logs", "talker"])).endsWith("quiet\n") || undefined,
    "the talker's silence",
  );
  await network.sh("nft flush ruleset");
  await eventually(isOpen, "every way open again");
  await node.ok(["exec", "talker", "--", "rm", "/tmp/quiet"]);
  const before = await answers();
  await eventually(
    async () => (await answers()) > before + 3 || undefined,
    "more answers on the old connection",
  );
  expect((await statusOf("pod", "talker")).phase).toBe("Running");
});

test("a table that cannot be opened is named by node status, by the node's condition and by why", async () => {
  // At once: a look at half of it would tell half.
  await network.sh(`nft -f - <<'END'
table inet strict {
  chain passing { type filter hook forward priority 10; policy drop; }
  chain coming {
    type filter hook input priority 10; policy drop;
    iifname lo accept
    ct state established,related accept
  }
}
END`);
  const named = async () => {
    const found = await problems();
    return found.length > 0 ? found : undefined;
  };
  const [text = ""] = await eventually(named, "the table's name");
  expect(text).toContain(
    "inet strict passing (policy drop) drops what pods send each other and what pods send to the outside",
  );
  expect(text).toContain("inet strict coming (policy drop) drops pods' questions for names");
  expect(await asked(ips.web, 8080)).toBe("");
  const { conditions } = await statusOf("node", (await nodeStatus()).node);
  expect(conditions).toContainEqual(expect.objectContaining({ type: "NetworkUnavailable", status: "True" }));
  expect((await node.peapod(["why", "client"])).stdout).toContain("inet strict passing (policy drop)");

  // What it says helps.
  for (const command of text.match(/nft insert rule [^;]*accept/g) ?? []) await network.sh(command);
  await eventually(async () => ((await problems()).length === 0 ? true : undefined), "no problem");
  expect(await everyWay(patiently)).toEqual(everyWayOpen());
  await network.sh("nft delete table inet strict");
});

test("where firewalld runs, the bridge is put into its zone of the trusted, once", async () => {
  await network.sh("nft 'add table inet firewalld; add chain inet firewalld filter_INPUT_ZONES'");
  const calls = () => readFileIfExists(join(bin, "calls")) || undefined;
  expect(await eventually(calls, "a call of firewall-cmd")).toBe(
    `--zone=trusted --add-interface=${instance}0\n`,
  );
});

test("nothing is left in anybody's tables, also after kill -9", async () => {
  await network.sh("iptables -P FORWARD DROP");
  await node.ok(["down", "--all", "--grace-period=1"]);
  await node.killDaemon();
  await node.ok(["node", "start"]);
  expect(await network.sh("iptables -S")).toContain(instance);
  await node.ok(["node", "stop"]);
  expect(readFileIfExists(join(bin, "calls"))).toBe(
    `--zone=trusted --add-interface=${instance}0\n--zone=trusted --remove-interface=${instance}0\n`,
  );
  await network.sh("nft delete table inet firewalld");
  expect(await leftovers(node, instance, network.through)).toEqual([]);
  // Nor a helper of the daemon that was killed.
  const helpers = () => network.sh(`grep -l "${node.runDir}" /proc/[0-9]*/environ || true`);
  await eventually(async () => ((await helpers()) === "" ? true : undefined), "the end of all helpers");
});
