import type { AddressRange } from "../../kube/address-range.ts";
import { instanceNumber } from "../instance-number.ts";
import { parseSubnet } from "../ipv4.ts";

/** 10.96.0.0/12, from which clusters customarily give addresses to Services, in 256 parts. */
const firstOfAll = 0x0a600000;
const partSize = 4_096;

/**
 * The addresses from which a node's Services get theirs. Nodes on one machine have pod subnets of their own
 * (10.244.N.0/24), so the same number keeps their Services apart: what the host asks of one node's Service must not
 * be answered by the other. With another subnet, or none, the instance's name decides.
 */
export function serviceRange(podSubnet: string | undefined, instance: string): AddressRange {
  const first = firstOfAll + partOf(podSubnet, instance) * partSize;
  // Without the block's own address and its last, which would be a network's.
  return { first: first + 1, last: first + partSize - 2 };
}

function partOf(podSubnet: string | undefined, instance: string): number {
  const subnet = parseSubnet(podSubnet ?? "");
  if (subnet?.prefix === 24 && Math.floor(subnet.first / 65_536) === 10 * 256 + 244) {
    return Math.floor(subnet.first / 256) % 256;
  }
  return instanceNumber(instance);
}
