import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fieldsOf, kubernetesKinds, type WireType } from "./field-table.ts";
import { fieldTable } from "./generated/field-table.ts";

test("names, types and what is required", () => {
  const port = fieldsOf("ContainerPort");
  expect(port?.get("containerPort")).toEqual({
    name: "containerPort",
    required: true,
    type: { kind: "int32" },
  });
  expect(port?.get("protocol")?.type).toEqual({ kind: "string", values: ["SCTP", "TCP", "UDP"] });
  expect(fieldsOf("PodSpec")?.get("containers")?.type).toEqual({
    kind: "list",
    element: { kind: "ref", type: "Container" },
  });
  expect(fieldsOf("ResourceRequirements")?.get("limits")?.type).toEqual({
    kind: "map",
    element: { kind: "Quantity" },
  });
  expect(fieldsOf("SecurityContext")?.get("runAsUser")?.type).toEqual({ kind: "int64" });
  expect(fieldsOf("HTTPGetAction")?.get("port")?.type).toEqual({ kind: "IntOrString" });
  expect(fieldsOf("Nonsense")).toBeUndefined();
});

test("every reference leads to a type of the table", () => {
  const target = (type: WireType): string | undefined =>
    type.kind === "ref"
      ? type.type
      : type.kind === "list" || type.kind === "map"
        ? target(type.element)
        : undefined;
  for (const name of Object.keys(fieldTable)) {
    for (const field of fieldsOf(name)?.values() ?? []) {
      const reference = target(field.type);
      if (reference !== undefined) expect(fieldTable, `${name}.${field.name}`).toHaveProperty(reference);
    }
  }
});

test("knows the kinds that it cannot read, too", () => {
  expect(kubernetesKinds()).toContainEqual(["v1", "ConfigMap"]);
  expect(kubernetesKinds()).toContainEqual(["apps/v1", "Deployment"]);
});

test("stays small, because every start of the CLI reads it", () => {
  expect(statSync(join(import.meta.dirname, "generated/field-table.ts")).size).toBeLessThan(150_000);
});
