import { parseQuantity, quantityValue } from "../../kube/quantity.ts";
import type { PodSpec } from "../../kube/types.ts";
import { type ContainerView, pathIn } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";

export const memoryVolumeLimit: ManifestRule = {
  id: "memory-volume-limit",
  severity: "warning",
  title: "A volume in memory is larger than the memory of the container that fills it",
  reality:
    "An `emptyDir` with `medium: Memory` is a tmpfs: what is written to it is memory of the container that writes, " +
    "and counts against that container's limit until the file is deleted, also after the container restarted. At the limit the kernel kills the " +
    "container (OOMKilled), although the volume isn't full. Over `sizeLimit` a write gets `No space left on device`. Without `sizeLimit` the " +
    "volume may grow to the pod's memory limit or, without one, to all memory of the node.",
  fix: "Set `sizeLimit`, and the memory limit of every container that writes to the volume to more than that.",
  scope:
    "A container has a memory limit that is not above the `sizeLimit` of a volume in memory that it may write to. As " +
    "mere information: there is no `sizeLimit`, and no memory limit of the container either.",
  upstream:
    "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#memory-backed-emptydir",
  check({ spec, containers }) {
    return (spec.volumes ?? []).flatMap((volume, index) => {
      if (volume.emptyDir?.medium !== "Memory") return [];
      const path = `spec.volumes[${index}]`;
      const size = bytes(volume.emptyDir.sizeLimit);
      const writers = containers.filter((view) =>
        (view.container.volumeMounts ?? []).some(
          ({ name, readOnly }) => name === volume.name && readOnly !== true,
        ),
      );
      if (size === undefined) {
        const free = writers.find((view) => memoryLimit(view, spec) === undefined);
        return free === undefined ? [] : [unbounded(path, volume.name, free)];
      }
      return writers.flatMap((view) => {
        const limit = memoryLimit(view, spec);
        if (limit === undefined || limit > size) return [];
        return [
          {
            field: pathIn(view, "resources"),
            message:
              `container "${view.name}" may use ${mebibytes(limit)} of memory, and volume "${volume.name}" ` +
              `(${mebibytes(size)}) is part of it: filling the volume kills the container`,
            related: [`${path}.emptyDir.sizeLimit`],
          },
        ];
      });
    });
  },
};

function unbounded(path: string, name: string | undefined, view: ContainerView): Observation {
  return {
    field: `${path}.emptyDir`,
    severity: "info",
    message: `volume "${name}" in memory has no sizeLimit, and container "${view.name}" no memory limit: it can fill the node's memory`,
  };
}

function memoryLimit(view: ContainerView, spec: PodSpec): bigint | undefined {
  return bytes(view.container.resources?.limits?.memory) ?? bytes(spec.resources?.limits?.memory);
}

/** Zero means that there is no limit. */
function bytes(quantity: string | number | undefined): bigint | undefined {
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  const value = parsed === undefined ? 0n : quantityValue(parsed);
  return value > 0n ? value : undefined;
}

function mebibytes(value: bigint): string {
  return `${Math.round((Number(value) / 2 ** 20) * 10) / 10} MiB`;
}
