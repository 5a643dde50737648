import type { PodSpec } from "../../kube/types.ts";
import { isBelow, resolvePath } from "../mounted-path.ts";
import { type ContainerView, pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";
import { commandsOf, type Words, withoutRedirections } from "../shell.ts";
import { findText, textsOf } from "../texts.ts";
import { isBaseImage, userOf } from "../user.ts";

export const volumeOwner: ManifestRule = {
  id: "volume-owner",
  severity: "warning",
  title: "A folder made by one user is to be written by another",
  reality:
    "The root of an `emptyDir` is writable for everybody, but a folder that a container makes in it belongs to that container's " +
    "user with mode 0755: others may not write there. `fsGroup` changes the group of the volume's root and what is inherited from it, not the missing " +
    "write permission of the group.",
  fix: "Run the init container as the same user, or let it `chown`/`chmod` the folder (`install -d -m 0775 FOLDER`).",
  scope:
    "An init container only makes folders in a volume (`mkdir`, nothing that fills them), as root or a user known by `runAsUser`, without `chmod`, `chown`, " +
    "`umask` or `-m`; a container with another `runAsUser` (not root) mounts the volume writable and names that very " +
    "folder, or mounts it by `subPath`.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  check({ spec, containers, running }) {
    return containers
      .filter(({ role }) => role === "init")
      .flatMap((maker) => {
        const owner = userOf(maker, spec) ?? (isBaseImage(maker) ? 0 : undefined);
        if (!commandsOf(maker.container).every(makesOrShows)) return [];
        if (owner === undefined || findText(maker, /\bchmod\b|\bchown\b|\bumask\b|\bsetfacl\b/) !== undefined)
          return [];
        return madeFolders(maker, spec).flatMap((folder) =>
          running.flatMap((user) => {
            const id = userOf(user, spec);
            if (id === undefined || id === 0 || id === owner) return [];
            const field = fieldNaming(user, folder.key, spec);
            if (field === undefined) return [];
            return [
              {
                field,
                message:
                  `folder ${folder.path} of volume "${folder.volume}" is made by init container "${maker.name}" as user ` +
                  `${owner}; container "${user.name}" (user ${id}) may not write to it`,
                related: [maker.path],
              },
            ];
          }),
        );
      });
  },
};

/** Whether a command leaves folders empty: they are for somebody else to write to, not for reading. */
function makesOrShows(words: Words): boolean {
  return ["mkdir", "set", "echo", "ls", "true", "exit"].includes(words[0] ?? "") && !words.includes(">");
}

function madeFolders(view: ContainerView, spec: PodSpec): { path: string; key: string; volume: string }[] {
  return commandsOf(view.container)
    .filter((words) => words[0] === "mkdir" && !words.some((word) => /^(?:-[a-z]*m|--mode)/.test(word)))
    .flatMap((words) => withoutRedirections(words).filter((word) => word.startsWith("/")))
    .flatMap((path) => {
      const { volume, key } = resolvePath(view, path, spec);
      return volume === undefined ? [] : [{ path, key, volume }];
    });
}

/** The field by which a container names the folder (or something in it) for writing. */
function fieldNaming(view: ContainerView, key: string, spec: PodSpec): string | undefined {
  for (const [index, mount] of (view.container.volumeMounts ?? []).entries()) {
    if (mount.readOnly === true) continue;
    const place = resolvePath(view, mount.mountPath ?? "", spec);
    if (mount.subPath && place.key === key) return pathIn(view, "volumeMounts", index);
  }
  for (const { field, text } of textsOf(view)) {
    for (const [path] of text.matchAll(/(?<![\w.])\/[\w./-]*\w/g)) {
      const place = resolvePath(view, path, spec);
      if (place.volume !== undefined && !place.readOnly && isBelow(place.key, key)) return field;
    }
  }
  return undefined;
}
