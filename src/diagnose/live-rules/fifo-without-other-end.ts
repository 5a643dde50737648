import type { LiveRule } from "../live/view.ts";
import { isRunning } from "../live/view.ts";

/** A reader and a writer that take turns wait for each other for moments. */
const patienceMilliseconds = 3_000;

export const fifoWithoutOtherEnd: LiveRule = {
  id: "fifo-without-other-end",
  severity: "error",
  title: "A container waits in open(2) of a FIFO for the other end",
  reality:
    "open(2) of a FIFO for reading waits until somebody opens it for writing, and the other way round (fifo(7)). Until then the " +
    "program does nothing else: it looks as if it hung.",
  fix: "Start the container that opens the other end, on the same file; or open the FIFO read-write (`<>` in a shell) or with O_NONBLOCK.",
  scope:
    "A thread waits in open(2) of a FIFO, and in three seconds or more nobody in the pod opened it the other way " +
    "round; or the container that did has ended.",
  upstream: "https://man7.org/linux/man-pages/man7/fifo.7.html",
  check(view) {
    return view.channels.flatMap(({ spec, status }) => {
      const waits = status.evidence.filter(({ source }) => source === "/proc/PID/task/TID/syscall");
      if (spec.type !== "FIFO" || status.state !== "Blocked" || waits.length === 0) return [];
      const waitsTo = waits.some(({ detail }) => detail.endsWith(" to write")) ? "Writer" : "Reader";
      const waiting = status.endpoints.find(({ role }) => role === waitsTo);
      const others = status.endpoints.filter(({ role }) => role !== waitsTo);
      const gone = others.filter(({ container }) => container !== undefined && !isRunning(view, container));
      const isOld = view.now - Date.parse(status.firstSeen) >= patienceMilliseconds;
      if (waiting?.container === undefined || !isOld || gone.length < others.length) return [];
      const other = waitsTo === "Writer" ? "reader" : "writer";
      const [ended] = gone;
      return [
        {
          containers: [waiting.container],
          message:
            ended === undefined
              ? `container "${waiting.container}" waits to open ${waiting.path ?? spec.address} for ${waitsTo === "Writer" ? "writing" : "reading"}, and there is no ${other}`
              : `container "${waiting.container}" waits to open ${waiting.path ?? spec.address} for ${waitsTo === "Writer" ? "writing" : "reading"}, and the ${other}, container "${ended.container}", has ended`,
          evidence: waits,
        },
      ];
    });
  },
};
