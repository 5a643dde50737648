import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled } from "../base/scope.ts";
import { isGone, readFileIfExists, writeFileAtomically } from "../host/files.ts";
import { ipBatch } from "../host/ip.ts";
import type { Layout } from "../host/layout.ts";
import { loadCNIConfig } from "./cni-config.ts";
import {
  addNetwork,
  type CNIAttachment,
  canPublishPorts,
  checkNetwork,
  deleteNetwork,
} from "./cni-plugins.ts";
import type { PodNetwork, PodNetworkDriver, PodNetworkRequest } from "./types.ts";

/**
 * Pods get their network from CNI plugins (specification 1.0), by the configuration in `confDir` and with the
 * programs in `binDirs`. The configuration is read anew for every pod; what each pod was given is kept in the run
 * folder, so that it is taken back by the configuration it was given by.
 */
export function createCNINetwork(options: {
  layout: Layout;
  confDir: string;
  binDirs: readonly string[];
}): PodNetworkDriver {
  return new CNINetwork(options.layout, options.confDir, options.binDirs);
}

class CNINetwork implements PodNetworkDriver {
  readonly #folder: string;
  readonly #confDir: string;
  readonly #binDirs: readonly string[];
  readonly #attachments = new Map<string, CNIAttachment>();

  constructor(layout: Layout, confDir: string, binDirs: readonly string[]) {
    this.#folder = join(layout.runDir, "network", "cni");
    this.#confDir = confDir;
    this.#binDirs = binDirs;
    for (const attachment of readAttachments(this.#folder)) {
      this.#attachments.set(attachment.request.podUID, attachment);
    }
  }

  async start(): Promise<void> {
    loadCNIConfig(this.#confDir);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  async stop(scope: Scope): Promise<void> {
    for (const podUID of this.list()) {
      scope.log.warn({ pod: podUID }, "pod was still attached to the network");
      await this.detach(podUID, scope);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async attach(request: PodNetworkRequest, scope: Scope): Promise<PodNetwork> {
    const existing = this.#attachments.get(request.podUID);
    const namespaceID = inodeOf(request.netns);
    if (existing !== undefined) {
      if (isWhole(existing) && existing.namespaceID === namespaceID) {
        await this.#check(existing, scope);
        return { ips: addressesOf(existing) };
      }
      await this.detach(request.podUID, scope);
    }
    const config = loadCNIConfig(this.#confDir);
    if (request.hostPorts.length > 0 && !canPublishPorts(config)) {
      const message = `hostPort: no plugin of CNI network ${config.name} has the capability portMappings`;
      throw new PeapodError("FailedCreatePodSandBox", message);
    }
    const attachment: CNIAttachment = { config, request, namespaceID, added: 0, result: undefined };
    this.#put(attachment);
    try {
      await ipBatch(["link set dev lo up"], request.netns, scope);
      const keep = (step: CNIAttachment) => this.#put(step);
      return { ips: addressesOf(await addNetwork(attachment, this.#binDirs, keep, scope)) };
    } catch (error) {
      await this.detach(request.podUID, uncancelled(scope)).catch((undo: unknown) => {
        scope.log.warn({ pod: request.podUID, error: explain(undo) }, "pod's network is not removed yet");
      });
      if (error instanceof PeapodError && error.code === "FailedCreatePodSandBox") throw error;
      throw new PeapodError("FailedCreatePodSandBox", `pod network: ${explain(error)}`, { cause: error });
    }
  }

  async detach(podUID: string, scope: Scope): Promise<void> {
    const attachment = this.#attachments.get(podUID);
    if (attachment === undefined) return;
    await deleteNetwork(attachment, this.#binDirs, scope);
    rmSync(this.#file(podUID), { force: true });
    this.#attachments.delete(podUID);
  }

  find(podUID: string): PodNetwork | undefined {
    const attachment = this.#attachments.get(podUID);
    return attachment !== undefined && isWhole(attachment) ? { ips: addressesOf(attachment) } : undefined;
  }

  list(): readonly string[] {
    return [...this.#attachments.keys()];
  }

  hostSide(): undefined {
    return undefined;
  }

  /** What pods share is the plugins'. */
  async mend(): Promise<void> {}

  obstacles(): readonly [] {
    return [];
  }

  /** A damaged network is only reported: making it anew would take a running pod's address away. */
  async #check(attachment: CNIAttachment, scope: Scope): Promise<void> {
    try {
      await checkNetwork(attachment, this.#binDirs, scope);
    } catch (error) {
      scope.log.warn({ pod: attachment.request.podUID, error: explain(error) }, "pod's network is damaged");
    }
  }

  #put(attachment: CNIAttachment): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileAtomically(this.#file(attachment.request.podUID), JSON.stringify(attachment));
    this.#attachments.set(attachment.request.podUID, attachment);
  }

  #file(podUID: string): string {
    return join(this.#folder, `${encodeURIComponent(podUID)}.json`);
  }
}

function isWhole({ added, config }: CNIAttachment): boolean {
  return added === config.plugins.length;
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function addressesOf({ result }: CNIAttachment): readonly string[] {
  return (result?.ips ?? []).map(({ address }) => address.split("/")[0] ?? "");
}

function readAttachments(folder: string): readonly CNIAttachment[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith(".json"))
    .map((name) => readFileIfExists(join(folder, name)))
    .filter((text) => text !== undefined)
    .map((text) => JSON.parse(text) as CNIAttachment);
}
