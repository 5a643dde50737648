import type { ChannelFact } from "./fact.ts";
import { fifoChannels } from "./fifo.ts";
import { fileChannels } from "./files.ts";
import { pipeChannels } from "./pipe.ts";
import { posixMessageQueueChannels } from "./posix-mq.ts";
import { posixSharedMemoryChannels } from "./posix-shm.ts";
import { signalChannels } from "./signal.ts";
import type { PodSnapshot } from "./snapshot.ts";
import { messageQueueChannels, semaphoreChannels, sharedMemoryChannels } from "./sysv.ts";
import { tcpChannels } from "./tcp.ts";
import { udpChannels } from "./udp.ts";
import { unixChannels } from "./unix.ts";

/** One function per type of channel, each pure. A new type is one file and one line here. */
const joins: readonly ((snapshot: PodSnapshot) => ChannelFact[])[] = [
  tcpChannels,
  udpChannels,
  unixChannels,
  fifoChannels,
  pipeChannels,
  sharedMemoryChannels,
  semaphoreChannels,
  messageQueueChannels,
  posixSharedMemoryChannels,
  posixMessageQueueChannels,
  fileChannels,
  signalChannels,
];

/** All that one look at a pod says of its channels. */
export function channelFacts(snapshot: PodSnapshot): ChannelFact[] {
  return joins.flatMap((join) => join(snapshot));
}
