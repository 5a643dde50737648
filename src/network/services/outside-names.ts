import { lookup } from "node:dns/promises";
import type { NameRecords } from "./types.ts";

/** The names outside the domain that aliases lead to, sorted. */
export function outsideNames(aliases: NameRecords["aliases"], domain: string): readonly string[] {
  const targets = new Set(aliases.map(({ target }) => target));
  return [...targets].filter((target) => !target.endsWith(`.${domain}`)).sort();
}

/**
 * The IPv4 addresses of names as this machine resolves them now; a name that has none at present is left out. In a
 * fixed order, so that the same addresses are the same answer.
 */
export async function resolveAll(names: readonly string[]): Promise<NameRecords["addresses"]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const addresses = await lookup(name, { family: 4, all: true }).catch(() => []);
      const unique = new Set(addresses.map(({ address }) => address));
      return [...unique].sort().map((ip) => ({ name, ip }));
    }),
  );
  return found.flat();
}
