import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled, withSignal } from "../base/scope.ts";
import { withUndo } from "../base/undo-stack.ts";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";
import { deleteLink, ipBatch, linkExists, listIPv4Routes } from "../host/ip.ts";
import type { Layout } from "../host/layout.ts";
import { deleteNftTable, hasNftTable, listNftChains, nft } from "../host/nft.ts";
import { type Bridge, connectPod, ensureBridge, turnForwardingOn, uplinkMtu } from "./bridge.ts";
import { HostFirewalls } from "./firewall/host-firewalls.ts";
import { checkHostPorts } from "./host-ports.ts";
import { formatAddress, formatSubnet, gatewayOf, parseSubnet, podSubnet, type Subnet } from "./ipv4.ts";
import { AddressLeases } from "./leases.ts";
import { type PodRecord, PodRecords } from "./pod-records.ts";
import { hostPortsScript, rulesetScript } from "./ruleset.ts";
import { chooseSubnet, defaultSubnets } from "./subnet.ts";
import type { FirewallObstacle, HostSide, PodNetwork, PodNetworkDriver, PodNetworkRequest } from "./types.ts";

/**
 * A bridge of the node's own, named after the instance, with a /24 of private addresses: pods reach each other
 * and the host by address, and the outside under the host's address (docs/reference/network.md).
 *
 * `podCIDR` fixes the subnet; otherwise it is chosen once and remembered in the state folder.
 */
export function createBridgeNetwork(options: { layout: Layout; podCIDR?: string }): PodNetworkDriver {
  return new BridgeNetwork(
    options.layout,
    options.podCIDR === undefined ? undefined : podSubnet(options.podCIDR),
  );
}

/** How long a detached pod's cable may take to vanish with its namespace before it is removed by hand. */
const cableWaits = [20, 30, 50, 100, 200, 400, 800];

class BridgeNetwork implements PodNetworkDriver {
  readonly #layout: Layout;
  readonly #wantedSubnet: Subnet | undefined;
  readonly #folder: string;
  readonly #records: PodRecords;
  readonly #firewalls: HostFirewalls;
  readonly #leaving = new Map<string, { done: Promise<void>; hurry: AbortController }>();
  #ready: { bridge: Bridge; leases: AddressLeases } | undefined;
  #publishing: Promise<void> = Promise.resolve();
  #repairing: Promise<void> | undefined;

  constructor(layout: Layout, wantedSubnet: Subnet | undefined) {
    this.#layout = layout;
    this.#wantedSubnet = wantedSubnet;
    this.#folder = join(layout.runDir, "network");
    this.#records = new PodRecords(join(this.#folder, "pods"));
    this.#firewalls = new HostFirewalls(layout.instance, this.#folder);
  }

  get #bridgeName(): string {
    return `${this.#layout.instance}0`;
  }

  async start(scope: Scope): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const routes = await listIPv4Routes(scope);
    const subnet = chooseSubnet(this.#subnetCandidates(), routes, this.#bridgeName);
    const bridge = { name: this.#bridgeName, subnet, mtu: uplinkMtu(routes) };
    mkdirSync(this.#layout.stateDir, { recursive: true, mode: 0o700 });
    writeFileAtomically(this.#subnetFile, JSON.stringify({ podSubnet: formatSubnet(subnet) }), {
      durable: true,
    });
    await ensureBridge(bridge, routes, scope);
    this.#ready = { bridge, leases: new AddressLeases(join(this.#folder, "leases"), subnet) };
    await this.#inTurn(() => this.#makeTable(scope));
    await this.#firewalls.open(hostSideOf(bridge), await listNftChains(scope), scope);
    for (const record of this.#records.all()) {
      if (record.state === "detaching") this.#finishDetach(record.podUID, scope);
    }
  }

  async stop(scope: Scope): Promise<void> {
    for (const { hurry } of this.#leaving.values()) hurry.abort();
    await Promise.all([...this.#leaving.values()].map(({ done }) => done));
    for (const record of this.#records.all()) {
      scope.log.warn({ pod: record.podUID }, "pod was still attached to the network");
      await this.#removeNow(record, scope);
    }
    await deleteNftTable("ip", this.#layout.instance, scope);
    await this.#firewalls.close(this.#bridgeName, scope);
    await deleteLink(this.#bridgeName, scope);
    rmSync(this.#folder, { recursive: true, force: true });
    this.#ready = undefined;
  }

  async attach(request: PodNetworkRequest, scope: Scope): Promise<PodNetwork> {
    const { bridge, leases } = this.#started();
    const { podUID } = request;
    await this.#leaving.get(podUID)?.done;
    const existing = this.#records.get(podUID);
    if (existing?.state === "attached" && linkExists(existing.link)) return { ips: existing.ips };
    if (existing !== undefined) await this.#removeNow(existing, scope);

    checkHostPorts(request.hostPorts, this.#staying());
    if (!linkExists(bridge.name)) await this.#repair(scope);
    return await withUndo(scope.log, async (undo) => {
      const address = leases.acquire(podUID);
      const record: PodRecord = {
        podUID,
        namespace: request.namespace,
        name: request.name,
        state: "attaching",
        link: linkName(podUID),
        ips: [formatAddress(address)],
        hostPorts: request.hostPorts,
      };
      const publishes = record.hostPorts.length > 0;
      undo.add("detach the pod", () => this.#removeNow(record, uncancelled(scope)));
      this.#records.put(record);
      await deleteLink(record.link, scope);
      const results = await Promise.allSettled([
        connectPod(bridge, { link: record.link, netns: request.netns, address }, scope),
        publishes ? this.#publish(scope) : Promise.resolve(),
      ]);
      for (const result of results) {
        if (result.status === "fulfilled") continue;
        const why = explain(result.reason);
        throw new PeapodError("FailedCreatePodSandBox", `pod network: ${why}`, { cause: result.reason });
      }
      this.#records.put({ ...record, state: "attached" });
      return { ips: record.ips };
    });
  }

  /** Somebody removed the bridge: makes it again and plugs the cables of the pods that are there back in. */
  #repair(scope: Scope): Promise<void> {
    this.#repairing ??= this.#replaceBridge(scope).finally(() => {
      this.#repairing = undefined;
    });
    return this.#repairing;
  }

  async #replaceBridge(scope: Scope): Promise<void> {
    scope.log.warn({ bridge: this.#bridgeName }, "the bridge is gone: making it again");
    await this.start(scope);
    const cables = this.#records
      .all()
      .filter((record) => record.state === "attached" && linkExists(record.link));
    await ipBatch(
      cables.map((record) => `link set dev ${record.link} master ${this.#bridgeName}`),
      undefined,
      scope,
    );
  }

  /**
   * The pod's host ports are closed and its address is no longer found when this returns. Its cable and its
   * lease go a moment later: removing a veth takes the kernel 30 ms, ending its namespace (which the caller is
   * about to do) removes it for nothing. `list` names the pod until then, and `stop` waits for it.
   */
  async detach(podUID: string, scope: Scope): Promise<void> {
    const record = this.#records.get(podUID);
    if (record === undefined) {
      await deleteLink(linkName(podUID), scope);
      this.#ready?.leases.release(podUID);
      return;
    }
    if (record.state !== "detaching") {
      this.#records.put({ ...record, state: "detaching" });
      if (record.hostPorts.length > 0) await this.#publish(scope);
    }
    this.#finishDetach(podUID, scope);
  }

  find(podUID: string): PodNetwork | undefined {
    const record = this.#records.get(podUID);
    return record?.state === "attached" ? { ips: record.ips } : undefined;
  }

  list(): readonly string[] {
    const leases = this.#ready?.leases.holders() ?? [];
    return [...new Set([...this.#records.all().map((record) => record.podUID), ...leases])];
  }

  hostSide(): HostSide | undefined {
    return this.#ready === undefined ? undefined : hostSideOf(this.#ready.bridge);
  }

  async mend(scope: Scope): Promise<void> {
    const { bridge } = this.#started();
    if (!linkExists(bridge.name)) await this.#repair(scope);
    turnForwardingOn(scope);
    const chains = await listNftChains(scope);
    if (!hasNftTable(chains, "ip", this.#layout.instance)) {
      scope.log.warn({ table: this.#layout.instance }, "the nft table is gone: making it again");
      await this.#inTurn(() => this.#makeTable(scope));
    }
    await this.#firewalls.open(hostSideOf(bridge), chains, scope);
  }

  obstacles(): readonly FirewallObstacle[] {
    return this.#firewalls.obstacles();
  }

  #started(): { bridge: Bridge; leases: AddressLeases } {
    if (this.#ready === undefined) throw new PeapodError("InternalError", "pod network: not started");
    return this.#ready;
  }

  get #subnetFile(): string {
    return join(this.#layout.stateDir, "network.json");
  }

  #subnetCandidates(): readonly Subnet[] {
    if (this.#wantedSubnet !== undefined) return [this.#wantedSubnet];
    const text = readFileIfExists(this.#subnetFile);
    const remembered = text === undefined ? undefined : parseSubnet(JSON.parse(text).podSubnet ?? "");
    return [...(remembered === undefined ? [] : [remembered]), ...defaultSubnets(this.#layout.instance)];
  }

  #targets(): readonly { ip: string; hostPorts: PodRecord["hostPorts"] }[] {
    return this.#staying().map(({ ips, hostPorts }) => ({ ip: ips[0] ?? "", hostPorts }));
  }

  #staying(): readonly PodRecord[] {
    return this.#records.all().filter((record) => record.state !== "detaching");
  }

  /** Makes the kernel's host ports those of the records. */
  #publish(scope: Scope): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await nft(hostPortsScript(this.#layout.instance, this.#targets()), scope);
      } catch (error) {
        if (scope.signal.aborted || hasNftTable(await listNftChains(scope), "ip", this.#layout.instance)) {
          throw error;
        }
        await this.#makeTable(scope);
      }
    });
  }

  async #makeTable(scope: Scope): Promise<void> {
    const { bridge } = this.#started();
    const names = { table: this.#layout.instance, bridge: bridge.name, subnet: bridge.subnet };
    await nft(rulesetScript(names, this.#targets()), scope);
  }

  /** Changes to the table, one at a time, so that the latest records win. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const result = this.#publishing.then(change);
    this.#publishing = result.catch(() => {});
    return result;
  }

  #finishDetach(podUID: string, scope: Scope): void {
    if (this.#leaving.has(podUID)) return;
    const hurry = new AbortController();
    const done = this.#removeWhenUnplugged(podUID, hurry.signal, uncancelled(scope))
      .catch((error: unknown) => {
        scope.log.warn({ pod: podUID, error: explain(error) }, "pod's network is not removed yet");
      })
      .finally(() => this.#leaving.delete(podUID));
    this.#leaving.set(podUID, { done, hurry });
  }

  async #removeWhenUnplugged(podUID: string, hurry: AbortSignal, scope: Scope): Promise<void> {
    const waiting = withSignal(scope, hurry);
    for (const wait of cableWaits) {
      if (hurry.aborted || !linkExists(linkName(podUID))) break;
      await scope.clock.sleep(wait, waiting.signal).catch(() => {});
    }
    await deleteLink(linkName(podUID), scope);
    this.#ready?.leases.release(podUID);
    this.#records.remove(podUID);
  }

  async #removeNow(record: PodRecord, scope: Scope): Promise<void> {
    this.#records.put({ ...record, state: "detaching" });
    if (record.hostPorts.length > 0) await this.#publish(scope);
    await deleteLink(record.link, scope);
    this.#ready?.leases.release(record.podUID);
    this.#records.remove(record.podUID);
  }
}

function hostSideOf({ name, subnet }: Bridge): HostSide {
  return { link: name, address: gatewayOf(subnet), subnet: formatSubnet(subnet) };
}

/** At most 15 characters (IFNAMSIZ): `veth` and the UID's first 11 hex digits, or a hash of a UID that is none. */
export function linkName(podUID: string): string {
  const digits = podUID.replaceAll("-", "");
  const hex = /^[0-9a-f]{11}/.test(digits) ? digits : createHash("sha256").update(podUID).digest("hex");
  return `veth${hex.slice(0, 11)}`;
}
