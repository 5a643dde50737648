import type { ListenerEvidence } from "../../channels/evidence-types.ts";
import type { LiveEvidence, LiveView } from "./view.ts";

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function addressText({ address, port }: { address: string; port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether only the pod's own containers reach it. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/**
 * Whether a listener answers what is sent to an address. An IPv6 wildcard takes IPv4 too, unless it says otherwise
 * (IPV6_V6ONLY, which the kernel's tables don't show): then this says yes, so that no rule speaks.
 */
export function answers(listener: Pick<ListenerEvidence, "address">, address: string): boolean {
  return (
    listener.address === address ||
    listener.address === "::" ||
    (listener.address === "0.0.0.0" && !address.includes(":"))
  );
}

/** Who waits for clients on a port of the pod. */
export function listenersOn(
  { evidence }: LiveView,
  port: number,
  protocol: "TCP" | "UDP" = "TCP",
): readonly ListenerEvidence[] {
  return (evidence?.listeners ?? []).filter((each) => each.port === port && each.protocol === protocol);
}

/** A listener as evidence: the row of the kernel's table. */
export function listenerEvidence(listener: ListenerEvidence): LiveEvidence {
  const { container, process, hostPID, protocol, family } = listener;
  const table = `${protocol.toLowerCase()}${family === 6 ? "6" : ""}`;
  return {
    source: `/proc/${hostPID}/net/${table}`,
    detail: `${process} of container ${container} listens on ${addressText(listener)}`,
  };
}

/** That nobody listens on a port, as evidence: what was read. */
export function noListenerEvidence(view: LiveView, port: number, protocol = "TCP"): LiveEvidence {
  const others = (view.evidence?.listeners ?? []).filter((each) => each.protocol === protocol);
  const list = others.map((each) => `${addressText(each)} (${each.container})`).join(", ");
  const name = protocol.toLowerCase();
  return {
    source: `/proc/PID/net/${name}, /proc/PID/net/${name}6`,
    detail: `no ${protocol} socket of the pod has port ${port}; ${list === "" ? "there is none at all" : `there are ${list}`}`,
  };
}
