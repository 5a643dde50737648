import { describe, expect, test } from "vitest";
import { openStore } from "../../store/sqlite-store.ts";
import { requestAttributes } from "./attributes.ts";
import { authorize, isAllowed } from "./authorize.ts";
import { authenticatedGroup, mastersGroup, type User } from "./user.ts";

describe("attributes of a request", () => {
  test.each([
    ["GET", "/api/v1/namespaces/a/pods", "list", "", "pods", "a", ""],
    ["GET", "/api/v1/namespaces/a/pods?watch=1", "watch", "", "pods", "a", ""],
    ["GET", "/api/v1/pods", "list", "", "pods", "", ""],
    ["GET", "/api/v1/namespaces/a/pods/p", "get", "", "pods", "a", "p"],
    ["GET", "/api/v1/namespaces/a/pods/p/log", "get", "", "pods/log", "a", "p"],
    ["POST", "/api/v1/namespaces/a/pods/p/exec", "create", "", "pods/exec", "a", "p"],
    ["GET", "/api/v1/namespaces/a/pods/p/exec?command=x", "create", "", "pods/exec", "a", "p"],
    ["GET", "/api/v1/namespaces/a/pods/p/portforward", "create", "", "pods/portforward", "a", "p"],
    ["DELETE", "/api/v1/namespaces/a/pods", "deletecollection", "", "pods", "a", ""],
    ["GET", "/api/v1/namespaces/a", "get", "", "namespaces", "a", "a"],
    ["PUT", "/api/v1/namespaces/a/status", "update", "", "namespaces/status", "a", "a"],
    ["PATCH", "/apis/apps/v1/namespaces/a/deployments/d", "patch", "apps", "deployments", "a", "d"],
    ["GET", "/api/v1/namespaces/a/secrets/%2e%2e", "get", "", "secrets", "a", ".."],
  ])("%s %s", (method, url, verb, group, resource, namespace, name) => {
    expect(requestAttributes(method, url)).toEqual({
      kind: "resource",
      verb,
      group,
      resource,
      namespace,
      name,
    });
  });

  test.each(["/version", "/api", "/api/v1", "/apis/apps/v1", "/metrics", "/"])("%s is a path", (path) => {
    expect(requestAttributes("GET", path)).toEqual({ kind: "path", verb: "get", path });
  });
});

describe("RBAC", () => {
  const store = openStore(":memory:");
  const rbac = "rbac.authorization.k8s.io/v1";
  const account: User = { name: "system:serviceaccount:a:reader", groups: [authenticatedGroup] };
  const rules = [{ apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "list"] }];
  store.create("roles.rbac.authorization.k8s.io", {
    apiVersion: rbac,
    kind: "Role",
    metadata: { name: "pods", namespace: "a" },
    rules,
  });
  store.create("rolebindings.rbac.authorization.k8s.io", {
    apiVersion: rbac,
    kind: "RoleBinding",
    metadata: { name: "pods", namespace: "a" },
    subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "a" }],
    roleRef: { kind: "Role", name: "pods" },
  });

  test.each([
    ["GET", "/api/v1/namespaces/a/pods", true],
    ["GET", "/api/v1/namespaces/a/pods/p/log", true],
    ["GET", "/version", true],
    ["GET", "/api/v1/namespaces/a/pods?watch=true", false],
    ["GET", "/api/v1/namespaces/a/secrets", false],
    ["GET", "/api/v1/namespaces/b/pods", false],
    ["GET", "/api/v1/pods", false],
    ["POST", "/api/v1/namespaces/a/pods/p/exec", false],
    ["GET", "/metrics", false],
  ])("a bound account: %s %s %s", (method, url, allowed) => {
    expect(isAllowed(account, requestAttributes(method, url), store)).toBe(allowed);
  });

  test("a cluster role has the rules of those that it aggregates", () => {
    const store = openStore(":memory:");
    const create = (plural: string, kind: string, name: string, more: object, labels = {}) =>
      store.create(`${plural}.rbac.authorization.k8s.io`, {
        apiVersion: rbac,
        kind,
        metadata: { name, labels },
        ...more,
      });
    const selector = { matchLabels: { part: "yes" } };
    create("clusterroles", "ClusterRole", "whole", {
      aggregationRule: { clusterRoleSelectors: [selector] },
      rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }],
    });
    create("clusterroles", "ClusterRole", "part", { rules }, { part: "yes" });
    create("clusterroles", "ClusterRole", "other", {
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }],
    });
    create("clusterrolebindings", "ClusterRoleBinding", "b", {
      subjects: [{ kind: "User", name: "jane" }],
      roleRef: { kind: "ClusterRole", name: "whole" },
    });
    const jane: User = { name: "jane", groups: [authenticatedGroup] };
    const may = (url: string) => isAllowed(jane, requestAttributes("GET", url), store);
    expect(may("/api/v1/nodes/n")).toBe(true);
    expect(may("/api/v1/pods")).toBe(true);
    expect(may("/api/v1/secrets")).toBe(false);
  });

  test("masters may do everything", () => {
    const admin: User = { name: "admin", groups: [mastersGroup] };
    expect(isAllowed(admin, requestAttributes("DELETE", "/api/v1/nodes/n"), store)).toBe(true);
  });

  test("a refusal says who may not do what where", () => {
    const attributes = requestAttributes("GET", "/api/v1/namespaces/a/secrets");
    expect(() => authorize(account, attributes, store)).toThrow(
      'secrets is forbidden: User "system:serviceaccount:a:reader" cannot list resource "secrets" in API group "" in the namespace "a"',
    );
  });
});
