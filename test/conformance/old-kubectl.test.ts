import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { oldKubectl } from "../../tools/kubernetes-clients/kubernetes-clients.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";

/** Debian's kubectl 1.20: plain discovery, validation and merging by OpenAPI 2, older media types. */

const podFile = join(import.meta.dirname, "../fixtures/kubectl/pod.yaml");
const podText = readFileSync(podFile, "utf8");

let node: TestNode;
let kubectl: Client;

beforeAll(async () => {
  node = await testNode();
  kubectl = (await clientsOf(node)).client(oldKubectl());
});
afterAll(() => node?.close());

test("apply, change, wait, look, remove", async () => {
  expect(await kubectl.ok(["version", "--short"])).toMatch(
    /^Client Version: v1\.20\.\d+\nServer Version: v1\.36/,
  );
  expect(await kubectl.ok(["apply", "-f", podFile])).toBe("pod/web created\n");
  expect(await kubectl.ok(["wait", "--for=condition=Ready", "pod/web", "--timeout=60s"])).toBe(
    "pod/web condition met\n",
  );
  expect(await kubectl.ok(["apply", "-f", "-"], { input: podText.replace("app: web", "app: shop") })).toBe(
    "pod/web configured\n",
  );
  expect(await kubectl.ok(["get", "pods", "-L", "app"])).toMatch(/^web +2\/2 +Running +0 +\d+s +shop$/m);
  expect(await kubectl.ok(["describe", "pod", "web"])).toMatch(/^Status: +Running$/m);
  expect(await kubectl.ok(["logs", "web", "-c", "server"])).toBe("serving\n");
  expect(await kubectl.ok(["exec", "web", "-c", "server", "--", "echo", "by", "SPDY"])).toBe("by SPDY\n");
  expect(await kubectl.ok(["label", "pod", "web", "tier=front"])).toBe("pod/web labeled\n");
  expect(await kubectl.ok(["delete", "-f", podFile])).toBe('pod "web" deleted\n');
});

test("validates by itself what it is given", async () => {
  const { exitCode, stderr } = await kubectl.run(["apply", "-f", "-"], {
    input: podText.replace("image:", "imagge:"),
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    'ValidationError(Pod.spec.containers[0]): unknown field "imagge" in io.k8s.api.core.v1.Container',
  );
});

test("explains fields, creates and lists configuration", async () => {
  expect(await kubectl.ok(["explain", "pod.spec.containers.livenessProbe"])).toContain(
    "Periodic probe of container liveness.",
  );
  expect(await kubectl.ok(["create", "configmap", "c", "--from-literal=a=b"])).toBe("configmap/c created\n");
  expect(await kubectl.ok(["get", "configmap", "c", "-o", "jsonpath={.data.a}"])).toBe("b");
  expect(await kubectl.ok(["api-resources"])).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
});
