import type { Scope } from "../../base/scope.ts";

/** A port of a pod (or of anything else with an address) that stands behind a Service. */
export interface Backend {
  readonly ip: string;
  readonly port: number;
}

/** One port of one Service and where it leads. */
export interface ServiceForward {
  readonly namespace: string;
  readonly name: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  /** Addresses that exist for the Service's sake alone and that only this node knows: its cluster IPs. */
  readonly clusterIPs: readonly string[];
  /** Addresses under which the outside may ask for it, too: its external IPs. */
  readonly externalIPs: readonly string[];
  /** Port of each of the host's own addresses that leads there. */
  readonly nodePort: number | undefined;
  /** Every new connection goes to one of them at random; none: it is refused. */
  readonly backends: readonly Backend[];
  /** A client gets the same backend each time, as long as the backends stay the same. */
  readonly sticky: boolean;
}

/** What a name stands for. Names are whole and without final dot. */
export interface NameRecords {
  /** Name to address; a name may have several. The first name of an address is what the address resolves to. */
  readonly addresses: readonly { readonly name: string; readonly ip: string }[];
  /** Name to another name, of the cluster or of the world outside. */
  readonly aliases: readonly { readonly name: string; readonly target: string }[];
  /** SRV records: `_http._tcp.…` to a name and a port. */
  readonly ports: readonly { readonly name: string; readonly target: string; readonly port: number }[];
}

/** All Services as they should be. */
export interface ServicesState {
  readonly forwards: readonly ServiceForward[];
  readonly names: NameRecords;
}

/** Where pods ask for names, or why they can't. */
export type NameService =
  | { readonly ok: true; readonly address: string; readonly domain: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Makes Services work for the pods of this node and the node itself. All that it makes outlives the daemon, is found
 * again by the next one, and carries the node's instance name.
 */
export interface ServiceNetwork {
  /** Call after the pod network has started. Connections in being are not disturbed. */
  start(scope: Scope): Promise<void>;
  /**
   * Makes everything as `state` says, the addresses in one step, and mends what went missing meanwhile, such as a name
   * server that was killed. Idempotent, and cheap where nothing has changed: call it now and then. One call at a time.
   */
  apply(state: ServicesState, scope: Scope): Promise<void>;
  /** Removes all of it. Idempotent. */
  stop(scope: Scope): Promise<void>;
  /** The same from `start` to `stop`. */
  names(): NameService;
}
