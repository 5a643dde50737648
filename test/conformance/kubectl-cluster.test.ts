import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

/** What kubectl does with more than one object: sets of files, lists of many kinds, the node, a whole dump, its proxy. */

const podFile = join(import.meta.dirname, "../fixtures/kubectl/pod.yaml");
const podText = readFileSync(podFile, "utf8");

let node: TestNode;
let kubectl: Client;
let env: NodeJS.ProcessEnv;
let program: string;
let nodeName: string;

beforeAll(async () => {
  node = await testNode();
  const clients = await clientsOf(node);
  ({ kubectl, env } = clients);
  program = clients.programs.kubectl;
  nodeName = await kubectl.ok(["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"]);
  await kubectl.ok(["create", "-f", podFile]);
  await kubectl.ok(["create", "-f", "-"], { input: podText.replaceAll("web", "shop") });
  await kubectl.ok(["wait", "--for=condition=Ready", "pod/web", "pod/shop", "--timeout=60s"]);
});
afterAll(() => node?.close());

describe("lists", () => {
  test("several kinds, all namespaces, in pieces, sorted and selected", async () => {
    const table = await kubectl.ok(["get", "pods,nodes", "-A"]);
    expect(table).toMatch(/^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\ndefault +pod\/shop +2\/2 /);
    expect(table).toMatch(new RegExp(`^ +node/${nodeName} +Ready `, "m"));
    expect(await kubectl.ok(["get", "all"])).toMatch(/^pod\/web +2\/2 +Running/m);

    const names = "custom-columns=:.metadata.name";
    const list = (...args: string[]) => kubectl.ok(["get", "pods", "--no-headers", "-o", names, ...args]);
    expect(await list("--chunk-size=1")).toBe("shop\nweb\n");
    expect(await list("--sort-by=.metadata.labels.app")).toBe("shop\nweb\n");
    expect(await list("--sort-by={.metadata.creationTimestamp}", "-l", "app in (web,shop)")).toContain("web");
    expect(await list("--field-selector", `spec.nodeName=${nodeName},metadata.name!=web`)).toBe("shop\n");
    expect(await list("-l", "app notin (web)", "--field-selector=status.phase=Running")).toBe("shop\n");
    expect(await kubectl.ok(["get", "pods", "--show-labels"])).toMatch(/^web .* app=web$/m);
  });

  test("--raw paths, and where they begin", async () => {
    const { paths } = JSON.parse(await kubectl.ok(["get", "--raw", "/"]));
    expect(paths).toEqual(expect.arrayContaining(["/api/v1", "/apis/apps/v1", "/healthz", "/openapi/v3"]));
    expect(await kubectl.ok(["get", "--raw", "/readyz?verbose"])).toContain("readyz check passed");
    const list = JSON.parse(await kubectl.ok(["get", "--raw", "/api/v1/namespaces/default/pods?limit=1"]));
    expect(list).toMatchObject({ kind: "PodList", metadata: { remainingItemCount: 1 } });
    const missing = await kubectl.run(["get", "--raw", "/nothing"]);
    expect(missing.stderr).toBe(
      "Error from server (NotFound): the server could not find the requested resource\n",
    );
  });
});

test("apply --prune deletes what the files no longer have", async () => {
  const folder = join(node.runDir, "set");
  mkdirSync(folder);
  const file = (name: string) => join(folder, `${name}.json`);
  for (const name of ["first", "second", "third"]) {
    const metadata = { name, labels: { set: "x" } };
    writeFileSync(file(name), JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata }));
  }
  const apply = (...args: string[]) =>
    kubectl.ok(["apply", "-n", "default", "-f", folder, "--prune", ...args], {
      env: { KUBECTL_APPLYSET: "true" },
    });
  await apply("-l", "set=x");
  rmSync(file("second"));
  expect(await apply("-l", "set=x")).toBe(
    "configmap/first unchanged\nconfigmap/third unchanged\nconfigmap/second pruned\n",
  );
  // The newer way: an object of its own remembers the set.
  await kubectl.ok(["delete", "configmap", "-l", "set=x"]);
  await apply("--applyset=configmaps/together");
  rmSync(file("third"));
  expect(await apply("--applyset=configmaps/together")).toBe(
    "configmap/first unchanged\nconfigmap/third pruned\n",
  );
  expect(await kubectl.ok(["delete", "-f", folder, "--dry-run=server"])).toBe(
    'configmap "first" deleted from default namespace (server dry run)\n',
  );
  expect(await kubectl.ok(["get", "configmap", "first", "-o", "name"])).toBe("configmap/first\n");
});

test("set image restarts that container only", async () => {
  const path = "jsonpath={.status.containerStatuses[*].restartCount}";
  await kubectl.ok(["get", "pod", "shop", "-o", path]);
  expect(await kubectl.ok(["set", "image", "pod/shop", "helper=peapod.dev/host:other"])).toBe(
    "pod/shop image updated\n",
  );
  await eventually(async () => {
    const events = await kubectl.ok(["events", "--for", "pod/shop"]);
    return events.includes("Container helper definition changed, will be restarted") || undefined;
  }, "the kubelet's words");
  expect((await kubectl.ok(["get", "pod", "shop", "-o", path])).split(" ")[1] ?? "0").toBe("0");
});

test("the proxy, on a port and on a Unix socket", async () => {
  const proxied = async (args: string[], options: (address: string) => object) => {
    const child = spawn(program, ["proxy", ...args], { env });
    try {
      for await (const line of createInterface(child.stdout)) {
        const address = /^Starting to serve on (\S+)$/.exec(line)?.[1];
        if (address === undefined) continue;
        return await new Promise<string>((resolve, reject) => {
          const path = "/api/v1/namespaces/default/pods/web";
          const sent = request(
            { ...options(address), path, headers: { host: "localhost" } },
            async (message) => {
              let text = "";
              for await (const chunk of message.setEncoding("utf8")) text += chunk;
              resolve(JSON.parse(text).metadata.name);
            },
          );
          sent.on("error", reject).end();
        });
      }
      throw new Error("the proxy ended");
    } finally {
      child.kill();
    }
  };
  expect(
    await proxied(["--port=0"], (address) => ({ host: "127.0.0.1", port: Number(address.split(":")[1]) })),
  ).toBe("web");
  const socketPath = join(node.runDir, "proxy.sock");
  expect(await proxied([`--unix-socket=${socketPath}`], () => ({ socketPath }))).toBe("web");
});

test("cluster-info dump has every namespace's objects and the pods' logs", async () => {
  const folder = join(node.runDir, "dump");
  const words = await kubectl.ok(["cluster-info", "dump", "-A", `--output-directory=${folder}`]);
  expect(words).toBe(`Cluster info dumped to ${folder}\n`);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(["default", "kube-system", "nodes.json"]));
  const pods = JSON.parse(readFileSync(join(folder, "default/pods.json"), "utf8"));
  expect(pods.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
    "shop",
    "web",
  ]);
  expect(readFileSync(join(folder, "default/web/logs.txt"), "utf8")).toContain("serving\n");
});

describe("the node", () => {
  test("label, annotate, cordon, taint and back", async () => {
    expect(await kubectl.ok(["label", "node", nodeName, "disk=ssd"])).toBe(`node/${nodeName} labeled\n`);
    expect(await kubectl.ok(["get", "nodes", "-L", "disk"])).toMatch(/ssd$/m);
    expect(await kubectl.ok(["cordon", nodeName])).toBe(`node/${nodeName} cordoned\n`);
    expect(await kubectl.ok(["get", "nodes"])).toMatch(/ Ready,SchedulingDisabled /);
    expect(await kubectl.ok(["uncordon", nodeName])).toBe(`node/${nodeName} uncordoned\n`);
    expect(await kubectl.ok(["taint", "node", nodeName, "a=b:NoSchedule"])).toBe(
      `node/${nodeName} tainted\n`,
    );
    expect(await kubectl.ok(["describe", "node", nodeName])).toMatch(/^Taints: +a=b:NoSchedule$/m);
    expect(await kubectl.ok(["taint", "node", nodeName, "a-"])).toBe(`node/${nodeName} untainted\n`);
  });

  test("drain evicts, but nothing that nobody would make anew unless it is told to", async () => {
    const refused = await kubectl.run(["drain", nodeName]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(
      "cannot delete Pods that declare no controller (use --force to override): default/shop, default/web",
    );
    const drained = await kubectl.ok(["drain", nodeName, "--force", "--grace-period=1"]);
    expect(drained.trim().split("\n").toSorted()).toEqual([
      "evicting pod default/shop",
      "evicting pod default/web",
      `node/${nodeName} already cordoned`,
      `node/${nodeName} drained`,
      "pod/shop evicted",
      "pod/web evicted",
    ]);
    expect((await kubectl.run(["get", "pods"])).stderr).toBe("No resources found in default namespace.\n");
    await kubectl.ok(["uncordon", nodeName]);
  });
});
