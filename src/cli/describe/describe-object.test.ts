import { expect, test } from "vitest";
import type { KubernetesObject } from "../../kube/types.ts";
import { describeObject } from "./describe-object.ts";

test("an object of a kind without words of its own: every field, keys of maps as they are", () => {
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      namespace: "shop",
      labels: { "app.kubernetes.io/name": "web" },
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: { spec: { containers: [{ name: "a", command: ["sh", "-c"] }, { name: "b" }] } },
    },
  };
  expect(describeObject(object as unknown as KubernetesObject, [], 0)).toBe(`\
Name:         web
Namespace:    shop
Labels:       app.kubernetes.io/name=web
Annotations:  <none>
API Version:  apps/v1
Kind:         Deployment
Created:      2026-01-01T00:00:00Z
Spec:
  Replicas:  2
  Selector:
    Match Labels:  app=web
  Template:
    Spec:
      Containers:
        Name:     a
        Command:  sh
                  -c

        Name:     b
Events:  <none>
`);
});

test("a Secret's values are only counted", () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { key: "aGVsbG8=" } };
  const text = describeObject(secret as unknown as KubernetesObject, [], 0);
  expect(text).toContain("key:  5 bytes");
  expect(text).not.toContain("aGVsbG8=");
});
