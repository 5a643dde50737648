import { createHash } from "node:crypto";
import { PeapodError } from "../../base/errors.ts";

/** How many users and groups a pod with a user namespace has (the kubelet's userNsUnitLength). */
export const rangeSize = 65_536;

/** IDs from 2³¹ on are more than some programs and file systems can count. */
const rangesOfMachine = 2 ** 31 / rangeSize;

/** Users that this machine gives away by /etc/subuid and /etc/subgid (subuid(5)). */
export interface SubordinateIDs {
  readonly subuid: string;
  readonly subgid: string;
}

interface Range {
  readonly owner: string;
  readonly first: number;
  readonly count: number;
}

/**
 * The first ID of a range of this machine's users and groups for a pod: 65536 IDs, a multiple of 65536, that no pod
 * of this node has (`taken`). From the range that user `kubelet` has in /etc/subuid and /etc/subgid, as the kubelet
 * takes it; without one any that overlaps no range of another user there, in an order that the instance's name turns
 * so that nodes side by side do not reach for the same ones (the default instance begins with 65536). Pure. Throws
 * ServiceUnavailable when all are taken and, as the kubelet does, when its range is not whole.
 * https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#set-up-a-node-to-support-user-namespaces
 */
export function chooseUserRange(
  taken: ReadonlySet<number>,
  instance: string,
  subordinate: SubordinateIDs,
): number {
  const own = kubeletRange(subordinate);
  const candidates =
    own === undefined ? rangesOutside(instance, subordinate) : wholeRanges(own.first, own.count);
  for (const candidate of candidates) if (!taken.has(candidate)) return candidate;
  throw new PeapodError("ServiceUnavailable", "no range of user IDs is left for a user namespace");
}

function kubeletRange({ subuid, subgid }: SubordinateIDs): Range | undefined {
  const [users, groups] = [subuid, subgid].map((text) =>
    parse(text).filter(({ owner }) => owner === "kubelet"),
  );
  const [user] = users ?? [];
  const [group] = groups ?? [];
  if (user === undefined && group === undefined) return undefined;
  const isOne = users?.length === 1 && groups?.length === 1;
  if (!isOne || user?.first !== group?.first || user?.count !== group?.count) {
    throw new PeapodError(
      "ServiceUnavailable",
      "user kubelet must have one and the same range in /etc/subuid and /etc/subgid",
    );
  }
  if (user === undefined || user.first % rangeSize !== 0 || user.first === 0 || user.count < rangeSize) {
    throw new PeapodError(
      "ServiceUnavailable",
      `the range of user kubelet in /etc/subuid must begin at a multiple of ${rangeSize} and have as many IDs`,
    );
  }
  return user;
}

function* wholeRanges(first: number, count: number): Generator<number> {
  for (let id = first; id + rangeSize <= first + count; id += rangeSize) yield id;
}

function* rangesOutside(instance: string, { subuid, subgid }: SubordinateIDs): Generator<number> {
  const others = [...parse(subuid), ...parse(subgid)];
  const hash = createHash("sha256").update(instance).digest().readUInt16BE(0);
  const start = instance === "peapod" ? 0 : hash;
  for (let index = 0; index < rangesOfMachine - 1; index += 1) {
    const id = (((start + index) % (rangesOfMachine - 1)) + 1) * rangeSize;
    const isOthers = others.some(({ first, count }) => id < first + count && first < id + rangeSize);
    if (!isOthers) yield id;
  }
}

function parse(text: string): Range[] {
  return text.split("\n").flatMap((line) => {
    const [, owner = "", first, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return first === undefined ? [] : [{ owner, first: Number(first), count: Number(count) }];
  });
}
