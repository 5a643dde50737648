import { join } from "node:path";
import { readFileIfExists, readFolderIfExists } from "./files.ts";

/** Pages of one size that the kernel keeps aside (https://docs.kernel.org/admin-guide/mm/hugetlbpage.html). */
export interface HugePages {
  readonly pageBytes: number;
  readonly pages: number;
}

const folder = "/sys/kernel/mm/hugepages";

/** What this machine has of every size that its kernel knows, smallest first; sizes without a page too. */
export function readHugePages(): readonly HugePages[] {
  return readFolderIfExists(folder)
    .flatMap((name) => {
      const kibibytes = /^hugepages-(\d+)kB$/.exec(name)?.[1];
      const pages = Number(readFileIfExists(join(folder, name, "nr_hugepages")) ?? 0);
      return kibibytes === undefined ? [] : [{ pageBytes: Number(kibibytes) * 1024, pages }];
    })
    .sort((a, b) => a.pageBytes - b.pageBytes);
}

/** A page size in the largest whole unit: `2Mi` with suffix `i`, `2MB` (as cgroups have it) with suffix `B`. */
export function pageSizeName(bytes: number, suffix: "i" | "B"): string {
  const units = ["K", "M", "G"];
  const exponent = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  return `${bytes / 1024 ** exponent}${units[exponent - 1]}${suffix}`;
}
