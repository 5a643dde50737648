import { createServer, type Server, type Socket } from "node:net";
import { explain, PeapodError, systemErrorCode } from "../../base/errors.ts";
import { openPortForward, type PortForwarder } from "../../client/port-forward.ts";
import type { Service } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { findPods } from "../find-pods.ts";
import { type PortMapping, parsePortMapping } from "../port-mapping.ts";
import type { Terminal } from "../terminal.ts";

export const portForward = defineCommand({
  name: "port-forward",
  summary: "Reach ports of a pod or Service through ports of this machine, until Ctrl-C",
  description:
    "Connections arrive in the pod as from its own localhost, so that also what listens only there is reached, and no containerPort has to be declared. Of a Service or Deployment it is one of the pods; a Service's port is the one that the Service has.",
  usage: "(POD | TYPE/NAME) [LOCAL_PORT:]REMOTE_PORT...",
  args: { min: 2, max: 100 },
  completes: "pods",
  options: {
    address: {
      type: "strings",
      value: "ADDRESS",
      summary: "Where to listen (default: localhost, by IPv4 and IPv6)",
    },
  },
  examples: [
    { text: "The pod's port 8080 on this machine's", command: "peapod port-forward web 8080" },
    { text: "A Service's port", command: "peapod port-forward svc/web 8080:80" },
    { text: "On another port, and on any free one", command: "peapod port-forward web 8000:80 :9090" },
  ],
  async run({ options, args, session }) {
    const { client, scope, terminal, interrupts } = session;
    const [podArgument = "", ...words] = args;
    const { items, by } = await findPods(podArgument, session);
    const [pod] = items;
    const reference = { namespace: pod.metadata.namespace, name: pod.metadata.name };
    const service = by !== undefined && "ports" in (by.spec as object) ? (by as Service) : undefined;
    const mappings = words.map((word) => parsePortMapping(word, pod, service));
    const given = options.address.flatMap((list) => list.split(","));
    const addresses = given.length === 0 ? ["localhost"] : given;

    const forwarder = await openPortForward(client.connect, reference, scope);
    const servers: Server[] = [];
    const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<"interrupted">();
    interrupts.take(() => interrupt("interrupted"));
    try {
      for (const mapping of mappings) {
        servers.push(...(await listenOn(addresses, mapping, forwarder, terminal)));
      }
      const lost = forwarder.closed.then(() => "lost" as const);
      if ((await Promise.race([interrupted, lost])) === "lost") {
        throw new PeapodError("NodeUnreachable", "lost connection to pod");
      }
      return 0;
    } finally {
      for (const server of servers) server.close();
      forwarder.close();
    }
  },
});

/** `localhost` is both loopback addresses, of which one may be missing. */
async function listenOn(
  addresses: readonly string[],
  mapping: PortMapping,
  forwarder: PortForwarder,
  terminal: Terminal,
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  const failures: unknown[] = [];
  let local = mapping.local;
  const hosts = addresses.flatMap((address) => (address === "localhost" ? ["127.0.0.1", "::1"] : [address]));
  for (const host of hosts) {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      terminal.out(`Handling connection for ${local}\n`);
      void handle(socket, mapping.remote, forwarder, terminal);
    });
    try {
      local = await listen(server, host, local);
      servers.push(server);
      const shown = host.includes(":") ? `[${host}]` : host;
      terminal.out(`Forwarding from ${shown}:${local} -> ${mapping.remote}\n`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (servers.length > 0) return servers;
  const [failure] = failures;
  const reason = systemErrorCode(failure) === "EADDRINUSE" ? "address already in use" : explain(failure);
  throw new PeapodError("BadRequest", `unable to listen on port ${mapping.local}: ${reason}`);
}

async function handle(
  socket: Socket,
  port: number,
  forwarder: PortForwarder,
  terminal: Terminal,
): Promise<void> {
  socket.on("error", () => {});
  socket.setNoDelay(true);
  try {
    await forwarder.forward(port, socket);
  } catch (error) {
    terminal.err(`${explain(error)}\n`);
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
