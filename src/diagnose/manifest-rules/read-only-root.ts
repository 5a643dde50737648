import { officialImage, repositoryOf } from "../image.ts";
import { canonicalPath, isBelow } from "../mounted-path.ts";
import { type ContainerView, pathIn } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";
import { findText } from "../texts.ts";

/** Folders that a server writes to when nothing else is configured. */
const written: Readonly<Record<string, readonly string[]>> = {
  nginx: ["/var/cache/nginx", "/run"],
  "nginxinc/nginx-unprivileged": ["/tmp"],
  httpd: ["/usr/local/apache2/logs"],
  postgres: ["/run/postgresql"],
  mysql: ["/run/mysqld"],
  mariadb: ["/run/mysqld"],
};

export const readOnlyRoot: ManifestRule = {
  id: "read-only-root",
  severity: "error",
  title: "A program writes to a root file system that is read-only",
  reality:
    "With `readOnlyRootFilesystem` nothing outside of volumes can be written: no pid file or socket in `/run` or `/tmp`, no cache below `/var`. " +
    "The write fails with `Read-only file system` (EROFS) and the program usually ends. Kubernetes keeps no folder " +
    "writable by itself (Podman does, so a pod may work there and not here).",
  fix: "Mount an `emptyDir` at each folder that the program writes to.",
  scope:
    "`readOnlyRootFilesystem` is true, and either an official image (nginx, nginx-unprivileged, httpd, postgres, " +
    "mysql, mariadb) runs with its own command and configuration and without a volume where it writes its pid file, socket or " +
    "cache; or a flag such as `--pid-file`, `--pidfile`, `--socket` names a file in `/run`, `/var/run` or `/tmp` " +
    "that is on no volume (a warning).",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  check({ containers }) {
    return containers
      .filter(({ container }) => container.securityContext?.readOnlyRootFilesystem === true)
      .flatMap((view) => [...unwritableFolders(view), ...unwritableFile(view)]);
  },
};

function unwritableFolders(view: ContainerView): Observation[] {
  const { image = "", command, args, volumeMounts } = view.container;
  const name = officialImage(view.container) ?? repositoryOf(image);
  const folders = Object.hasOwn(written, name) ? (written[name] ?? []) : [];
  const configured = (volumeMounts ?? []).some(({ mountPath }) =>
    /^\/etc\/|\.(?:conf|cnf)$|\/conf\b/.test(mountPath ?? ""),
  );
  if ((command ?? []).length > 0 || (args ?? []).length > 0 || configured) return [];
  const missing = folders.filter((folder) => !isWritable(view, folder));
  if (missing.length === 0) return [];
  return [
    {
      field: pathIn(view, "securityContext.readOnlyRootFilesystem"),
      message: `container "${view.name}" can't write to its root file system, but ${image} needs to write to ${missing.join(" and ")}`,
      related: [pathIn(view, "image")],
    },
  ];
}

const fileFlag =
  /(?:^|\s)--?(?:[\w.-]*-)?(?:pid-?file|pid-path|socket|socket-path|unix-socket|sock)[= ](\/(?:var\/run|run|tmp)\/[\w./-]+)/;

function unwritableFile(view: ContainerView): Observation[] {
  const found = findText(view, fileFlag);
  const file = canonicalPath(found?.match[1] ?? "");
  if (found === undefined || found.variable !== undefined || isWritable(view, file)) return [];
  return [
    {
      field: found.field,
      severity: "warning",
      message: `container "${view.name}" can't write to its root file system, but is to make ${found.match[1]}`,
      related: [pathIn(view, "securityContext.readOnlyRootFilesystem")],
    },
  ];
}

/** Whether a volume that isn't read-only lies at the path, above it, or (for a folder's files) just below it. */
function isWritable(view: ContainerView, path: string): boolean {
  return (view.container.volumeMounts ?? []).some(({ mountPath, readOnly }) => {
    const folder = canonicalPath(mountPath ?? "");
    return readOnly !== true && (isBelow(path, folder) || isBelow(folder, path));
  });
}
