import { ownInit } from "../own-init.ts";
import type { ManifestRule } from "../rule.ts";

export const hostPidInit: ManifestRule = {
  id: "host-pid-init",
  severity: "error",
  title: "An init system runs among the host's processes",
  reality:
    "With `hostPID` a container's processes are the host's, all of which it can see and, as root, signal. An init system that " +
    "believes to be alone refuses to start without PID 1 at best; at worst its shutdown (“send SIGTERM to every " +
    "process, then SIGKILL”) ends processes of the host.",
  fix: "Remove `hostPID`, or use an image without an init system.",
  scope:
    "`hostPID` is true and a container starts `/sbin/init` or systemd, or runs an image that is known for it " +
    "(linuxserver.io and a few systemd images).",
  upstream: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
  check({ spec, containers }) {
    if (spec.hostPID !== true) return [];
    return containers.flatMap((view) => {
      const init = ownInit(view);
      if (init === undefined) return [];
      return [
        {
          field: init.field,
          message: `container "${view.name}" starts ${init.what} among the processes of the host`,
          related: ["spec.hostPID"],
        },
      ];
    });
  },
};
