import { readdirSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

// https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/

const user = "reader";
const password = "hush-hush";

let registry: TestRegistry;
let guard: Server;
let address: string;
let node: TestNode;
let kubectl: Client;

beforeAll(async () => {
  registry = await startTestRegistry();
  guard = guardedBy(`Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`, registry.address);
  await new Promise<void>((resolve) => guard.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(guard.address() as AddressInfo).port}`;
  const conf = join(registry.registriesConf, "../guarded.conf");
  writeFileSync(conf, `[[registry]]\nlocation = "${address}"\ninsecure = true\n`);
  node = await testNode(["--registries-conf", conf]);
  ({ kubectl } = await clientsOf(node));
  await kubectl.ok([
    ...["create", "secret", "docker-registry", "login", `--docker-server=${address}`],
    ...[`--docker-username=${user}`, `--docker-password=${password}`],
  ]);
});
afterAll(async () => {
  await node?.close();
  guard?.close();
  await registry?.close();
});

/** Passes requests on that have this header, and asks the others for it. */
function guardedBy(authorization: string, target: string): Server {
  const [host, port] = target.split(":");
  return createServer((incoming, answer) => {
    if (incoming.headers.authorization !== authorization) {
      answer.writeHead(401, { "WWW-Authenticate": 'Basic realm="guarded"' }).end();
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ host, port, method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  });
}

const pod = (name: string, image: string, secrets: string[]) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    imagePullSecrets: secrets.map((secret) => ({ name: secret })),
    containers: [
      {
        name: "main",
        image: `${address}/library/${image}`,
        command: ["sleep", "infinity"],
        imagePullPolicy: "Always",
      },
    ],
  },
});
const create = (object: object) => kubectl.ok(["create", "-f", "-"], { input: JSON.stringify(object) });
const ready = (name: string) => kubectl.ok(["wait", "--for=condition=Ready", "--timeout=60s", `pod/${name}`]);
const untilEvent = (name: string, reason: string, text: string) =>
  eventually(async () => {
    const selector = `involvedObject.name=${name},reason=${reason}`;
    const output = await kubectl.ok([
      "get",
      "events",
      "--field-selector",
      selector,
      "-o",
      "jsonpath={.items[*].message}",
    ]);
    return output.includes(text) ? output : undefined;
  }, `${reason} ${text}`);

describe("imagePullSecrets", () => {
  test("without any the registry refuses, and the pod says so", async () => {
    await create(pod("unknown", "alpine:latest", []));
    await untilEvent("unknown", "Failed", "unauthorized: the registry asks for");
    await kubectl.ok(["delete", "pod", "unknown"]);
  });

  test("one that is not there is named in an event", async () => {
    await create(pod("forgetful", "alpine:latest", ["nowhere"]));
    await untilEvent("forgetful", "FailedToRetrieveImagePullSecret", "(nowhere)");
    await untilEvent("forgetful", "Failed", "unauthorized");
    await kubectl.ok(["delete", "pod", "forgetful"]);
  });

  test("give the pull its login, which is left nowhere", async () => {
    await create(pod("known", "alpine:latest", ["nowhere", "login"]));
    await ready("known");
    expect(readdirSync(node.runDir).filter((name) => name.startsWith("pull-"))).toEqual([]);
    await kubectl.ok(["delete", "pod", "known"]);
  });

  test("of the service account are every pod's that has none of its own", async () => {
    const secrets = JSON.stringify({ imagePullSecrets: [{ name: "login" }] });
    await kubectl.ok(["patch", "serviceaccount", "default", "-p", secrets]);
    await create(pod("by-account", "alpine:latest", []));
    await ready("by-account");
    await kubectl.ok(["delete", "pod", "by-account"]);
  });
});
