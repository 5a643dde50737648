import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

const main = { name: "main", command: shell("exec sleep 4242") };
const image = "peapod.dev/host";

const isRunning = (name: string, container: string) =>
  api.until(name, `${container} running`, (pod) => statusOf(pod, container)?.state?.running);

describe("Ephemeral Containers", () => {
  test("will start an ephemeral container in an existing pod", async () => {
    const name = "ephemeral";
    await api.create(name, { containers: [main] });
    await isRunning(name, "main");
    const command = shell("while true; do echo polo; sleep 2; done");
    await api.addEphemeralContainers(name, [{ name: "debugger", image, command }]);
    await isRunning(name, "debugger");
    await api.until(name, "still running", (pod) => statusOf(pod, "main")?.ready || undefined);
    expect(await node.ok(["exec", name, "-c", "debugger", "--", "echo", "marco"])).toBe("marco\n");
    // The monitor may not have written it yet.
    await eventually(async () => (await api.log(name, "debugger")).includes("polo") || undefined, "polo");
    const event = await api.event(name, "Started", "Started container debugger");
    expect(event.involvedObject.fieldPath).toBe("spec.ephemeralContainers{debugger}");
  });

  test("should update the ephemeral containers in an existing pod", async () => {
    const name = "ephemeral-update";
    await api.create(name, { containers: [main] });
    await isRunning(name, "main");
    await api.addEphemeralContainers(name, [{ name: "debugger1", image, command: ["sleep", "600"] }]);
    await api.addEphemeralContainers(name, [{ name: "debugger2", image, command: ["sleep", "600"] }]);
    await isRunning(name, "debugger1");
    await isRunning(name, "debugger2");
    const { spec, metadata } = await api.get(name);
    expect(spec.ephemeralContainers?.map((container) => container.name)).toEqual(["debugger1", "debugger2"]);
    expect(metadata.generation).toBe(3);
    // Other changes of the pod go on being possible.
    await api.patch(name, { metadata: { labels: { changed: "yes" } } });
  });

  test("sees the processes of its target and is not restarted", async () => {
    const name = "ephemeral-target";
    await api.create(name, { containers: [main] });
    await isRunning(name, "main");
    const command = shell(
      "until tr '\\0' ' ' < /proc/1/cmdline | grep '^sleep 4242'; do sleep 0.1; done; exit 3",
    );
    await api.addEphemeralContainers(name, [{ name: "look", image, command, targetContainerName: "main" }]);
    const terminated = await api.until(name, "the end", (pod) => statusOf(pod, "look")?.state?.terminated);
    expect(terminated.exitCode).toBe(3);
    expect(await api.log(name, "look")).toBe("sleep 4242 \n");
    expect(statusOf(await api.get(name), "main")).toMatchObject({ ready: true, restartCount: 0 });
  });

  test.each([
    [{ name: "main", image }, 'spec.ephemeralContainers[0].name: Duplicate value: "main"'],
    [
      { name: "a", image, ports: [{ containerPort: 80 }] },
      "ports: Forbidden: cannot be set for an Ephemeral",
    ],
    [{ name: "a", image, targetContainerName: "b" }, 'targetContainerName: Not found: "b"'],
  ])("%j is refused", async (container, message) => {
    const name = "ephemeral-refused";
    await api.create(name, { containers: [main] }).catch(() => {});
    await expect(api.addEphemeralContainers(name, [container])).rejects.toThrow(message);
  });

  test("one that is there can neither be changed nor removed", async () => {
    const name = "ephemeral-fixed";
    await api.create(name, { containers: [main] });
    await api.addEphemeralContainers(name, [{ name: "debugger", image, command: ["sleep", "600"] }]);
    await expect(
      api.addEphemeralContainers(name, [{ name: "debugger", image, command: ["true"] }]),
    ).rejects.toThrow('existing ephemeral containers "debugger" may not be changed');
  });
});
