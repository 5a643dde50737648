import { join } from "node:path";
import { explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { runCommand } from "../../host/command.ts";
import type { Layout } from "../../host/layout.ts";
import { deleteNftTable, hasNftTable, listNftChains, nft } from "../../host/nft.ts";
import { clusterDomain } from "../../kube/pod-files.ts";
import type { PodNetworkDriver } from "../types.ts";
import { dnsmasqConfig } from "./dnsmasq-config.ts";
import { NameServer } from "./name-server.ts";
import { outsideNames, resolveAll } from "./outside-names.ts";
import { serviceRules } from "./service-rules.ts";
import { forgetFlows, staleFlows } from "./stale-flows.ts";
import type { NameRecords, NameService, ServiceNetwork, ServicesState } from "./types.ts";

/** How often the addresses of outside names that Services stand for are asked for again. */
const outsideMilliseconds = 30_000;

/**
 * Services by an nft table of their own, `INSTANCE-services`, and a dnsmasq(8) that listens on the pods' bridge. Without
 * a bridge of the node's own (CNI), or without dnsmasq, Services have addresses but no names.
 */
export function createServiceNetwork(options: {
  layout: Layout;
  network: Pick<PodNetworkDriver, "hostSide">;
  /** The host's resolv.conf(5). */
  resolvConf: string;
}): ServiceNetwork {
  return new NftServices(options.layout, options.network, options.resolvConf);
}

class NftServices implements ServiceNetwork {
  readonly #table: string;
  readonly #network: Pick<PodNetworkDriver, "hostSide">;
  readonly #resolvConf: string;
  readonly #nameServer: NameServer;
  #names: NameService = { ok: false, reason: "the node has not started" };
  #rules: string | undefined;
  #forwards: ServicesState["forwards"] = [];
  #outside: { of: string; at: number; addresses: NameRecords["addresses"] } = {
    of: "",
    at: 0,
    addresses: [],
  };

  constructor(layout: Layout, network: Pick<PodNetworkDriver, "hostSide">, resolvConf: string) {
    this.#table = `${layout.instance}-services`;
    this.#network = network;
    this.#resolvConf = resolvConf;
    this.#nameServer = new NameServer(join(layout.runDir, "names"));
  }

  async start(scope: Scope): Promise<void> {
    const hostSide = this.#network.hostSide();
    const missing =
      hostSide === undefined
        ? "the pods' network comes from CNI plugins, and no address of this machine is known to all pods"
        : await dnsmasqProblem(scope);
    this.#names =
      hostSide === undefined || missing !== undefined
        ? { ok: false, reason: missing ?? "" }
        : { ok: true, address: hostSide.address, domain: clusterDomain };
    if (!this.#names.ok) scope.log.warn({ reason: this.#names.reason }, "Services have no names in pods");
  }

  async apply(state: ServicesState, scope: Scope): Promise<void> {
    const hostSide = this.#network.hostSide();
    const port = await this.#serveNames(state, scope);
    const nameServer =
      hostSide === undefined || port === undefined ? undefined : { address: hostSide.address, port };
    const rules = serviceRules({ table: this.#table, podLink: hostSide?.link, nameServer }, state.forwards);
    const isThere = hasNftTable(await listNftChains(scope), "ip", this.#table);
    if (!isThere && this.#rules !== undefined) {
      scope.log.warn({ table: this.#table }, "the nft table is gone: making it again");
    }
    if (rules !== this.#rules || !isThere) {
      await nft(rules, scope);
      this.#rules = rules;
      await forgetFlows(staleFlows(this.#forwards, state.forwards), scope);
      this.#forwards = state.forwards;
    }
    await this.#nameServer.endRetired(scope);
  }

  async stop(scope: Scope): Promise<void> {
    this.#rules = undefined;
    await this.#nameServer.stop(scope);
    await deleteNftTable("ip", this.#table, scope);
  }

  names(): NameService {
    return this.#names;
  }

  /** The port on which the names are served; undefined where they can't be. */
  async #serveNames({ names }: ServicesState, scope: Scope): Promise<number | undefined> {
    const hostSide = this.#network.hostSide();
    if (!this.#names.ok || hostSide === undefined) return undefined;
    const addresses = await this.#outsideAddresses(names.aliases, scope);
    const settings = {
      address: hostSide.address,
      domain: clusterDomain,
      subnets: [hostSide.subnet],
      resolvConf: this.#resolvConf,
    };
    try {
      return await this.#nameServer.serve(
        (port) => dnsmasqConfig({ ...settings, port }, names, addresses),
        scope,
      );
    } catch (error) {
      // Addresses go on working without names.
      scope.log.error({ error: explain(error) }, "name server does not run");
      return undefined;
    }
  }

  async #outsideAddresses(aliases: NameRecords["aliases"], scope: Scope): Promise<NameRecords["addresses"]> {
    const names = outsideNames(aliases, clusterDomain);
    const of = names.join(" ");
    const now = scope.clock.now();
    if (this.#outside.of !== of || now - this.#outside.at >= outsideMilliseconds) {
      this.#outside = { of, at: now, addresses: await resolveAll(names) };
    }
    return this.#outside.addresses;
  }
}

async function dnsmasqProblem(scope: Scope): Promise<string | undefined> {
  try {
    await runCommand("dnsmasq", ["--version"], {}, scope);
    return undefined;
  } catch {
    return "dnsmasq is not installed (Debian package dnsmasq-base)";
  }
}
