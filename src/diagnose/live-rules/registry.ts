import type { LiveRule } from "../live/view.ts";
import { badCommand } from "./bad-command.ts";
import { configurationMissing } from "./configuration-missing.ts";
import { connectedTooEarly } from "./connected-too-early.ts";
import { declaredPortUnserved } from "./declared-port-unserved.ts";
import { exitsZeroUnderAlways } from "./exits-zero-under-always.ts";
import { fifoReaderGone } from "./fifo-reader-gone.ts";
import { fifoWithoutOtherEnd } from "./fifo-without-other-end.ts";
import { firewallDrops } from "./firewall-drops.ts";
import { imageNotThere } from "./image-not-there.ts";
import { jobNotCompleted } from "./job-not-completed.ts";
import { keepsFailing } from "./keeps-failing.ts";
import { listensElsewhere } from "./listens-elsewhere.ts";
import { neighbourNameUnresolved } from "./neighbour-name-unresolved.ts";
import { notPID1 } from "./not-pid-1.ts";
import { nothingListens } from "./nothing-listens.ts";
import { nothingReceives } from "./nothing-receives.ts";
import { outOfMemory } from "./out-of-memory.ts";
import { portTaken } from "./port-taken.ts";
import { probeFails } from "./probe-fails.ts";
import { probeOnLoopback } from "./probe-misses-loopback.ts";
import { probeWithoutServer } from "./probe-without-server.ts";
import { sandboxFails } from "./sandbox-fails.ts";
import { serviceWithoutPods } from "./service-without-pods.ts";
import { shmFull } from "./shm-full.ts";
import { shmInTwoPlaces } from "./shm-in-two-places.ts";
import { socketNotShared } from "./socket-not-shared.ts";
import { socketPermission } from "./socket-permission.ts";
import { socketUnserved } from "./socket-unserved.ts";
import { staleSocket } from "./stale-socket.ts";
import { volumeNotWritable } from "./volume-not-writable.ts";
import { writeToReadOnly } from "./write-to-read-only.ts";

/** Every rule about running pods, by what they are about: start, ports and addresses, sockets and FIFOs, memory, files, life cycle. */
export const liveRules: readonly LiveRule[] = [
  imageNotThere,
  configurationMissing,
  sandboxFails,
  badCommand,
  nothingListens,
  nothingReceives,
  listensElsewhere,
  connectedTooEarly,
  portTaken,
  neighbourNameUnresolved,
  serviceWithoutPods,
  firewallDrops,
  probeOnLoopback,
  probeWithoutServer,
  declaredPortUnserved,
  socketNotShared,
  socketUnserved,
  socketPermission,
  staleSocket,
  fifoWithoutOtherEnd,
  fifoReaderGone,
  shmFull,
  shmInTwoPlaces,
  writeToReadOnly,
  volumeNotWritable,
  notPID1,
  exitsZeroUnderAlways,
  jobNotCompleted,
  outOfMemory,
  probeFails,
  keepsFailing,
];
