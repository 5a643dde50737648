import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { onTerminal } from "../helpers/pseudo-terminal.ts";

/** `kubectl debug` in its three forms: beside a container, in a copy of the pod, and on the node. */

let node: TestNode;
let kubectl: Client;
let env: NodeJS.ProcessEnv;
let program: string;

const image = "peapod.dev/host";
const manifest = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", labels: { app: "web" } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      { name: "server", image, command: ["sleep", "4242"] },
      { name: "helper", image, command: ["sleep", "infinity"] },
    ],
  },
};
const general = ["--image=peapod.dev/host", "--profile=general", "--env=PS1=ready>"];

beforeAll(async () => {
  node = await testNode();
  const clients = await clientsOf(node);
  ({ kubectl, env } = clients);
  program = clients.programs.kubectl;
  await kubectl.ok(["apply", "-f", "-"], { input: JSON.stringify(manifest) });
  await kubectl.ok(["wait", "--for=condition=Ready", "pod/web", "--timeout=60s"]);
});
afterAll(() => node?.close());

test("-it --target: a shell that sees the target's processes, with the terminal's size", async () => {
  const args = ["debug", "-it", "web", "-c", "look", "--target=server", ...general, "--", "sh"];
  const terminal = onTerminal(program, args, env);
  await terminal.shows(/Targeting container "server"/);
  await terminal.shows(/try pressing enter/);
  terminal.type("\r");
  await terminal.shows(/ready>/);
  terminal.type("tr '\\0' ' ' < /proc/1/cmdline; echo; hostname\r");
  await terminal.shows(/(?:\n|>)sleep 4242 \r\nweb\r\n/);
  // kubectl sends a size that is one too large, then the true one: the second has to stay.
  terminal.type("stty size\r");
  await terminal.shows(/\n24 80\r\n/);
  terminal.resize(101, 41);
  terminal.type("until [ \"$(stty size)\" = '41 101' ]; do sleep 0.1; done; exit 3\r");
  await terminal.shows(/Session ended, the ephemeral container will not be restarted/);
  expect(await terminal.exited).toBe(0);
  const exitCode = await eventually(async () => {
    const path = "jsonpath={.status.ephemeralContainerStatuses[?(@.name=='look')].state.terminated.exitCode}";
    return (await kubectl.ok(["get", "pod", "web", "-o", path])) || undefined;
  }, "the exit code");
  expect(exitCode).toBe("3");
  expect(await kubectl.ok(["describe", "pod", "web"])).toMatch(
    /^Ephemeral Containers:\n {2}look:\n(?: {4}.*\n)*? {4}State: +Terminated\n {6}Reason: +Error\n {6}Exit Code: +3$/m,
  );
});

test("--target with the program's own output, and logs of it", async () => {
  const args = ["debug", "web", "-c", "once", "--target=helper", ...general, "--attach=false"];
  await kubectl.ok([...args, "--", "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline"]);
  const log = await eventually(
    async () => (await kubectl.run(["logs", "web", "-c", "once"])).stdout || undefined,
    "the log",
  );
  expect(log).toBe("sleep infinity ");
});

test("--copy-to: a copy with another command, and one whose containers see each other", async () => {
  const copy = [
    "debug",
    "web",
    "--copy-to=copied",
    "--container=server",
    "--attach=false",
    "--profile=general",
  ];
  await kubectl.ok([...copy, "--", "sh", "-c", "echo copied; exec sleep infinity"]);
  await kubectl.ok(["wait", "--for=condition=Ready", "pod/copied", "--timeout=60s"]);
  const log = await eventually(
    async () => (await kubectl.ok(["logs", "copied", "-c", "server"])) || undefined,
    "the copy's log",
  );
  expect(log).toBe("copied\n");
  // The labels are not copied, so that no Service takes the copy for the pod.
  expect(await kubectl.ok(["get", "pod", "copied", "-o", "jsonpath={.metadata.labels}"])).toBe("");

  const args = ["debug", "-it", "web", "--copy-to=shared", "--share-processes", "-c", "look", ...general];
  const terminal = onTerminal(program, [...args, "--", "sh"], env);
  await terminal.shows(/try pressing enter/);
  terminal.type("\r");
  await terminal.shows(/ready>/);
  terminal.type("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep 42[0-9]*'\r");
  await terminal.shows(/(?:\n|>)sleep 4242\r\n/);
  terminal.type("exit\r");
  await terminal.shows(/Session ended, resume using/);
  await terminal.exited;
});

test("node/NAME: a pod with the node's own files and processes", async () => {
  const name = (await kubectl.ok(["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"])).trim();
  const args = ["debug", `node/${name}`, "--image=peapod.dev/host", "--profile=general", "--attach=false"];
  const { stderr, stdout } = await kubectl.run([
    ...args,
    "--",
    "sh",
    "-c",
    "test -d /host/proc/1 && chroot /host cat /proc/sys/kernel/hostname",
  ]);
  const pod = /pod (node-debugger-\S+) with/.exec(stdout + stderr)?.[1] ?? "";
  await kubectl.ok(["wait", "--for=jsonpath={.status.phase}=Succeeded", `pod/${pod}`, "--timeout=60s"]);
  expect(await kubectl.ok(["logs", pod])).toBe(`${name}\n`);
});
