import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket } from "ws";
import type { Scope } from "../../base/scope.ts";
import type { ExecSession } from "../../runtime/types.ts";
import type { ApiContext } from "../request.ts";
import { attachOptions } from "../subresources/pod-attach.ts";
import { execOptions } from "../subresources/pod-exec.ts";
import { openLog } from "../subresources/pod-log.ts";
import { portForwardOptions } from "../subresources/pod-port-forward.ts";
import { outputProtocols, serveOutput } from "./output-websocket.ts";
import type { RemoteCommandPeer } from "./peer.ts";
import {
  servePortForward,
  spdyPortForwardProtocol,
  tunneledPortForwardProtocol,
} from "./port-forward-spdy.ts";
import { portForwardProtocols, servePortForwardMessages } from "./port-forward-websocket.ts";
import { joinRemoteCommand } from "./remote-command.ts";
import { spdyPeer, spdyRemoteCommandProtocol } from "./spdy-peer.ts";
import { remoteCommandProtocols, webSocketPeer } from "./websocket-peer.ts";

export type StreamKind = "exec" | "attach" | "portforward" | "log";

/** A request whose path and upgrade are understood. */
export interface StreamRequest {
  readonly namespace: string;
  readonly name: string;
  readonly query: URLSearchParams;
}

/** Something that was started and waits for the client's connection. One of its methods is called, once. */
export interface StreamService {
  /** Resolves when the session is over. */
  serveWebSocket(socket: WebSocket, protocol: string): Promise<void>;
  serveSpdy(transport: Duplex): Promise<void>;
  /** Ends what was started: there will be no connection. Idempotent, also after the others. */
  abandon(): void;
}

/** A kind of stream: the protocols in which it can be spoken, the best first, and how to start it. */
export interface StreamEntry {
  readonly protocols: { readonly websocket: readonly string[]; readonly spdy: readonly string[] };
  open(context: ApiContext, request: StreamRequest, scope: Scope): Promise<StreamService>;
}

export const streamServices: Readonly<Record<StreamKind, StreamEntry>> = {
  exec: {
    protocols: { websocket: remoteCommandProtocols, spdy: [spdyRemoteCommandProtocol] },
    async open(context, { namespace, name, query }, scope) {
      const { target, command, ...streams } = execOptions(context, namespace, name, query);
      const { stdin, tty } = streams;
      const session = await context.streams.exec(target, { command, stdin, tty }, scope);
      // By SPDY the streams come later than the process, and Node.js reads and drops the output of one that has ended before
      // anybody asked for it.
      for (const output of [session.stdout, session.stderr]) output?.on("readable", () => {});
      return remoteCommand(session, { ...streams, reportsExitCode: true }, scope);
    },
  },
  attach: {
    protocols: { websocket: remoteCommandProtocols, spdy: [spdyRemoteCommandProtocol] },
    async open(context, { namespace, name, query }, scope) {
      const { target, ...streams } = attachOptions(context, namespace, name, query);
      const session = await context.streams.attach(target, { stdin: streams.stdin }, scope);
      return remoteCommand(session, { ...streams, reportsExitCode: false }, scope);
    },
  },
  portforward: {
    protocols: {
      websocket: [tunneledPortForwardProtocol, ...portForwardProtocols],
      spdy: [spdyPortForwardProtocol],
    },
    async open(context, { namespace, name, query }, scope) {
      const { target, ports } = portForwardOptions(context, namespace, name, query);
      const pod = `${target.pod}, uid ${target.podUID}`;
      const connect = (port: number) => context.streams.connectToPort(target, port, scope);
      return {
        serveWebSocket: (socket, protocol) =>
          protocol === tunneledPortForwardProtocol
            ? servePortForward(createWebSocketStream(socket), pod, connect)
            : servePortForwardMessages(socket, ports, pod, connect),
        serveSpdy: (transport) => servePortForward(transport, pod, connect),
        abandon: () => {},
      };
    },
  },
  log: {
    protocols: { websocket: outputProtocols, spdy: [] },
    async open(context, request, scope) {
      const log = await openLog(context, request, scope);
      return {
        serveWebSocket: (socket, protocol) => serveOutput(socket, log, protocol),
        serveSpdy: async () => {},
        abandon: () => {},
      };
    },
  },
};

interface RemoteCommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  readonly reportsExitCode: boolean;
}

function remoteCommand(session: ExecSession, options: RemoteCommandStreams, scope: Scope): StreamService {
  const join = (peer: RemoteCommandPeer) => joinRemoteCommand(peer, session, options, scope.log);
  const expected = [
    "error",
    ...(["stdin", "stdout", "stderr"] as const).filter((name) => options[name]),
    ...(options.tty ? ["resize"] : []),
  ];
  return {
    serveWebSocket: (socket, protocol) => join(webSocketPeer(socket, protocol)),
    serveSpdy: async (transport) => join(await spdyPeer(transport, expected, scope)),
    abandon: () => {
      session.kill();
      // Nobody will read what it said: without this it would never be over.
      session.stdout.destroy();
      session.stderr?.destroy();
    },
  };
}
