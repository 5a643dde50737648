import { once } from "node:events";
import { readFileSync } from "node:fs";
import { quietScope } from "../../src/base/scope.ts";
import type { Layout } from "../../src/host/layout.ts";
import { createRuntime, newContainerID } from "../../src/runtime/runtime-service.ts";
import type { ContainerConfig, Sandbox } from "../../src/runtime/types.ts";

/** Says when it is ready; told to begin, creates, starts, stops and removes containers, once or until it is killed. */
const [, , inputFile = "", runtimeName = "crun", rounds = "without end"] = process.argv;
const input = JSON.parse(readFileSync(inputFile, "utf8")) as {
  layout: Layout;
  sandbox: Sandbox;
  configs: ContainerConfig[];
};
const scope = quietScope();
const unused = () => Promise.reject(new Error("not used"));
const sandboxes = {
  create: unused,
  writeFiles: () => {},
  remove: unused,
  list: () => [],
  allocate: () => {},
  adopt: () => {},
  resize: () => {},
};
const runtime = await createRuntime({ layout: input.layout, runtime: runtimeName, sandboxes, scope });
await runtime.start(scope);
process.stdout.write("ready\n");
await once(process.stdin, "data");
await Promise.all(
  input.configs.map(async (config) => {
    do {
      const id = newContainerID();
      await runtime.createContainer(id, input.sandbox, config, scope);
      await runtime.startContainer(id, scope);
      await runtime.stopContainer(id, 0, scope);
      await runtime.removeContainer(id, scope);
    } while (rounds !== "once");
  }),
);
await runtime.stop();
process.stdin.destroy();
