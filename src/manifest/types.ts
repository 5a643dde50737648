import type { KubernetesObject, Pod, PodSpec } from "../kube/types.ts";

/** Where something stands in a manifest: 1-based line and column, as editors count. */
export interface Position {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/**
 * One thing wrong with a manifest. Printed as
 * `pod.yaml:14:5: spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535`.
 */
export interface ManifestProblem {
  readonly severity: "error" | "warning";
  /** Absent where the object came over the wire as JSON and has no lines. */
  readonly position: Position | undefined;
  /** Path of the field as Kubernetes writes it; empty when the document as a whole is meant. */
  readonly field: string;
  /**
   * Kind of the problem in the API's words: `FieldValueInvalid`, `FieldValueRequired`,
   * `FieldValueDuplicate`, `FieldValueForbidden`, `FieldValueNotSupported`, `FieldValueNotFound`,
   * `FieldValueTooLong`, `FieldValueTypeInvalid`, `UnknownField`, `Syntax`, `Unsupported`
   * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field#ErrorType).
   */
  readonly reason: string;
  /** What is wrong and what is allowed, without field path and position. */
  readonly message: string;
}

declare const valid: unique symbol;

/**
 * A pod that was decoded strictly (no unknown field, every type right), defaulted and validated as the API
 * server does it. Only `manifest/` makes one, so a function that takes one need not look again.
 */
export type ValidPod = Pod & { metadata: { name?: string; generateName?: string }; spec: PodSpec } & {
  readonly [valid]: true;
};

/** One object of a manifest, with the position of each of its fields. */
export interface ManifestObject {
  readonly object: Omit<KubernetesObject, "metadata"> & { metadata: Pod["metadata"] };
  /** Position of a field's key (or a list item's first character); falls back to the nearest parent. */
  positionOf(fieldPath: string): Position;
}

/** All that could be read of one file (or stdin, or URL). */
export interface ManifestFile {
  readonly objects: readonly ManifestObject[];
  readonly problems: readonly ManifestProblem[];
}
