import { describe, expect, test } from "vitest";
import type { Image, ImageConfig } from "../images/types.ts";
import type { Container, StoredPod } from "../kube/types.ts";
import { containerConfig } from "./container-config.ts";

const pod = { metadata: { name: "p", namespace: "default", uid: "u" }, spec: { containers: [] } };

function config(container: Partial<Container>, image: Partial<ImageConfig> = {}) {
  const full: Image = {
    id: "sha256:i",
    names: [],
    digests: ["docker.io/library/x@sha256:d"],
    size: 1,
    config: {
      entrypoint: ["/entry"],
      cmd: ["default"],
      env: [],
      workingDir: "",
      user: "",
      stopSignal: undefined,
      exposedPorts: [],
      volumes: [],
      ...image,
    },
  };
  return containerConfig({
    pod: pod as unknown as StoredPod,
    container: { name: "c", image: "x", ...container },
    attempt: 0,
    image: full,
    rootfs: "/rootfs",
    variables: new Map((container.env ?? []).map(({ name, value = "" }) => [name, value])),
    mounts: [],
    hostname: "p",
  });
}

describe("command line", () => {
  test.each([
    ["neither", {}, ["/entry", "default"]],
    ["args", { args: ["x"] }, ["/entry", "x"]],
    ["command", { command: ["run"] }, ["run"]],
    ["command and args", { command: ["run"], args: ["x"] }, ["run", "x"]],
  ])("with %s", (_case, container, line) => {
    expect(config(container).command).toEqual(line);
  });

  test("refers to the environment", () => {
    const env = [{ name: "WHO", value: "world" }];
    expect(config({ env, command: ["echo", "$(WHO)"], args: ["$$(WHO)"] }).command).toEqual([
      "echo",
      "world",
      "$(WHO)",
    ]);
  });

  test("is an error when nobody gives one", () => {
    expect(() => config({}, { entrypoint: [], cmd: [] })).toThrow(/no command specified/);
  });
});

test("environment: image, then hostname, then the container's own in order", () => {
  const env = [
    { name: "A", value: "1" },
    { name: "B", value: "2" },
    { name: "HOME", value: "/h" },
  ];
  const merged = config({ env }, { env: ["PATH=/bin", "HOME=/root"] }).env;
  expect(merged).toEqual(["PATH=/bin", "HOME=/h", "HOSTNAME=p", "A=1", "B=2"]);
});
