import { logEvidence } from "../live/log-errors.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";
import { findText } from "../texts.ts";

export const notPID1: LiveRule = {
  id: "not-pid-1",
  severity: "error",
  title: "With shareProcessNamespace the program is not PID 1",
  reality:
    "With `shareProcessNamespace: true` (or `hostPID`) PID 1 is the pod's sandbox (or the host's init), not the container's program. Init systems " +
    "such as s6 and systemd refuse to run, and a signal to PID 1 never arrives.",
  fix: "Remove `shareProcessNamespace`, or send signals by name (`pkill -HUP nginx`) and use an image without an init system.",
  scope:
    "The pod shares its process namespace or uses the host's, and a container wrote that it is not, or must be, PID 1; or its command sends a " +
    "signal to PID 1 while the kernel says that the first process of each container has another number.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/",
  check(view) {
    const { shareProcessNamespace, hostPID } = view.pod.spec;
    if (shareProcessNamespace !== true && hostPID !== true) return [];
    return view.view.containers.flatMap((container): LiveObservation[] => {
      const { name } = container;
      const own = view.evidence?.containers.find((each) => each.name === name);
      const numbers = (view.evidence?.containers ?? []).map((each) => ({
        source: `/proc/${each.hostPID}/status`,
        detail: `NSpid: the first process of container ${each.name}, ${each.process}, is PID ${each.pid} in the pod`,
      }));
      const line = view.log.findLast(
        (each) =>
          each.container === name &&
          /(?:can only|must) (?:be )?run as pid 1|not (?:running as )?pid 1\b/i.test(each.text),
      );
      if (line !== undefined) {
        return [
          {
            containers: [name],
            message: `container "${name}" wants to be PID 1, which is ${hostPID === true ? "the host's init" : "the pod's sandbox"}`,
            evidence: [logEvidence(line), ...numbers],
          },
        ];
      }
      const kill = findText(container, /\bkill\s+(?:-{1,2}\w+[= ]+)*1(?![\w.])/);
      if (kill === undefined || own === undefined || own.pid === 1) return [];
      return [
        {
          containers: [name],
          severity: "warning",
          message: `container "${name}" sends a signal to PID 1, which is ${hostPID === true ? "the host's init" : "the pod's sandbox"} and no container's program`,
          evidence: [{ source: kill.field, detail: kill.match[0] }, ...numbers],
        },
      ];
    });
  },
};
