import type { LiveRule } from "../live/view.ts";

export const socketUnserved: LiveRule = {
  id: "socket-unserved",
  severity: "error",
  title: "A container connects to a Unix socket on which nobody listens",
  reality:
    "connect(2) to a path needs the socket file of a server that listens now: without the file it fails with ENOENT, and with a file that a former server " +
    "left behind with ECONNREFUSED (unix(7)). Unlike a TCP client, the caller can't tell from the path which container should serve it.",
  fix: "Have the server listen at that path of the volume, or the client use the server's.",
  scope:
    "The container's counters saw it connect, in the last minute, to a path in a volume that another container mounts too, and at the looks before and " +
    "after no socket listened there. Needs Linux 6.7.",
  upstream: "https://man7.org/linux/man-pages/man7/unix.7.html",
  check(view) {
    return view.channels.flatMap(({ spec, status }) => {
      const [client, ...others] = status.endpoints;
      const isUnserved =
        spec.type.startsWith("Unix") &&
        status.state === "Blocked" &&
        client?.role === "Client" &&
        others.length === 0;
      if (!isUnserved || client.container === undefined) return [];
      const { container } = client;
      const volume = spec.address.slice(0, spec.address.indexOf(":") + 1);
      const all = view.evidence?.unixServers ?? [];
      // The channel is from a look; a server may have come since.
      if (all.some(({ label }) => label === spec.address)) return [];
      const servers = all.filter((each) => each.container !== container);
      const near = servers.filter(({ label }) => label?.startsWith(volume));
      const listed = servers.map((each) => `${each.label ?? each.name} (${each.container})`).join(", ");
      const [only, ...more] = near;
      return [
        {
          containers: [container],
          message: `container "${container}" connects to ${client.path ?? spec.address}, but nothing listens on ${spec.address}`,
          evidence: [
            ...status.evidence,
            {
              source: "sock_diag",
              detail: listed === "" ? "no other container listens on a Unix socket" : `there are ${listed}`,
            },
          ],
          ...(only === undefined || more.length > 0
            ? {}
            : {
                fix: `Let container "${container}" connect to ${only.label}, on which container "${only.container}" listens, or have the server listen on ${spec.address}.`,
              }),
        },
      ];
    });
  },
};
