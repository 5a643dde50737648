import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";

export const shmInTwoPlaces: LiveRule = {
  id: "shm-in-two-places",
  severity: "error",
  title: "Two containers have different /dev/shm",
  reality:
    "POSIX shared memory and semaphores (shm_open(3), sem_open(3)) are files in `/dev/shm`. The pod has one for all its containers, but a " +
    "volume that only one of them mounts there takes its place in that one: the other looks for the name in another tmpfs.",
  fix: "Mount the same volume at /dev/shm in both containers, or in none.",
  scope:
    "The /dev/shm of two containers are different file systems, and the same name exists in both, or one of them " +
    "wrote that a file is missing in a line with a name that exists in the other's.",
  upstream: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
  check(view) {
    const containers = (view.evidence?.containers ?? []).filter(
      ({ sharedMemory }) => sharedMemory !== undefined,
    );
    return containers.flatMap((first) =>
      containers.flatMap((second): LiveObservation[] => {
        const [mine, theirs] = [first.sharedMemory, second.sharedMemory];
        if (mine === undefined || theirs === undefined || mine.device === theirs.device) return [];
        const lines = errorLines(view, first.name, errorPatterns.ENOENT);
        const missed = theirs.names
          .filter((name) => !mine.names.includes(name))
          .map((name) => ({ name, line: lines.find(({ text }) => mentions(text, name)) }))
          .find(({ line }) => line !== undefined);
        const twice =
          first.name < second.name ? theirs.names.find((name) => mine.names.includes(name)) : undefined;
        const name = missed?.name ?? twice;
        if (name === undefined) return [];
        const stat = (
          { hostPID, name: container }: typeof first,
          has: readonly string[],
          device: string,
        ) => ({
          source: `stat /proc/${hostPID}/root/dev/shm`,
          detail: `container ${container}: device ${device}, ${has.includes(name) ? "has" : "lacks"} ${name}`,
        });
        return [
          {
            containers: [first.name, second.name],
            message:
              missed === undefined
                ? `"${name}" exists twice: the /dev/shm of container "${first.name}" is another one than that of container "${second.name}"`
                : `container "${first.name}" does not find "${name}": it is in the /dev/shm of container "${second.name}", which is another one`,
            evidence: [
              stat(first, mine.names, mine.device),
              stat(second, theirs.names, theirs.device),
              ...(missed?.line === undefined ? [] : [logEvidence(missed.line)]),
            ],
          },
        ];
      }),
    );
  },
};

/** `sem.gate` is what sem_open(3) makes of `/gate`. */
function mentions(text: string, name: string): boolean {
  const plain = name.replace(/^sem\./, "").replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(?<![\\w-])${plain}(?![\\w-])`).test(text);
}
