import { readFileSync, realpathSync, statfsSync } from "node:fs";
import { systemErrorCode } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { kubernetesVersion } from "../base/version.ts";
import { createEvidenceSource } from "../channels/evidence.ts";
import { createChannelObserver } from "../channels/observer.ts";
import type { ChannelObserver } from "../channels/types.ts";
import type { Diagnoser } from "../diagnose/live/diagnoser.ts";
import { isAppArmorEnabled } from "../host/apparmor.ts";
import { pageSizeName } from "../host/huge-pages.ts";
import { readNodeFacts } from "../host/node-facts.ts";
import { createImageService } from "../images/image-service.ts";
import type { ImageService } from "../images/types.ts";
import type { TokenKey } from "../kube/service-account-token.ts";
import { createBridgeNetwork } from "../network/bridge-network.ts";
import { createCNINetwork } from "../network/cni-network.ts";
import { createCgroupCounters } from "../network/counters/cgroup-counters.ts";
import { createServiceNetwork } from "../network/services/service-network.ts";
import type { ServiceNetwork } from "../network/services/types.ts";
import type { PodNetworkDriver } from "../network/types.ts";
import { type Agent, createAgent } from "../node/agent.ts";
import { PodTokens } from "../node/configuration/pod-tokens.ts";
import { EventRecorder } from "../node/event-recorder.ts";
import { type NodeDescription, nodeResources } from "../node/node-object.ts";
import { createRuntime, newContainerID } from "../runtime/runtime-service.ts";
import { createSandboxes } from "../runtime/sandbox/sandboxes.ts";
import type { RuntimeService } from "../runtime/types.ts";
import type { Store } from "../store/types.ts";
import { createVolumeService } from "../volumes/volume-service.ts";
import { createAddressBook } from "./address-book.ts";
import type { DaemonConfig } from "./config.ts";
import { createDiagnoser } from "./pod-diagnoser.ts";

/** A node's parts, put together: the only place that knows which implementation stands behind a port. */
export interface WiredNode {
  readonly agent: Agent;
  readonly observer: ChannelObserver;
  readonly diagnoser: Diagnoser;
  readonly events: EventRecorder;
  readonly images: ImageService;
  readonly network: PodNetworkDriver;
  readonly services: ServiceNetwork;
  readonly runtime: RuntimeService;
  readonly description: NodeDescription;
}

/** Where CNI plugins are looked for: the specification's customary folder and Debian's. */
const cniBinDirs = ["/opt/cni/bin", "/usr/lib/cni"];

/** Makes every driver and the agent from the configuration. Starts nothing. */
export async function wireNode(
  config: DaemonConfig,
  store: Store,
  tokenKey: TokenKey,
  scope: Scope,
): Promise<WiredNode> {
  const { layout } = config;
  const facts = readNodeFacts((name) => /^(peapod|pea[0-9a-f])/.test(name));
  const sandboxes = createSandboxes({
    layout,
    ...(config.runtime === undefined ? {} : { runtime: config.runtime }),
    podMaxPIDs: config.podMaxPIDs,
  });
  const runtime = await createRuntime({
    layout,
    sandboxes,
    ...(config.runtime === undefined ? {} : { runtime: config.runtime }),
    scope,
  });
  const images = createImageService({
    layout,
    ...(config.registriesConf === undefined ? {} : { registriesConf: config.registriesConf }),
  });
  const network =
    config.cniConfDir === undefined
      ? createBridgeNetwork({ layout, ...(config.podCIDR === undefined ? {} : { podCIDR: config.podCIDR }) })
      : createCNINetwork({ layout, confDir: config.cniConfDir, binDirs: cniBinDirs });
  const services = createServiceNetwork({ layout, network, resolvConf: "/etc/resolv.conf" });
  const counters = await createCgroupCounters();
  const hugePages = Object.fromEntries(
    facts.hugePages.map(({ pageBytes, pages }) => [
      `hugepages-${pageSizeName(pageBytes, "i")}`,
      pageBytes * pages,
    ]),
  );
  const size = {
    cpus: facts.cpus,
    memoryBytes: facts.memoryBytes,
    hugePages,
    diskBytes: diskSize(layout.stateDir),
  };
  const events = new EventRecorder(store, facts.hostname);
  const agent = createAgent(
    {
      nodeName: facts.hostname,
      hostIPs: facts.addresses.slice(0, 1),
      store,
      images,
      runtime,
      network,
      services,
      counters,
      volumes: createVolumeService({ layout }),
      events,
      tokens: new PodTokens(store, tokenKey.sign),
      allocatable: nodeResources(size),
      admission: {
        allowedUnsafeSysctls: config.allowedUnsafeSysctls,
        hugePages,
        appArmor: isAppArmorEnabled(),
      },
      newContainerID,
      hostFiles: readHostFiles,
    },
    scope,
  );
  const { name, version } = runtime.version();
  const addresses = createAddressBook(store, {
    name: facts.hostname,
    addresses: () => [...facts.addresses, network.hostSide()?.address].filter((ip) => ip !== undefined),
  });
  const observer = createChannelObserver({ pods: agent.source, counters, addresses });
  const evidence = createEvidenceSource(agent.source);
  return {
    agent,
    observer,
    diagnoser: createDiagnoser({ store, streams: agent.streams, observer, evidence, network }),
    events,
    images,
    network,
    services,
    runtime,
    description: {
      name: facts.hostname,
      runtimeHandlers: runtime.handlers(),
      addresses: facts.addresses,
      ...size,
      podCIDR: config.podCIDR,
      systemInfo: {
        architecture: facts.architecture,
        bootID: facts.bootID,
        containerRuntimeVersion: `${name}://${version}`,
        kernelVersion: facts.kernelVersion,
        kubeletVersion: kubernetesVersion,
        machineID: facts.machineID,
        osImage: facts.osImage,
      },
    },
  };
}

const resolvedStub = "/run/systemd/resolve/stub-resolv.conf";
const resolvedUpstream = "/run/systemd/resolve/resolv.conf";

/**
 * The host's own files as pods inherit them. Where systemd-resolved answers on a loopback address, which means
 * nothing inside a pod, its list of real servers is used (as the kubelet's resolvConf setting advises).
 */
function readHostFiles(): { hosts: string; resolvConf: string } {
  const isStub = tryRead(() => realpathSync("/etc/resolv.conf")) === resolvedStub;
  return {
    hosts: tryRead(() => readFileSync("/etc/hosts", "utf8")) ?? "",
    resolvConf: tryRead(() => readFileSync(isStub ? resolvedUpstream : "/etc/resolv.conf", "utf8")) ?? "",
  };
}

function diskSize(folder: string): number {
  const { blocks, bsize } = statfsSync(folder);
  return blocks * bsize;
}

function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
