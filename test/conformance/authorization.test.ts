import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "../helpers/cluster.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { tlsClient } from "../helpers/tls-client.ts";

// Who may do what, as kubectl asks and changes it.

let cluster: Cluster;
let kubectl: Client;
let namespace: string;

beforeAll(async () => {
  cluster = await startCluster();
  ({ kubectl } = await clientsOf(cluster.node));
  namespace = await cluster.newNamespace();
  await kubectl.ok(["create", "serviceaccount", "robot", "-n", namespace]);
  const grants = ["--verb=get,list", "--resource=pods,pods/log,deployments.apps", "--resource-name=a"];
  await kubectl.ok(["create", "role", "named", "-n", namespace, ...grants]);
  await kubectl.ok([
    ...["create", "rolebinding", "named", "-n", namespace, "--role=named"],
    `--serviceaccount=${namespace}:robot`,
  ]);
});
afterAll(() => cluster?.close());

const robot = () => ["-n", namespace, `--as=system:serviceaccount:${namespace}:robot`];

describe("kubectl auth", () => {
  test.each([
    ["yes", ["get", "pods/a"]],
    ["no", ["get", "pods/b"]],
    ["no", ["list", "pods"]],
    ["yes", ["get", "pods/a", "--subresource=log"]],
    ["yes", ["get", "deployments.apps/a"]],
    ["no", ["create", "pods"]],
    ["no", ["get", "secrets"]],
    ["no", ["*", "*"]],
    ["yes", ["get", "/version"]],
    ["no", ["get", "/metrics"]],
  ])("can-i: %s %s", async (answer, question) => {
    const { stdout, exitCode } = await kubectl.run(["auth", "can-i", ...question, ...robot()]);
    expect(stdout.trim()).toBe(answer);
    expect(exitCode).toBe(answer === "yes" ? 0 : 1);
  });

  test("can-i of the administrator, and its list", async () => {
    expect(await kubectl.ok(["auth", "can-i", "*", "*", "--all-namespaces"])).toBe("yes\n");
    expect(await kubectl.ok(["auth", "can-i", "--list"])).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    const list = await kubectl.ok(["auth", "can-i", "--list", ...robot()]);
    expect(list).toMatch(/^pods\/log +\[\] +\[a\] +\[get list\]$/m);
    expect(list).toMatch(/^deployments\.apps +\[\] +\[a\] +\[get list\]$/m);
    expect(list).toMatch(/\[\/openid\/v1\/jwks\]/);
    expect(list).not.toContain("secrets");
  });

  test("whoami", async () => {
    const review = JSON.parse(await kubectl.ok(["auth", "whoami", "-o", "json"]));
    expect(review.status.userInfo).toEqual({
      username: "peapod-admin",
      groups: ["system:masters", "system:authenticated"],
    });
    expect(await kubectl.ok(["auth", "whoami"])).toContain("peapod-admin");
  });

  test("reconcile makes what is missing and adds what a role lacks", async () => {
    const role = (verbs: string) =>
      `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: made, namespace: ${namespace}}, rules: [{apiGroups: [""], resources: [pods], verbs: ${verbs}}]}`;
    const reconcile = (input: string) => kubectl.ok(["auth", "reconcile", "-f", "-"], { input });
    await reconcile(role("[get]"));
    await reconcile(role("[list]"));
    const { rules } = JSON.parse(await kubectl.ok(["get", "role", "made", "-n", namespace, "-o", "json"]));
    expect(rules.flatMap((rule: { verbs: string[] }) => rule.verbs).toSorted()).toEqual(["get", "list"]);
  });
});

describe("reviews", () => {
  const review = (kind: string, path: string, spec: object) =>
    cluster.call("POST", `/apis/authorization.k8s.io/v1/${path}`, {
      apiVersion: "authorization.k8s.io/v1",
      kind,
      spec,
    });
  const attributes = () => ({ namespace, verb: "get", resource: "pods", name: "a" });

  test("SubjectReview should support SubjectReview API operations: of somebody else, everywhere and in one namespace", async () => {
    const asked = { user: `system:serviceaccount:${namespace}:robot`, resourceAttributes: attributes() };
    const everywhere = await review("SubjectAccessReview", "subjectaccessreviews", asked);
    expect(everywhere).toMatchObject({ status: 201, body: { status: { allowed: true } } });
    const path = `namespaces/${namespace}/localsubjectaccessreviews`;
    const here = await review("LocalSubjectAccessReview", path, asked);
    expect(here.body.status).toEqual({ allowed: true });
    const groups = { groups: ["system:masters"], nonResourceAttributes: { verb: "get", path: "/metrics" } };
    const masters = await review("SubjectAccessReview", "subjectaccessreviews", groups);
    expect(masters.body.status.allowed).toBe(true);
  });

  test("of nothing, of nobody and of another namespace: 422", async () => {
    const path = "subjectaccessreviews";
    expect((await review("SubjectAccessReview", path, { user: "x" })).status).toBe(422);
    expect((await review("SubjectAccessReview", path, { resourceAttributes: attributes() })).status).toBe(
      422,
    );
    const elsewhere = { user: "x", resourceAttributes: { ...attributes(), namespace: "default" } };
    const local = `namespaces/${namespace}/localsubjectaccessreviews`;
    expect((await review("LocalSubjectAccessReview", local, elsewhere)).status).toBe(422);
  });
});

test("should return a 406 for a backend which does not implement metadata", async () => {
  const client = await tlsClient(cluster.node);
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const review = { spec: { resourceAttributes: { verb: "get", resource: "pods" } } };
  const answer = await client.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", client.admin, {
    method: "POST",
    body: Buffer.from(JSON.stringify(review)),
    headers: { accept, "content-type": "application/json" },
  });
  expect(answer).toMatchObject({ code: 406, reason: "NotAcceptable" });
});

describe("roles", () => {
  test("view, edit and admin are there to be bound, and are what they are called", async () => {
    const names = await kubectl.ok(["get", "clusterroles", "-o", "name"]);
    expect(names.match(/\/(\S+)/g)).toEqual(
      expect.arrayContaining(["/admin", "/cluster-admin", "/edit", "/view"]),
    );
    for (const [role, may, mayNot] of [
      ["view", ["get", "pods"], ["get", "secrets"]],
      ["edit", ["delete", "secrets"], ["create", "roles"]],
      ["admin", ["create", "rolebindings"], ["get", "nodes"]],
    ] as const) {
      const user = `--as=${role}er`;
      const binding = [
        "create",
        "rolebinding",
        role,
        "-n",
        namespace,
        `--clusterrole=${role}`,
        `--user=${role}er`,
      ];
      await kubectl.ok(binding);
      expect((await kubectl.run(["auth", "can-i", ...may, "-n", namespace, user])).stdout).toBe("yes\n");
      expect((await kubectl.run(["auth", "can-i", ...mayNot, "-n", namespace, user])).stdout).toBe("no\n");
      expect((await kubectl.run(["auth", "can-i", ...may, "-n", "default", user])).stdout).toBe("no\n");
    }
  });

  test("nobody gives away what he has not got", async () => {
    const admin = ["-n", namespace, "--as=adminer"];
    await kubectl.run([
      "create",
      "rolebinding",
      "adminer",
      "-n",
      namespace,
      "--clusterrole=admin",
      "--user=adminer",
    ]);
    await kubectl.ok(["create", "role", "mine", "--verb=get", "--resource=pods", ...admin]);
    const role = ["create", "role", "more", "--verb=get", "--resource=priorityclasses.scheduling.k8s.io"];
    const refused = await kubectl.run([...role, ...admin]);
    expect(refused.stderr).toContain("is attempting to grant RBAC permissions not currently held");
    const bind = ["create", "rolebinding", "up", "--clusterrole=cluster-admin", "--user=adminer"];
    expect((await kubectl.run([...bind, ...admin])).stderr).toContain("not currently held");
    const edited = await kubectl.run([
      ...["patch", "role", "mine", "--type=json", ...admin],
      ...[
        "-p",
        '[{"op": "replace", "path": "/rules/0/verbs", "value": ["*"]}, {"op": "replace", "path": "/rules/0/resources", "value": ["*"]}]',
      ],
    ]);
    expect(edited.stderr).toContain("not currently held");
  });
});
