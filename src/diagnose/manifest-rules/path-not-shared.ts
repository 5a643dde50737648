import type { PodSpec } from "../../kube/types.ts";
import { canonicalPath, isBelow, resolvePath } from "../mounted-path.ts";
import { namedPaths } from "../named-paths.ts";
import { type ContainerView, pairs } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";
import { textsOf } from "../texts.ts";

export const pathNotShared: ManifestRule = {
  id: "path-not-shared",
  severity: "warning",
  title: "Two containers name the same socket or pipe, but it is not the same file",
  reality:
    "Each container has its own root file system; the same path in two containers is two files. Only what lies " +
    "below a volume that **both** containers mount is shared, and then by the volume, not by the path: the mount " +
    "paths may differ. (Abstract sockets, written `@name`, have no file: they belong to the pod's network namespace.)",
  fix: "Mount one `emptyDir` volume in both containers at the folder that holds the file.",
  scope:
    "Two containers that run at the same time name the same absolute path of a socket (`….sock`, `….socket`), or of " +
    "a pipe that one of them makes with `mkfifo`, and by their mounts it leads to two different files. Two " +
    "containers of the same image may well have private sockets at equal paths: for them only pipes count. Quiet when the path lies below the path of a `hostPath` volume: it may be meant as the host's.",
  upstream:
    "https://kubernetes.io/docs/tasks/access-application-cluster/communicate-containers-same-pod-shared-volume/",
  check({ spec, running }) {
    return pairs(running).flatMap(([first, second]) => {
      const named = [...namedPaths(first), ...namedPaths(second)];
      const twins = first.container.image === second.container.image;
      const paths = new Map(named.map(({ path, kind }) => [canonicalPath(path), { path, kind }]));
      return [...paths.values()].flatMap(({ path, kind }) => {
        if (twins && kind === "socket") return [];
        const fields = [fieldNaming(first, path), fieldNaming(second, path)] as const;
        if (fields[0] === undefined || fields[1] === undefined) return [];
        const places = [resolvePath(first, path, spec), resolvePath(second, path, spec)] as const;
        if (places[0].key === places[1].key || isPathOfHost(path, spec)) return [];
        return [
          {
            field: fields[1],
            message:
              `containers "${first.name}" and "${second.name}" both name the ${kind} ${path}, but the first has it ` +
              `${placeText(places[0].volume)} and the second ${placeText(places[1].volume)}`,
            related: [fields[0]],
          },
        ];
      });
    });
  },
};

/** The field that names the path, alone or in a longer text. */
function fieldNaming(view: ContainerView, path: string): string | undefined {
  const wanted = canonicalPath(path);
  return textsOf(view).find(({ text }) =>
    [...text.matchAll(/\/[\w./-]*\w/g)].some(
      ([word]) => canonicalPath(word.replace(/^\/\/+/, "/")) === wanted,
    ),
  )?.field;
}

/** Whether the path may be meant as one of the host, as the kubelet or a CSI driver's registrar is told. */
function isPathOfHost(path: string, { volumes }: PodSpec): boolean {
  return (volumes ?? []).some(
    ({ hostPath }) => hostPath !== undefined && isBelow(canonicalPath(path), canonicalPath(hostPath.path)),
  );
}

function placeText(volume: string | undefined): string {
  return volume === undefined ? "in its own root file system" : `in volume "${volume}"`;
}
