import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

// [sig-node] Containers of Kubernetes' conformance suite, on an image with an entrypoint and arguments of its own.

let registry: TestRegistry;
let cluster: Cluster;
beforeAll(async () => {
  registry = await startTestRegistry();
  cluster = await startCluster([`--registries-conf=${registry.registriesConf}`]);
});
afterAll(async () => {
  await cluster?.close();
  await registry?.close();
});

describe("[sig-node] Containers", () => {
  /** What the image's own entrypoint and arguments become with these of the container; its entrypoint runs `node`. */
  const words = async (name: string, rest: { command?: string[]; args?: string[] }) => {
    const script = 'require("fs").writeSync(1, "default arguments\\n")';
    const container = { image: "node:18-alpine", command: undefined, stdin: true, stdinOnce: true, ...rest };
    const pod = scriptPod(name, "", {}, container);
    if (rest.command !== undefined || rest.args !== undefined) {
      return (await runPod(cluster, "default", { ...pod, spec: withoutInput(pod) })).log;
    }
    // Its default is `node` alone, which runs what it is given to read.
    await cluster.create("default", pod);
    await cluster.until("default", name, ({ status }) => status?.phase === "Running", "running");
    await cluster.node.ok(["attach", "-i", name], { input: script });
    await cluster.until("default", name, ({ status }) => status?.phase === "Succeeded", "finished");
    return cluster.log("default", name);
  };

  test("should use the image defaults if command and args are blank", async () => {
    expect(await words("defaults", {})).toBe("default arguments\n");
  });

  test("should be able to override the image's default arguments (container cmd)", async () => {
    expect(await words("arguments", { args: ["-p", "'override arguments'"] })).toBe("override arguments\n");
  });

  test("should be able to override the image's default command (container entrypoint)", async () => {
    // The image's arguments belong to its own entrypoint, and go with it.
    expect(await words("entrypoint", { command: ["echo", "-n", "|"] })).toBe("|");
  });

  test("should be able to override the image's default command and arguments", async () => {
    expect(await words("both", { command: ["echo"], args: ["override", "arguments"] })).toBe(
      "override arguments\n",
    );
  });
});

function withoutInput(pod: object): object {
  const { containers, ...spec } = (pod as { spec: { containers: object[] } }).spec;
  return { ...spec, containers: containers.map((each) => ({ ...each, stdin: false, stdinOnce: false })) };
}
