import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import { accessText, credentialsOf, credentialsText, mayWrite } from "../live/permissions.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";

export const volumeNotWritable: LiveRule = {
  id: "volume-not-writable",
  severity: "error",
  title: "A container's user may not write to a volume",
  reality:
    "A folder or file that one user made in a volume with the usual mode 0755 or 0644 cannot be changed by another user. `fsGroup` " +
    "gives the volume's root and what is in it at the pod's start to a group, not what containers make later.",
  fix: "Run both containers as the same user; or set `fsGroup` on the pod and make folders group-writable (`chmod g+w`, umask 002).",
  scope:
    "A container wrote about a refused permission with a path in one of its volumes, and the mode and owner of that " +
    "file, or of the nearest folder that exists, keep its user from writing. Quiet about sockets, which socket-permission is about.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  check(view) {
    return view.view.containers.flatMap(({ name }): LiveObservation[] => {
      const who = credentialsOf(view, name);
      if (who === undefined) return [];
      for (const line of errorLines(view, name, errorPatterns.EACCES)) {
        const places = (view.evidence?.paths ?? []).filter(
          (each) => each.container === name && each.label !== undefined && line.text.includes(each.path),
        );
        for (const { path, label, file, folder } of places) {
          const target = file ?? folder?.access;
          if (target === undefined || file?.kind === "socket" || mayWrite(target, who)) continue;
          const what = file === undefined ? `the folder ${folder?.path}` : path;
          return [
            {
              containers: [name],
              message: `container "${name}" (${credentialsText(who)}) may not write ${path}: ${what} has ${accessText(target)}`,
              evidence: [
                logEvidence(line),
                { source: `stat ${label}`, detail: `${what}: ${accessText(target)}` },
                { source: "/proc/PID/status", detail: `container ${name}: ${credentialsText(who)}` },
              ],
            },
          ];
        }
      }
      return [];
    });
  },
};
