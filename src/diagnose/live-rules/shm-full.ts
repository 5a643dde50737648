import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { LiveRule } from "../live/view.ts";

/** As full as this is full: the next page or two gets ENOSPC or SIGBUS. */
const fullShare = 0.95;

export const shmFull: LiveRule = {
  id: "shm-full",
  severity: "error",
  title: "/dev/shm is full",
  reality:
    "The pod's `/dev/shm` is one tmpfs of 64 MiB for all its containers. What doesn't fit fails with ENOSPC in write(2) and fallocate(2), and " +
    "kills the program with SIGBUS when it touches mapped memory.",
  fix: "Mount an `emptyDir` with `medium: Memory` (and a `sizeLimit`) at /dev/shm in every container that shares the memory.",
  scope: "statfs(2) of a container's /dev/shm says that 95 % or more is used.",
  upstream: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
  check(view) {
    const seen = new Set<string>();
    return (view.evidence?.containers ?? []).flatMap(({ name, hostPID, sharedMemory }) => {
      if (sharedMemory === undefined || sharedMemory.size === 0 || seen.has(sharedMemory.device)) return [];
      const used = sharedMemory.size - sharedMemory.available;
      if (used / sharedMemory.size < fullShare) return [];
      seen.add(sharedMemory.device);
      const sharing = (view.evidence?.containers ?? [])
        .filter((each) => each.sharedMemory?.device === sharedMemory.device)
        .map((each) => each.name);
      const lines = sharing.flatMap((each) => errorLines(view, each, errorPatterns.ENOSPC).slice(0, 1));
      return [
        {
          containers: sharing,
          message: `/dev/shm of ${sharing.map((each) => `"${each}"`).join(", ")} is full: ${mebibytes(used)} of ${mebibytes(sharedMemory.size)} used`,
          evidence: [
            {
              source: `statfs /proc/${hostPID}/root/dev/shm`,
              detail: `container ${name}: ${sharedMemory.available} of ${sharedMemory.size} bytes free; files ${sharedMemory.names.join(", ")}`,
            },
            ...lines.map(logEvidence),
          ],
        },
      ];
    });
  },
};

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
