import { errorPatterns } from "../live/log-errors.ts";
import { meansToUse } from "../live/named-by.ts";
import type { LiveObservation, LiveRule, LiveView } from "../live/view.ts";

/** Something that one container offers at a path. */
interface Offer {
  readonly container: string;
  readonly path: string;
  readonly label: string | undefined;
  readonly what: "listens on" | "waits to open the FIFO";
  readonly source: string;
}

export const socketNotShared: LiveRule = {
  id: "socket-not-shared",
  severity: "error",
  title: "The path of a socket or FIFO is not the same file in both containers",
  reality:
    "Each container has a mount namespace and a root file system of its own: `/run/app.sock` in one is not " +
    "`/run/app.sock` in the other. A path leads to the same file only below a volume that both mount.",
  fix: "Mount one `emptyDir` in both containers, and put the socket or FIFO there.",
  scope:
    "One container listens on a Unix socket, or waits in open(2) of a FIFO, at a path outside of every volume that " +
    "another container mounts; that one has the same path in its command line, its environment or an error it " +
    "wrote, and nothing, or another file, is there.",
  upstream:
    "https://kubernetes.io/docs/tasks/access-application-cluster/communicate-containers-same-pod-shared-volume/",
  check(view) {
    return offers(view).flatMap((offer) => {
      const { path, label, container } = offer;
      return view.view.running.flatMap(({ name }): LiveObservation[] => {
        const here = name === container ? undefined : view.at(name, path);
        if (here === undefined) return [];
        const isSame = label !== undefined && here.label === label;
        const elsewhere = label !== undefined && mounts(view, name, label.slice(0, label.indexOf(":")));
        if (isSame || here.file?.kind === "socket") return [];
        const wish = meansToUse(view, name, path, errorPatterns.ENOENT);
        const isLost = here.file === undefined || here.file.kind === "fifo";
        if (wish === undefined || !isLost) return [];
        const there = elsewhere
          ? view.evidence?.paths.find((each) => each.container === name && each.label === label)?.path
          : undefined;
        const why =
          label === undefined
            ? `in its own root file system`
            : elsewhere
              ? `in volume ${label}, which container "${name}" mounts at another path`
              : `in volume ${label}, which container "${name}" does not mount`;
        return [
          {
            containers: [name, container],
            message: `container "${container}" ${offer.what} ${path} ${why}; in container "${name}" ${here.file === undefined ? "nothing is at that path" : "another file is at that path"}`,
            evidence: [
              { source: offer.source, detail: `container ${container} ${offer.what} ${path}` },
              {
                source: `stat ${path} in container ${name}`,
                detail: here.file === undefined ? "no such file" : `inode ${here.file.identity}`,
              },
              wish.evidence,
            ],
            ...(there === undefined ? {} : { fix: `In container "${name}" use ${there}.` }),
          },
        ];
      });
    });
  },
};

function offers({ evidence, channels }: LiveView): Offer[] {
  const servers = (evidence?.unixServers ?? []).flatMap(({ container, name, label }): Offer[] =>
    name.startsWith("/") ? [{ container, path: name, label, what: "listens on", source: "sock_diag" }] : [],
  );
  const pipes = channels.flatMap(({ spec, status }): Offer[] => {
    const [end, ...others] = status.endpoints;
    if (spec.type !== "FIFO" || status.state !== "Blocked" || end?.container === undefined) return [];
    if (others.length > 0 || end.path === undefined) return [];
    const label = spec.address.startsWith("/") ? undefined : spec.address;
    const source = "/proc/PID/task/TID/syscall";
    return [{ container: end.container, path: end.path, label, what: "waits to open the FIFO", source }];
  });
  return [...servers, ...pipes];
}

function mounts({ view }: LiveView, container: string, volume: string): boolean {
  return view.containers.some(
    (each) =>
      each.name === container && (each.container.volumeMounts ?? []).some((mount) => mount.name === volume),
  );
}
