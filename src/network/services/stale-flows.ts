import { explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { runCommand } from "../../host/command.ts";
import type { ServiceForward } from "./types.ts";

/** What the kernel remembers of datagrams to a Service: the port asked for and the backend that they are led to. */
export interface Flow {
  /** Undefined: any address, as for a port of the node. */
  readonly address: string | undefined;
  readonly port: number;
  readonly backend: string;
}

/**
 * The flows of datagrams whose backend is one no more. The kernel goes on leading a sender's datagrams where it led
 * the first one, for as long as they come; of connections it does too, but they end by themselves.
 */
export function staleFlows(
  before: readonly ServiceForward[],
  after: readonly ServiceForward[],
): readonly Flow[] {
  const now = new Map(after.filter(isUDP).map((forward) => [keyOf(forward), forward]));
  return before.filter(isUDP).flatMap((forward) => {
    const kept = now.get(keyOf(forward))?.backends ?? [];
    const gone = forward.backends.filter(
      ({ ip, port }) => !kept.some((each) => each.ip === ip && each.port === port),
    );
    return gone.flatMap(({ ip: backend }) => [
      ...[...forward.clusterIPs, ...forward.externalIPs].map((address) => ({
        address,
        port: forward.port,
        backend,
      })),
      ...(forward.nodePort === undefined ? [] : [{ address: undefined, port: forward.nodePort, backend }]),
    ]);
  });
}

/** Makes the kernel forget the flows, by conntrack(8). Where that is not installed they end when their sender pauses. */
export async function forgetFlows(flows: readonly Flow[], scope: Scope): Promise<void> {
  for (const { address, port, backend } of flows) {
    const to = address === undefined ? [] : ["--orig-dst", address];
    const args = [
      "--delete",
      "--proto",
      "udp",
      ...to,
      "--orig-port-dst",
      String(port),
      "--reply-src",
      backend,
    ];
    try {
      // 1: there is no such flow.
      await runCommand("conntrack", args, { okCodes: [0, 1] }, scope);
    } catch (error) {
      scope.log.debug({ error: explain(error) }, "flows of a gone backend not forgotten");
      return;
    }
  }
}

function isUDP({ protocol }: ServiceForward): boolean {
  return protocol === "UDP";
}

function keyOf({ namespace, name, port }: ServiceForward): string {
  return `${namespace}/${name}:${port}`;
}
