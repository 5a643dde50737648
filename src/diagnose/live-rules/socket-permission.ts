import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import { meansToUse } from "../live/named-by.ts";
import { accessText, credentialsOf, credentialsText, mayWrite } from "../live/permissions.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";

export const socketPermission: LiveRule = {
  id: "socket-permission",
  severity: "error",
  title: "A container may not write to its neighbour's Unix socket",
  reality:
    "connect(2) to a Unix socket needs the right to **write** to its file. With the usual umask of 022 a server's socket " +
    "has mode 0755: only its owner may connect, any other user but root gets EACCES.",
  fix: "Run both containers as the same user; or set `fsGroup` on the pod and have the server make the socket group-writable (umask 007, mode 0660).",
  scope:
    "A container listens on a socket in a volume that another container mounts; the mode and owner of the file keep the " +
    "user of the other one from writing, and that container wrote about a refused permission or has the path in its command " +
    "line or environment.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  check(view) {
    return (view.evidence?.unixServers ?? []).flatMap(({ container, name, label, file, process }) => {
      if (file === undefined || label === undefined) return [];
      const paths = (view.evidence?.paths ?? []).filter(
        (each) => each.container !== container && each.label === label,
      );
      const done = new Set<string>();
      return paths.flatMap(({ container: client, path }): LiveObservation[] => {
        const who = credentialsOf(view, client);
        if (who === undefined || done.has(client) || mayWrite(file, who)) return [];
        const wish = meansToUse(view, client, path, errorPatterns.EACCES);
        const line = errorLines(view, client, errorPatterns.EACCES)[0];
        if (wish === undefined) return [];
        done.add(client);
        return [
          {
            containers: [client, container],
            message: `container "${client}" (${credentialsText(who)}) may not connect to ${path}: the socket of container "${container}" has ${accessText(file)}`,
            evidence: [
              { source: `stat ${label}`, detail: accessText(file) },
              { source: "sock_diag", detail: `${process} of container ${container} listens on ${name}` },
              { source: "/proc/PID/status", detail: `container ${client}: ${credentialsText(who)}` },
              wish.failed || line === undefined ? wish.evidence : logEvidence(line),
            ],
          },
        ];
      });
    });
  },
};
