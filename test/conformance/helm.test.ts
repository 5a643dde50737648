import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";

const chart = join(import.meta.dirname, "../fixtures/charts/greeter");

let node: TestNode;
let kubectl: Client;
let helm: Client;

beforeAll(async () => {
  node = await testNode();
  ({ kubectl, helm } = await clientsOf(node));
});
afterAll(() => node?.close());

async function greeting(release: string): Promise<string> {
  return kubectl.ok(["get", "configmap", `${release}-words`, "-o", "jsonpath={.data.greeting}"]);
}

// Helm 4 applies on the server unless it is told otherwise; Helm 3 merged by itself.
describe.each([
  ["applied by the server", "modern", "--server-side=true"],
  ["merged by the client", "classic", "--server-side=false"],
])("a release %s", (_case, release, mode) => {
  const waiting = [mode, "--wait", "--timeout=60s"];

  test("install waits for the pod", async () => {
    const text = await helm.ok(["install", release, chart, ...waiting]);
    expect(text).toMatch(/^STATUS: deployed$/m);
    expect(text).toContain(`${release} says hello.`);
    expect(await kubectl.ok(["get", "pod", release, "-o", "jsonpath={.status.phase}"])).toBe("Running");
    expect(await kubectl.ok(["get", "pod", release, "-o", "jsonpath={.metadata.labels}"])).toContain(
      '"app.kubernetes.io/managed-by":"Helm"',
    );
    expect(
      await kubectl.ok(["get", "secret", `${release}-password`, "-o", "jsonpath={.data.password}"]),
    ).toBe(Buffer.from("sesame").toString("base64"));
    const [listed] = JSON.parse(await helm.ok(["list", "-o", "json", "--filter", release]));
    expect(listed).toMatchObject({
      name: release,
      revision: "1",
      status: "deployed",
      chart: "greeter-0.1.0",
    });
  });

  test("upgrade changes what the values change, and nothing else", async () => {
    const uid = await kubectl.ok(["get", "pod", release, "-o", "jsonpath={.metadata.uid}"]);
    const text = await helm.ok(["upgrade", release, chart, "--set=greeting=moin", ...waiting]);
    expect(text).toContain(`Release "${release}" has been upgraded.`);
    expect(await greeting(release)).toBe("moin");
    expect(await kubectl.ok(["get", "pod", release, "-o", "jsonpath={.metadata.labels.greeting}"])).toBe(
      "moin",
    );
    expect(await kubectl.ok(["get", "pod", release, "-o", "jsonpath={.metadata.uid}"])).toBe(uid);
  });

  test("rollback goes back", async () => {
    expect(await helm.ok(["rollback", release, "1", "--wait", "--timeout=60s"])).toBe(
      "Rollback was a success! Happy Helming!\n",
    );
    expect(await greeting(release)).toBe("hello");
    const history = JSON.parse(await helm.ok(["history", release, "-o", "json"])) as {
      revision: number;
      status: string;
    }[];
    expect(history.map(({ revision, status }) => [revision, status])).toEqual([
      [1, "superseded"],
      [2, "superseded"],
      [3, "deployed"],
    ]);
  });

  test("an upgrade that the API refuses leaves the release as it was", async () => {
    const failed = await helm.run(["upgrade", release, chart, "--set=image=", mode]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("spec.containers[0].image");
    expect(await greeting(release)).toBe("hello");
  });

  test("uninstall removes everything", async () => {
    expect(await helm.ok(["uninstall", release, "--wait"])).toBe(`release "${release}" uninstalled\n`);
    const left = await kubectl.ok([
      "get",
      "pods,configmaps,secrets",
      "-l",
      `app.kubernetes.io/instance=${release}`,
      "-o",
      "name",
    ]);
    expect(left).toBe("");
    expect(await helm.ok(["list", "-q", "--all-namespaces"])).toBe("");
  });
});
