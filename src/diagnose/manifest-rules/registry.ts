import type { ManifestRule } from "../rule.ts";
import { alwaysOnAppContainer } from "./always-on-app-container.ts";
import { commandEnds } from "./command-ends.ts";
import { containerPortMovesNothing } from "./container-port-moves-nothing.ts";
import { duplicateHostPort } from "./duplicate-host-port.ts";
import { duplicatePort } from "./duplicate-port.ts";
import { fieldRefPlace } from "./field-ref-place.ts";
import { hostPidInit } from "./host-pid-init.ts";
import { initIsNotPid1 } from "./init-is-not-pid-1.ts";
import { memoryVolumeLimit } from "./memory-volume-limit.ts";
import { neighbourByName } from "./neighbour-by-name.ts";
import { pathNotShared } from "./path-not-shared.ts";
import { probeHostLoopback } from "./probe-host-loopback.ts";
import { probeLoopbackListener } from "./probe-loopback-listener.ts";
import { readOnlyRoot } from "./read-only-root.ts";
import { samePortTwice } from "./same-port-twice.ts";
import { shmSplit } from "./shm-split.ts";
import { shmTooSmall } from "./shm-too-small.ts";
import { sidecarKeepsJobRunning } from "./sidecar-keeps-job-running.ts";
import { sidecarStoppedEarly } from "./sidecar-stopped-early.ts";
import { sidecarWithoutStartupProbe } from "./sidecar-without-startup-probe.ts";
import { socketOwner } from "./socket-owner.ts";
import { tailMissingFile } from "./tail-missing-file.ts";
import { volumeOwner } from "./volume-owner.ts";

/** Every rule about manifests, by what they are about: ports and addresses, memory, files, life cycle, processes. */
export const manifestRules: readonly ManifestRule[] = [
  samePortTwice,
  containerPortMovesNothing,
  duplicatePort,
  duplicateHostPort,
  neighbourByName,
  probeHostLoopback,
  probeLoopbackListener,
  shmTooSmall,
  shmSplit,
  memoryVolumeLimit,
  socketOwner,
  pathNotShared,
  volumeOwner,
  readOnlyRoot,
  tailMissingFile,
  commandEnds,
  alwaysOnAppContainer,
  sidecarWithoutStartupProbe,
  sidecarKeepsJobRunning,
  sidecarStoppedEarly,
  initIsNotPid1,
  hostPidInit,
  fieldRefPlace,
];
