import type { ImageService } from "../images/types.ts";
import type { ServiceNetwork } from "../network/services/types.ts";
import type { PodNetworkDriver, TrafficCounters } from "../network/types.ts";
import type { RuntimeService } from "../runtime/types.ts";
import type { Store } from "../store/types.ts";
import type { VolumeService } from "../volumes/types.ts";
import type { AdmissionSettings } from "./admission.ts";
import type { PodTokens } from "./configuration/pod-tokens.ts";
import type { Allocatable } from "./configuration/sources.ts";
import type { EventRecorder } from "./event-recorder.ts";

/** What the agent works with. The daemon wires it; nothing here knows which driver stands behind a port. */
export interface AgentDependencies {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly store: Store;
  readonly images: ImageService;
  readonly runtime: RuntimeService;
  readonly network: PodNetworkDriver;
  readonly services: Pick<ServiceNetwork, "names">;
  readonly counters: TrafficCounters;
  readonly volumes: VolumeService;
  readonly events: EventRecorder;
  readonly tokens: PodTokens;
  /** What a container without limits may use of this machine. */
  readonly allocatable: Allocatable;
  readonly admission: AdmissionSettings;
  readonly newContainerID: () => string;
  /** The host's /etc/hosts and /etc/resolv.conf, as text. */
  readonly hostFiles: () => { hosts: string; resolvConf: string };
}
