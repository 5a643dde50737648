import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";

// [sig-node] Variable Expansion of Kubernetes' conformance suite.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const run = async (name: string, container: object, spec = {}) =>
  (await runPod(cluster, "default", scriptPod(name, "env", spec, container))).log;
const volumes = [{ name: "workdir", emptyDir: {} }];
const fromAnnotation = (key: string) => ({
  name: "ANNOTATION",
  valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${key}']` } },
});
const subPathExpr = (expression: string, env: object[]) => ({
  env,
  volumeMounts: [
    { name: "workdir", mountPath: "/logs", subPathExpr: expression },
    { name: "workdir", mountPath: "/all" },
  ],
});

/** Waits until the pod's container is refused for its configuration, and returns why. */
async function refusal(pod: string): Promise<string | undefined> {
  const stuck = await cluster.until(
    "default",
    pod,
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
    "refused",
  );
  return stuck.status?.containerStatuses?.[0]?.state?.waiting?.message;
}

describe("[sig-node] Variable Expansion", () => {
  test("should allow composing env vars into new env vars", async () => {
    const env = [
      { name: "FOO", value: "foo-value" },
      { name: "BAR", value: "bar-value" },
      { name: "FOOBAR", value: "$(FOO);;$(BAR)" },
    ];
    expect(await run("composing", { env })).toContain("FOOBAR=foo-value;;bar-value\n");
  });

  test("should allow substituting values in a container's command", async () => {
    const command = ["sh", "-c", 'TEST_VAR=wrong echo "$(TEST_VAR)"'];
    expect(await run("command", { command, env: [{ name: "TEST_VAR", value: "test-value" }] })).toBe(
      "test-value\n",
    );
  });

  test("should allow substituting values in a container's args", async () => {
    const container = {
      command: ["sh", "-c"],
      args: ['TEST_VAR=wrong echo "$(TEST_VAR)"'],
      env: [{ name: "TEST_VAR", value: "test-value" }],
    };
    expect(await run("args", container)).toBe("test-value\n");
  });

  test("should allow substituting values in a volume subpath", async () => {
    const container = {
      command: ["sh", "-c", "test -d /all/foo && echo folder; touch /logs/test.log; ls /all/foo"],
      ...subPathExpr("$(POD_NAME)", [{ name: "POD_NAME", value: "foo" }]),
    };
    expect(await run("subpath", container, { volumes })).toBe("folder\ntest.log\n");
  });

  test("should fail substituting values in a volume subpath with backticks", async () => {
    const container = subPathExpr("$(POD_NAME)", [{ name: "POD_NAME", value: ".." }]);
    await cluster.create("default", scriptPod("backticks", "true", { volumes } as never, container));
    expect(await refusal("backticks")).toBe("unable to provision SubPath `..`: must not contain '..'");
  });

  test("should fail substituting values in a volume subpath with absolute path", async () => {
    const container = subPathExpr("$(POD_NAME)", [{ name: "POD_NAME", value: "/tmp" }]);
    await cluster.create("default", scriptPod("absolute", "true", { volumes } as never, container));
    expect(await refusal("absolute")).toBe("error SubPath `/tmp` must not be an absolute path");
  });

  test("should verify that a failing subpath expansion can be modified during the lifecycle of a container", async () => {
    const container = subPathExpr("$(ANNOTATION)/$(POD_NAME)", [
      { name: "POD_NAME", value: "foo" },
      fromAnnotation("mysubpath"),
    ]);
    const pod = scriptPod("late", "sleep 1000", { volumes } as never, container);
    await cluster.create("default", { ...pod, metadata: { name: "late", annotations: { other: "mypath" } } });
    expect(await refusal("late")).toBe("missing value for ANNOTATION");
    await cluster.patch("default", "Pod", "late", { metadata: { annotations: { mysubpath: "mypath" } } });
    const ready = await cluster.until(
      "default",
      "late",
      ({ status }) => status?.phase === "Running",
      "running",
    );
    expect(ready.status?.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  test("should succeed in writing subpaths in container", async () => {
    const container = {
      ...subPathExpr("$(ANNOTATION)/$(POD_NAME)", [
        { name: "POD_NAME", value: "foo" },
        fromAnnotation("mysubpath"),
      ]),
    };
    const script = "touch /all/mypath/foo/test.log && test -f /logs/test.log && echo same; sleep 1000";
    const pod = scriptPod("writing", script, { volumes } as never, container);
    const metadata = { name: "writing", annotations: { mysubpath: "mypath" } };
    await cluster.create("default", { ...pod, metadata });
    await cluster.logged("default", "writing", "same");
    await cluster.patch("default", "Pod", "writing", {
      metadata: { annotations: { mysubpath: "mynewpath" } },
    });
    const output = await cluster.node.ok(["exec", "writing", "--", "sh", "-c", "ls /all; ls /logs"]);
    expect(output).toBe("mypath\ntest.log\n");
  });
});

test("variables of a file in a volume", async () => {
  const file = "FIRST='one'\n# comment\nSECOND='two\nlines' # more\nEMPTY=\n";
  const fileKeyRef = (key: string, optional = false) => ({
    name: `${key}_SEEN`,
    valueFrom: { fileKeyRef: { volumeName: "config", path: "config.env", key, optional } },
  });
  const pod = scriptPod(
    "env-file",
    'echo "$FIRST_SEEN, $SECOND_SEEN, $(printenv NONE_SEEN || echo none)"',
    {
      volumes: [{ name: "config", emptyDir: {} }],
      initContainers: [
        {
          name: "write",
          image: "peapod.dev/host",
          command: ["sh", "-c", 'printf %s "$TEXT" > /config/config.env'],
          env: [{ name: "TEXT", value: file }],
          volumeMounts: [{ name: "config", mountPath: "/config" }],
        },
      ],
    },
    { env: [fileKeyRef("FIRST"), fileKeyRef("SECOND"), fileKeyRef("NONE", true)] },
  );
  expect(await runPod(cluster, "default", pod)).toEqual({
    phase: "Succeeded",
    log: "one, two\nlines, none\n",
  });
});
