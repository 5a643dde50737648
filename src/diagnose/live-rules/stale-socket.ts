import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { LiveEvidence, LiveRule, LiveView } from "../live/view.ts";

export const staleSocket: LiveRule = {
  id: "stale-socket",
  severity: "info",
  title: "A socket file is left over from a server that has gone",
  reality:
    "The file of a Unix socket stays when its server ends. A volume outlives the containers, so after a restart the file is still there: " +
    "bind(2) gets EADDRINUSE until somebody unlinks it, and connect(2) gets ECONNREFUSED.",
  fix: "Have the server unlink(2) the path before it binds (in a shell: `rm -f PATH` before the program), or name another path at each start.",
  scope:
    "A socket file lies in a volume of the pod and no socket is bound to it. An error when a container wrote that an " +
    "address is in use or a connection was refused, in a line that names the file or no port; a note otherwise.",
  upstream: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
  check(view) {
    return staleFiles(view).flatMap(({ address, evidence }) => {
      const names = (view.evidence?.paths ?? []).filter(({ label }) => label === address);
      const hits = view.view.containers.flatMap(({ name }) => {
        const paths = names.filter(({ container }) => container === name).map(({ path }) => path);
        const line = [errorPatterns.EADDRINUSE, errorPatterns.ECONNREFUSED]
          .flatMap((pattern) => errorLines(view, name, pattern))
          .find(({ text }) => paths.some((path) => text.includes(path)) || !/:\d{2,5}\b|port\b/i.test(text));
        // A line that names no path counts for a container whose manifest names it.
        return line !== undefined && paths.length > 0 ? [{ name, line }] : [];
      });
      const [hit] = hits;
      return [
        {
          containers: hit === undefined ? [] : [hit.name],
          ...(hit === undefined ? {} : { severity: "error" as const }),
          message:
            hit === undefined
              ? `the socket file ${address} is there, but nobody listens on it`
              : `container "${hit.name}" fails at the socket file ${address}: it is there, but nobody listens on it`,
          evidence: [...evidence, ...(hit === undefined ? [] : [logEvidence(hit.line)])],
        },
      ];
    });
  },
};

/** As the channels tell; of a pod in which nothing runs there are none, but then nobody can be bound to a file. */
function staleFiles({
  channels,
  evidence,
}: LiveView): { address: string; evidence: readonly LiveEvidence[] }[] {
  const observed = channels
    .filter(({ status }) => status.state === "Stale")
    .map(({ spec, status }) => ({ address: spec.address, evidence: status.evidence }));
  if (evidence === undefined || evidence.containers.length > 0) return observed;
  const left = evidence.paths.flatMap(({ label, file }) =>
    label !== undefined && file?.kind === "socket" ? [label] : [],
  );
  const known = new Set(observed.map(({ address }) => address));
  const found = [...new Set(left)].filter((address) => !known.has(address));
  return [
    ...observed,
    ...found.map((address) => ({
      address,
      evidence: [{ source: `stat ${address}`, detail: "a socket file, and no container of the pod runs" }],
    })),
  ];
}
