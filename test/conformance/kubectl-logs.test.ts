import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scriptPod } from "../helpers/cluster.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";

let node: TestNode;
let kubectl: Client;
let env: NodeJS.ProcessEnv;
let program: string;

beforeAll(async () => {
  node = await testNode();
  const clients = await clientsOf(node);
  ({ kubectl, env } = clients);
  program = clients.programs.kubectl;
});
afterAll(() => node?.close());

/** Names of the files that hold the pod's log, the current one first. */
function logFiles(name: string): string[] {
  const all = readdirSync(join(node.stateDir), { recursive: true, encoding: "utf8" });
  return all.filter((path) => path.includes(name) && /\/main\/\d+\.log/.test(path)).sort();
}

test("logs -f goes on across rotations and loses no line", async () => {
  // 12 MB, which is over the kubelet's limit of 10 MiB, then slowly on until it was rotated, then the end.
  const line = "x".repeat(100);
  const script = `i=0
    awk 'BEGIN { for (i = 0; i < 110000; i++) print i, "${line}" }'
    i=110000
    until [ -e /tmp/rotated ]; do echo "$i slowly"; i=$((i+1)); sleep 0.05; done
    echo "$i last"`;
  await kubectl.ok(["create", "-f", "-"], { input: JSON.stringify(scriptPod("printer", script)) });
  await kubectl.ok(["wait", "--for=condition=Ready", "pod/printer", "--timeout=60s"]);

  const child = spawn(program, ["logs", "-f", "printer"], { env });
  const closed = once(child, "close");
  let next = 0;
  let rotated = false;
  const wrong: string[] = [];
  for await (const text of createInterface(child.stdout)) {
    if (!text.startsWith(`${next} `)) wrong.push(`${next}: ${text.slice(0, 40)}`);
    next += 1;
    if (!rotated && next > 110_000 && logFiles("printer").length > 1) {
      rotated = true;
      await kubectl.ok(["exec", "printer", "--", "touch", "/tmp/rotated"]);
    }
  }
  await closed;
  expect(wrong).toEqual([]);
  expect(rotated).toBe(true);
  expect(next).toBeGreaterThan(110_000);
  expect(await kubectl.ok(["logs", "printer", "--tail=1"])).toBe(`${next - 1} last\n`);
});

test("--previous, --tail, --since-time, --limit-bytes", async () => {
  const script =
    "echo begun; test -e /data/once && exec sleep infinity; touch /data/once; echo ended; exit 1";
  const pod = scriptPod(
    "again",
    script,
    { restartPolicy: "Always", volumes: [{ name: "data", emptyDir: {} }] },
    { volumeMounts: [{ name: "data", mountPath: "/data" }] },
  );
  await kubectl.ok(["create", "-f", "-"], { input: JSON.stringify(pod) });
  await kubectl.ok([
    "wait",
    "--for=jsonpath={.status.containerStatuses[0].restartCount}=1",
    "pod/again",
    "--timeout=60s",
  ]);
  await kubectl.ok(["wait", "--for=condition=Ready", "pod/again", "--timeout=60s"]);
  expect(await kubectl.ok(["logs", "again", "--previous"])).toBe("begun\nended\n");
  expect(await kubectl.ok(["logs", "again", "-p", "--tail=1"])).toBe("ended\n");
  expect(await kubectl.ok(["logs", "again", "-p", "--limit-bytes=8"])).toBe("begun\nen");
  expect(await kubectl.ok(["logs", "again", "--since-time=2099-01-01T00:00:00Z"])).toBe("");
  expect(await kubectl.ok(["logs", "-l", "nobody=here"])).toBe("");
});
