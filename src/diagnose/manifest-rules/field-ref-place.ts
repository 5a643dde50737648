import { type PodView, pathIn } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";

/** What only environment variables can show, because a file of it could not be kept up to date. */
const variablesOnly = /^(?:spec\.(?:nodeName|serviceAccountName)|status\.(?:hostIP|hostIPs|podIP|podIPs))$/;
const filesOnly = /^metadata\.(?:labels|annotations)$/;

export const fieldRefPlace: ManifestRule = {
  id: "field-ref-place",
  severity: "error",
  title: "A pod's field is asked for in a place that can't show it",
  reality:
    "The downward API has two lists of fields. Environment variables show `metadata.name`, `.namespace`, `.uid`, single labels and " +
    "annotations (`metadata.labels['KEY']`), `spec.nodeName`, `spec.serviceAccountName`, `status.hostIP(s)` and `status.podIP(s)`. Volume files " +
    "show the `metadata` fields only, and all labels or annotations at once. The API server refuses a field in the " +
    "wrong place.",
  fix: "Take a node name or an address from a variable, and whole labels or annotations from a file of a `downwardAPI` volume.",
  scope:
    "`metadata.labels` or `metadata.annotations` without a key in `env`, or `spec.…` or `status.…` in a `downwardAPI` " +
    "volume or a projected one.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#available-fields",
  check(pod) {
    return [...inVariables(pod), ...inFiles(pod)];
  },
};

function inVariables({ containers }: PodView): Observation[] {
  return containers.flatMap((view) =>
    (view.container.env ?? []).flatMap(({ name, valueFrom }, index) => {
      const wanted = valueFrom?.fieldRef?.fieldPath ?? "";
      if (!filesOnly.test(wanted)) return [];
      return [
        {
          field: `${pathIn(view, "env", index)}.valueFrom.fieldRef.fieldPath`,
          message: `variable ${name} of container "${view.name}" can't show all of ${wanted}, only one by its key`,
          fix: `Write \`${wanted}['KEY']\`, or use a file of a \`downwardAPI\` volume for all of them.`,
        },
      ];
    }),
  );
}

function inFiles({ spec }: PodView): Observation[] {
  return (spec.volumes ?? []).flatMap((volume, index) => {
    const path = `spec.volumes[${index}]`;
    const lists = [
      { path: `${path}.downwardAPI`, items: volume.downwardAPI?.items },
      ...(volume.projected?.sources ?? []).map((source, number) => ({
        path: `${path}.projected.sources[${number}].downwardAPI`,
        items: source.downwardAPI?.items,
      })),
    ];
    return lists.flatMap((list) =>
      (list.items ?? []).flatMap((item, number) => {
        const wanted = item.fieldRef?.fieldPath ?? "";
        if (!variablesOnly.test(wanted)) return [];
        return [
          {
            field: `${list.path}.items[${number}].fieldRef.fieldPath`,
            message: `file ${item.path} of volume "${volume.name}" can't show ${wanted}; only an environment variable can`,
            fix: "Use an environment variable with `valueFrom.fieldRef` in its place.",
          },
        ];
      }),
    );
  });
}
