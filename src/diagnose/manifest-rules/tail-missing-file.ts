import { canonicalPath, resolvePath } from "../mounted-path.ts";
import { type ContainerView, type PodView, pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";
import { commandsOf, type Words, withoutRedirections } from "../shell.ts";
import { textsOf } from "../texts.ts";

export const tailMissingFile: ManifestRule = {
  id: "tail-missing-file",
  severity: "warning",
  title: "tail -f of a file that the neighbour has yet to make",
  reality:
    "`tail -f FILE` ends with an error when the file isn't there at that moment, and goes on reading the old file when it is " +
    "rotated. A volume of type `emptyDir` starts empty and containers start together: whether the file is there is a race, and the container " +
    "ends (and is restarted) until its neighbour has made the file.",
  fix: "Use `tail -F FILE` (capital F: by name, and try again), or make the file first: `touch FILE; exec tail -f FILE`.",
  scope:
    "`tail` with `-f` but without `-F`, `--retry` or `--follow=name`, of a file on an `emptyDir` that another " +
    "container may write to, while neither this container's script nor an init container mentions the file before.",
  upstream: "https://kubernetes.io/docs/concepts/cluster-administration/logging/#streaming-sidecar-container",
  check(pod) {
    return pod.running.flatMap((view) => {
      const commands = commandsOf(view.container);
      return commands.flatMap((words, index) => {
        const file = followedFile(words);
        if (file === undefined || commands.slice(0, index).some((earlier) => mentions(earlier, file)))
          return [];
        if (!isMadeByNeighbour(view, file, pod)) return [];
        const field = (view.container.command ?? []).length > 0 ? "command" : "args";
        return [
          {
            field: pathIn(view, field),
            message: `container "${view.name}" ends when ${file} isn't there yet: it runs \`${words.join(" ")}\` on a volume that starts empty`,
          },
        ];
      });
    });
  },
};

/** The file of a `tail -f FILE` that doesn't wait for it. */
function followedFile(command: Words): string | undefined {
  const words = withoutRedirections(command);
  if (!/^(?:\/(?:usr\/)?bin\/)?tail$/.test(words[0] ?? "")) return undefined;
  const flags = words.filter((word) => word.startsWith("-"));
  const follows = flags.some((flag) => flag === "--follow" || /^-[^-]*f/.test(flag));
  const patient = flags.some(
    (flag) => flag === "--retry" || flag === "--follow=name" || /^-[^-]*F/.test(flag),
  );
  return follows && !patient ? words.find((word) => word.startsWith("/")) : undefined;
}

function isMadeByNeighbour(
  view: ContainerView,
  file: string,
  { spec, containers, running }: PodView,
): boolean {
  const place = resolvePath(view, file, spec);
  const volume = (spec.volumes ?? []).find(({ name }) => name === place.volume);
  if (volume?.emptyDir === undefined) return false;
  const writer = running.some(
    (other) =>
      other !== view &&
      (other.container.volumeMounts ?? []).some(
        ({ name, readOnly }) => name === volume.name && readOnly !== true,
      ),
  );
  const prepared = containers
    .slice(0, containers.indexOf(view))
    .some(
      (earlier) =>
        earlier.role === "init" &&
        textsOf(earlier).some(({ text }) => text.includes(canonicalPath(file).split("/").at(-1) ?? file)),
    );
  return writer && !prepared;
}

function mentions(words: Words, file: string): boolean {
  return words.some((word) => word.includes(file));
}
