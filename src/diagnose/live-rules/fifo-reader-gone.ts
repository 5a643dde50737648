import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { LiveRule } from "../live/view.ts";
import { isRunning } from "../live/view.ts";

export const fifoReaderGone: LiveRule = {
  id: "fifo-reader-gone",
  severity: "error",
  title: "The reader of a FIFO closed it while the other container wrote",
  reality:
    "write(2) to a FIFO that nobody has open to read any more fails with EPIPE, and a program that does not expect it is ended by SIGPIPE (fifo(7), " +
    "signal(7)). A reader that opens the FIFO, reads a line and closes it again, as `read` and `head` in a script do, does that to its writer.",
  fix:
    "Have the reader keep the FIFO open, also between two messages (`exec 3<>/path/to/fifo` in a shell also outlives its writers); or have the writer open it anew " +
    "for each message.",
  scope:
    "A container's log says that a pipe is broken, it writes to exactly one FIFO of the pod that another container reads, and it has no TCP " +
    "connection and no Unix socket of which that could be said, too.",
  upstream: "https://man7.org/linux/man-pages/man7/pipe.7.html",
  check(view) {
    return view.view.running.flatMap(({ name }) => {
      const [line] = errorLines(view, name, errorPatterns.EPIPE);
      const own = view.channels.filter(
        ({ status }) =>
          status.endpoints.length > 1 && status.endpoints.some(({ container }) => container === name),
      );
      const streams = own.filter(({ spec }) => /^(?:TCP|Unix|Pipe)/.test(spec.type));
      const [fifo, ...others] = own.filter(
        ({ spec, status }) =>
          spec.type === "FIFO" &&
          status.endpoints.some(({ container, role }) => container === name && role === "Writer"),
      );
      const reader = fifo?.status.endpoints.find(
        ({ container, role }) => container !== name && role === "Reader",
      );
      if (line === undefined || fifo === undefined || others.length > 0 || streams.length > 0) return [];
      if (reader?.container === undefined) return [];
      const writer = fifo.status.endpoints.find(
        ({ container, role }) => container === name && role === "Writer",
      );
      const end = isRunning(view, reader.container) ? "has closed it" : "has ended";
      return [
        {
          containers: [name, reader.container],
          message: `container "${name}" wrote to ${writer?.path ?? fifo.spec.address} after its reader, container "${reader.container}", ${end}`,
          evidence: [logEvidence(line), ...fifo.status.evidence],
        },
      ];
    });
  },
};
