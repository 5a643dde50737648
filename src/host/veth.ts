import { closeSync, openSync, readFileSync } from "node:fs";
import type { Scope } from "../base/scope.ts";
import { ipBatch } from "./ip.ts";
import { visitNamespace } from "./namespaces.ts";
import { attribute, type NetlinkRequest, type NetlinkSocket, netlink } from "./netlink.ts";

/** A cable from a bridge of the host into a network namespace. Addresses are IPv4 in dotted form. */
export interface VethCable {
  /** Name of the host's end, which must not exist. */
  readonly link: string;
  readonly bridge: string;
  readonly mtu: number;
  /** Path of the pinned namespace, in which the other end is called `eth0`. */
  readonly netns: string;
  readonly macAddress: string;
  readonly address: string;
  readonly prefix: number;
  readonly broadcast: string;
  readonly gateway: string;
}

/**
 * Lays the cable: both ends up, `lo` up, address, and everything by way of the gateway, neighbours on the bridge too:
 * the host must see both directions of a connection whose addresses it translates. By rtnetlink(7), in about a sixth of the time
 * that two processes of ip(8) take (bench/veth.ts); by these where system calls can't be made. Throws
 * SystemCallFailed or CommandFailed; the link may then exist and is the caller's to delete.
 */
export async function layCable(cable: VethCable, scope: Scope): Promise<void> {
  scope.signal.throwIfAborted();
  const open = await netlink();
  if (open === undefined) await layByTool(cable, scope);
  else await layByNetlink(cable, () => open("route"));
}

async function layByNetlink(cable: VethCable, open: () => NetlinkSocket): Promise<void> {
  const bridgeIndex = Number(readFileSync(`/sys/class/net/${cable.bridge}/ifindex`, "utf8"));
  const netns = openSync(cable.netns, "r");
  const outer = open();
  let inner: NetlinkSocket | undefined;
  try {
    inner = await visitNamespace(cable.netns, "network", open);
    await outer.send([newVeth(cable, bridgeIndex, netns)]);
    const [link] = await inner.send([{ ...linkRequest("eth0", 0), type: 18, flags: 0, what: "find eth0" }]);
    const index = link?.readInt32LE(4) ?? 0;
    await inner.send([
      linkUp("lo"),
      newAddress(cable, index),
      linkUp("eth0"),
      newGatewayRoute(cable.gateway, index),
      newDefaultRoute(cable.gateway),
    ]);
  } finally {
    outer.close();
    inner?.close();
    closeSync(netns);
  }
}

const createFlags = 0x400 | 0x200;
/** IFA_F_NOPREFIXROUTE: the kernel adds no route to the subnet by itself. */
const noPrefixRoute = 0x200;
const up = 1;

/** A change of the named link's flags to `flags`: struct ifinfomsg and the name. */
function linkRequest(name: string, flags: number): NetlinkRequest {
  return {
    type: 16,
    flags: 0,
    payload: Buffer.concat([linkHeader(flags), attribute(3, name)]),
    what: `set link ${name} up`,
  };
}

const linkUp = (name: string) => linkRequest(name, up);

function linkHeader(flags: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(flags, 12);
  return header;
}

function newVeth(cable: VethCable, bridgeIndex: number, netns: number): NetlinkRequest {
  const mac = Buffer.from(cable.macAddress.replaceAll(":", ""), "hex");
  const peer = Buffer.concat([
    linkHeader(0),
    attribute(3, "eth0"),
    attribute(1, mac),
    attribute(4, cable.mtu),
    attribute(28, netns),
  ]);
  const kind = Buffer.concat([attribute(1, "veth"), attribute(2, attribute(1, peer))]);
  const attributes = [attribute(3, cable.link), attribute(4, cable.mtu), attribute(10, bridgeIndex)];
  const payload = Buffer.concat([linkHeader(up), ...attributes, attribute(18, kind)]);
  return { type: 16, flags: createFlags, payload, what: `add link ${cable.link}` };
}

function newAddress(cable: VethCable, index: number): NetlinkRequest {
  const header = Buffer.alloc(8);
  header.writeUInt8(2, 0);
  header.writeUInt8(cable.prefix, 1);
  header.writeUInt32LE(index, 4);
  const address = addressBytes(cable.address);
  const attributes = [
    attribute(2, address),
    attribute(1, address),
    attribute(4, addressBytes(cable.broadcast)),
    attribute(8, noPrefixRoute),
  ];
  return {
    type: 20,
    flags: createFlags,
    payload: Buffer.concat([header, ...attributes]),
    what: `add address ${cable.address}`,
  };
}

function newGatewayRoute(gateway: string, index: number): NetlinkRequest {
  // AF_INET, one address; main table, protocol boot, scope link, unicast.
  const header = Buffer.from([2, 32, 0, 0, 254, 3, 253, 1, 0, 0, 0, 0]);
  const payload = Buffer.concat([header, attribute(1, addressBytes(gateway)), attribute(4, index)]);
  return { type: 24, flags: createFlags, payload, what: `add route to ${gateway}` };
}

function newDefaultRoute(gateway: string): NetlinkRequest {
  // AF_INET; main table, protocol boot, scope universe, unicast.
  const header = Buffer.from([2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
  const payload = Buffer.concat([header, attribute(5, addressBytes(gateway))]);
  return { type: 24, flags: createFlags, payload, what: `add default route via ${gateway}` };
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

async function layByTool(cable: VethCable, scope: Scope): Promise<void> {
  const { link, bridge, mtu, netns, macAddress, address, prefix, broadcast, gateway } = cable;
  const peer = `peer name eth0 address ${macAddress} mtu ${mtu} netns ${netns}`;
  await ipBatch([`link add dev ${link} mtu ${mtu} master ${bridge} up type veth ${peer}`], undefined, scope);
  await ipBatch(
    [
      "link set dev lo up",
      `address add ${address}/${prefix} broadcast ${broadcast} dev eth0 noprefixroute`,
      "link set dev eth0 up",
      `route add ${gateway} dev eth0 scope link`,
      `route add default via ${gateway}`,
    ],
    netns,
    scope,
  );
}
