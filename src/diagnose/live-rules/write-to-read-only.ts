import { posix } from "node:path";
import { errorLines, errorPatterns, logEvidence, pathsIn } from "../live/log-errors.ts";
import type { LiveRule } from "../live/view.ts";

export const writeToReadOnly: LiveRule = {
  id: "write-to-read-only",
  severity: "error",
  title: "A program writes where its container is read-only",
  reality:
    "With `readOnlyRootFilesystem: true` everything outside of volumes is read-only, /tmp, /run and /var/run too; so is a " +
    "volume that is mounted with `readOnly: true`. Writing there fails with EROFS.",
  fix: "Mount an `emptyDir` where the program writes.",
  scope: "A container with a read-only root or a read-only mount wrote that a file system is read-only.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  check(view) {
    return view.view.containers.flatMap(({ name, container, path: field }) => {
      const readOnlyRoot = container.securityContext?.readOnlyRootFilesystem === true;
      const readOnlyMounts = (container.volumeMounts ?? []).filter(({ readOnly }) => readOnly === true);
      const line = errorLines(view, name, errorPatterns.EROFS)[0];
      if (line === undefined || (!readOnlyRoot && readOnlyMounts.length === 0)) return [];
      const path = pathsIn(line.text).at(-1);
      const mount = readOnlyMounts.find(
        ({ mountPath }) => path === mountPath || path?.startsWith(`${mountPath}/`),
      );
      const where = path === undefined ? "a file" : path;
      return [
        {
          containers: [name],
          message:
            mount === undefined
              ? `container "${name}" cannot write ${where}: its root file system is read-only`
              : `container "${name}" cannot write ${where}: it mounts volume "${mount.name}" read-only`,
          evidence: [
            logEvidence(line),
            mount === undefined
              ? { source: field, detail: "securityContext.readOnlyRootFilesystem is true" }
              : { source: field, detail: `volumeMounts: ${mount.mountPath} is readOnly` },
          ],
          fix:
            mount !== undefined
              ? `Remove \`readOnly: true\` from the mount of volume "${mount.name}" in container "${name}".`
              : path === undefined
                ? "Mount an `emptyDir` where the program writes."
                : `Mount an \`emptyDir\` at ${posix.dirname(path)} in container "${name}".`,
        },
      ];
    });
  },
};
