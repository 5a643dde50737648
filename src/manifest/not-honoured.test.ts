import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fieldsOf, type WireType } from "../kube/field-table.ts";
import { notHonoured } from "./not-honoured.ts";

/** The type that a path below `spec` leads to; undefined where Kubernetes has no such field. */
function typeAt(path: string): WireType | undefined {
  let type: WireType | undefined = { kind: "ref", type: "PodSpec" };
  for (const step of path.split(".")) {
    if (type?.kind !== "ref") return undefined;
    type = fieldsOf(type.type)?.get(step.replace("[]", ""))?.type;
    if (step.endsWith("[]")) type = type?.kind === "list" ? type.element : undefined;
  }
  return type;
}

test.each(notHonoured.map(({ path }) => path))("%s is a field of Kubernetes", (path) => {
  expect(typeAt(path)).toBeDefined();
});

test("every volume type is honoured or on the list", () => {
  const listed = new Set(notHonoured.map(({ path }) => path));
  const types = [...(fieldsOf("Volume")?.keys() ?? [])].filter((name) => name !== "name");
  const neither = types.filter((type) => !listed.has(`volumes[].${type}`));
  const mountable = [
    ...["configMap", "downwardAPI", "emptyDir", "ephemeral", "hostPath"],
    ...["image", "persistentVolumeClaim", "projected", "secret"],
  ];
  expect(neither).toEqual(mountable);
});

test("the reference names every one of them", () => {
  const reference = readFileSync(join(import.meta.dirname, "../../docs/reference/manifests.md"), "utf8");
  const missing = notHonoured.filter(({ path, instead }) => {
    return !reference.includes(`| \`${path}\` |`) || !reference.includes(instead);
  });
  expect(missing.map(({ path }) => path)).toEqual([]);
});
