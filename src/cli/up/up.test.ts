import { writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FakeAPI, type FakeRequest, sendJson, startFakeAPI } from "../../client/fake-api.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { OptionSpecs, OptionValues } from "../command.ts";
import { up } from "../commands/up.ts";
import { fakeSession } from "../fake-session.ts";
import { parseArguments } from "../parse-arguments.ts";
import type { Session } from "../session.ts";
import { isNews } from "./wait-until-up.ts";

const manifest =
  "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, image: x}\n";

/** A node with one pod slot: creates, refuses what is there, deletes, and makes every new pod ready at once. */
class FakeNode {
  pod: { metadata: Record<string, unknown>; status?: object; kind?: string } | undefined;
  version = 10;
  statusOnceStarted: object = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  events: object[] = [];

  answer = ({ method, url, body }: FakeRequest, response: ServerResponse): void => {
    if (method === "POST") this.#create(body, response);
    else if (url === "/version") sendJson(response, {});
    else if (url.includes("/events")) sendJson(response, { metadata: {}, items: this.events });
    else if (url.includes("/log")) response.end("one\ntwo\n");
    else if (url.includes("watch=true")) this.#start(response);
    else {
      const notFound = { kind: "Status", reason: "NotFound", message: 'pods "web" not found' };
      sendJson(response, this.pod ?? notFound, this.pod === undefined ? 404 : 200);
      if (method === "DELETE") this.pod = undefined;
    }
  };

  #create(body: string, response: ServerResponse): void {
    if (this.pod !== undefined) {
      sendJson(response, { kind: "Status", reason: "AlreadyExists" }, 409);
      return;
    }
    this.version += 1;
    const sent = JSON.parse(body);
    const metadata = { ...sent.metadata, uid: `uid-${this.version}`, resourceVersion: String(this.version) };
    this.pod = { ...sent, metadata, status: { phase: "Pending" } };
    sendJson(response, this.pod, 201);
  }

  #start(response: ServerResponse): void {
    this.version += 1;
    const metadata = { ...this.pod?.metadata, resourceVersion: String(this.version) };
    this.pod = { ...this.pod, metadata, status: this.statusOnceStarted };
    response.writeHead(200).write(`${JSON.stringify({ type: "MODIFIED", object: this.pod })}\n`);
  }
}

async function runUp(
  api: FakeAPI,
  text: string,
  flags: readonly string[] = ["-d"],
  onSession: (session: Session) => void = () => {},
) {
  const file = join(api.folder, "pod.yaml");
  writeFileSync(file, text);
  const session = fakeSession(api.socketPath);
  onSession(session);
  const { options, args, rest } = parseArguments(["-f", file, ...flags], up.options);
  const invocation = {
    options: options as OptionValues<OptionSpecs>,
    args,
    rest,
    session,
    allCommands: async () => [],
  };
  const exitCode = await up.run(invocation);
  return { exitCode, ...session.printed };
}

describe("up -d", () => {
  test("created, then unchanged, then replaced after a change", async () => {
    const node = new FakeNode();
    await using api = await startFakeAPI(node.answer);
    expect(await runUp(api, manifest)).toEqual({
      exitCode: 0,
      out: "pod/web created\npod/web ready\n",
      err: "",
    });
    const uid = node.pod?.metadata.uid;
    expect((await runUp(api, manifest)).out).toBe("pod/web unchanged\npod/web ready\n");
    expect(node.pod?.metadata.uid).toBe(uid);
    const changed = await runUp(api, manifest.replace("image: x", "image: other"));
    expect(changed).toMatchObject({ exitCode: 0, out: "pod/web replaced\npod/web ready\n" });
    expect(changed.err).toContain("pod/web changed: replacing it");
    expect(node.pod?.metadata.uid).not.toBe(uid);
    expect((await runUp(api, manifest.replace("image: x", "image: other"), ["-d", "--replace"])).err).toBe(
      "pod/web: replacing it\n",
    );
  });

  test("--image-fallback annotates pods that say nothing themselves", async () => {
    const node = new FakeNode();
    await using api = await startFakeAPI(node.answer);
    await runUp(api, manifest, ["-d", "--image-fallback=host"]);
    expect(node.pod?.metadata.annotations).toMatchObject({ "peapod.dev/image-fallback": "host" });
  });

  test("an invalid manifest: every problem with its place, exit code 3, nothing applied", async () => {
    await using api = await startFakeAPI(new FakeNode().answer);
    const broken = manifest.replace("image: x", "imagee: x").replace("name: web", "name: Web");
    const { exitCode, err } = await runUp(api, `${manifest}---\n${broken}`);
    expect(exitCode).toBe(3);
    expect(err).toMatch(/pod\.yaml:10:12: metadata\.name: /);
    expect(err).toMatch(/pod\.yaml:13:15: .*imagee/);
    expect(api.requests).toEqual([]);
  });

  test("a pod that can't come up: the reason, and the last lines of the container that ran", async () => {
    const node = new FakeNode();
    const lastState = { terminated: { exitCode: 1, startedAt: "", finishedAt: "" } };
    const state = {
      waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container" },
    };
    node.statusOnceStarted = { phase: "Running", containerStatuses: [{ name: "a", state, lastState }] };
    await using api = await startFakeAPI(node.answer);
    const { exitCode, err } = await runUp(api, manifest);
    expect(exitCode).toBe(1);
    expect(err).toContain(
      "error: pod/web failed: container a: CrashLoopBackOff: back-off 10s restarting failed container\n",
    );
    expect(err).toContain("last lines of container a:\n  one\n  two\n");
    expect(node.pod).toBeDefined();
  });

  test("warnings of the node, each once and none that is older than the pod", async () => {
    const node = new FakeNode();
    await using api = await startFakeAPI(node.answer);
    const event = (resourceVersion: string, message: string) => ({
      metadata: { uid: resourceVersion, resourceVersion },
      involvedObject: { uid: "uid-11", fieldPath: "spec.containers{a}" },
      type: "Warning",
      reason: "ImageFallback",
      message,
    });
    node.events = [event("30", "on the host"), event("31", "on the host"), event("5", "old")];
    const { err } = await runUp(api, manifest);
    expect(err.split("\n").filter((line) => line.startsWith("Warning"))).toEqual([
      "Warning: web a: ImageFallback: on the host",
    ]);
  });

  test("gives up after --timeout", async () => {
    const node = new FakeNode();
    node.statusOnceStarted = { phase: "Pending" };
    await using api = await startFakeAPI(node.answer);
    await expect(runUp(api, manifest, ["-d", "--timeout=50ms"])).rejects.toMatchObject({
      code: "Timeout",
      message: "timed out after 0s waiting for pod/web to become ready",
    });
  });
});

test("up without -d prints the logs and ends with the pod", async () => {
  const node = new FakeNode();
  const state = { terminated: { exitCode: 0, containerID: "c1", startedAt: "", finishedAt: "" } };
  node.statusOnceStarted = { phase: "Succeeded", containerStatuses: [{ name: "a", state }] };
  await using api = await startFakeAPI(node.answer);
  const { exitCode, out } = await runUp(api, manifest, []);
  expect(exitCode).toBe(0);
  expect(out).toBe("pod/web created\npod/web succeeded\n[web a] one\n[web a] two\n");
});

test("Ctrl-C while the node makes the pod removes it", async () => {
  const node = new FakeNode();
  let interrupt = () => {};
  await using api = await startFakeAPI((request, response) => {
    if (request.method === "POST") interrupt();
    node.answer(request, response);
  });
  const { exitCode, err } = await runUp(api, manifest, [], ({ interrupts }) => {
    interrupt = () => interrupts.interrupt();
  });
  expect(exitCode).toBe(130);
  expect(err).toContain("removing 1 pod ");
  expect(node.pod).toBeUndefined();
});

test("a watch that repeats an older state of a pod brings no news", () => {
  const at = (resourceVersion: string) => ({ metadata: { resourceVersion } }) as StoredPod;
  expect(isNews(at("9"), at("10"))).toBe(false);
  expect(isNews(at("10"), at("10"))).toBe(true);
  expect(isNews(at("100"), at("99"))).toBe(true);
  expect(isNews(at("1"), undefined)).toBe(true);
});
