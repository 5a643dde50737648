import { PeapodError } from "../base/errors.ts";

/** A block of IPv4 addresses. */
export interface Subnet {
  /** First address, as a 32-bit number. */
  readonly first: number;
  readonly prefix: number;
}

/** `10.244.0.1` as a number, or undefined when it is no IPv4 address. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

/** The address in dotted form. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** `10.244.0.0/24`, a bare address as a block of one, or `default`; undefined when it is none of these. */
export function parseSubnet(text: string): Subnet | undefined {
  if (text === "default") return { first: 0, prefix: 0 };
  const [addressText = "", prefixText = "32", ...rest] = text.split("/");
  const address = parseAddress(addressText);
  const prefix = /^\d{1,2}$/.test(prefixText) ? Number(prefixText) : 33;
  if (address === undefined || prefix > 32 || rest.length > 0) return undefined;
  return { first: address - (address % sizeOf({ first: 0, prefix })), prefix };
}

/** The block in CIDR form. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.first)}/${subnet.prefix}`;
}

/** How many addresses it has. */
export function sizeOf(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefix);
}

/** Whether two blocks share an address. */
export function overlaps(one: Subnet, other: Subnet): boolean {
  return one.first < other.first + sizeOf(other) && other.first < one.first + sizeOf(one);
}

/** A pod subnet as a user wrote it. Throws Usage unless it is a CIDR block with room for two addresses. */
export function podSubnet(text: string): Subnet {
  const subnet = text.includes("/") ? parseSubnet(text) : undefined;
  if (subnet === undefined || subnet.prefix < 8 || subnet.prefix > 29) {
    throw new PeapodError("Usage", `pod subnet "${text}": must be an IPv4 block between /8 and /29`);
  }
  return subnet;
}

/** The bridge's own address: the block's second, as everywhere. */
export function gatewayOf(subnet: Subnet): string {
  return formatAddress(subnet.first + 1);
}

/** A locally administered MAC address made from an IPv4 address: the same again for the same address. */
export function macAddressFor(address: number): string {
  const bytes = formatAddress(address).split(".").map(Number);
  return ["0a", "58", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
