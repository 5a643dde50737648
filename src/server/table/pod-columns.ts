import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { Column } from "../resource.ts";
import { textColumn } from "./columns.ts";

/** The containers, images and selector of `-o wide`. */
export function podColumns<T>(
  spec: (object: T) => IPodSpec | undefined,
  selector?: (object: T) => string,
): Column[] {
  const list = (object: T, part: "name" | "image") =>
    (spec(object)?.containers ?? []).map((container) => container[part] ?? "").join(",");
  const columns = [
    textColumn<T>("Containers", "Names of the containers.", (object) => list(object, "name"), { wide: true }),
    textColumn<T>("Images", "Images of the containers.", (object) => list(object, "image"), { wide: true }),
  ];
  if (selector === undefined) return columns;
  return [...columns, textColumn<T>("Selector", "Which pods are its own.", selector, { wide: true })];
}
