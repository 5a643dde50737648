import type { ManifestedPod } from "../manifest/read-pods.ts";

/** What the annotations of suppression begin with; the rule's id follows. */
export const suppressionPrefix = "peapod.dev/ignore.";

/** One annotation that asks for silence about a rule. */
export interface Suppression {
  readonly rule: string;
  /** Empty when none was given; the annotation then has no effect. */
  readonly reason: string;
  /** Path of the annotation in the object. */
  readonly field: string;
}

/** The suppressions that hold for a pod: those of its object and, for a template, those of the template. */
export function suppressionsOf({ metadata, path, pod }: ManifestedPod): Suppression[] {
  const places = [
    { annotations: metadata.annotations, path: "metadata.annotations" },
    ...(path === ""
      ? []
      : [{ annotations: pod.metadata?.annotations, path: `${path}.metadata.annotations` }]),
  ];
  return places.flatMap(({ annotations, path: parent }) =>
    Object.entries(annotations ?? {})
      .filter(([key]) => key.startsWith(suppressionPrefix))
      .map(([key, reason]) => ({
        rule: key.slice(suppressionPrefix.length),
        reason: reason.trim(),
        field: `${parent}[${key}]`,
      })),
  );
}
