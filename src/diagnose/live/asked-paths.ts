import { posix } from "node:path";
import { namedPaths } from "../named-paths.ts";
import { viewPod } from "../pod-view.ts";
import { textsOf } from "../texts.ts";
import { errorPatterns, pathsIn } from "./log-errors.ts";
import type { LiveFacts } from "./view.ts";

/** More would be no evidence but a search. */
const maxPaths = 64;

const fileErrors = [
  errorPatterns.EACCES,
  errorPatterns.EROFS,
  errorPatterns.ENOENT,
  errorPatterns.ECONNREFUSED,
  errorPatterns.EADDRINUSE,
  errorPatterns.ENOSPC,
];

/**
 * The paths at which evidence must look: those that errors in the log name, and sockets and pipes that the manifest
 * names, as each container calls them.
 */
export function askedPaths({
  pod,
  log,
}: Pick<LiveFacts, "pod" | "log">): { container: string; path: string }[] {
  const view = viewPod(pod, "Pod", new Set());
  const fromLog = log
    .filter(({ text }) => fileErrors.some((pattern) => pattern.test(text)))
    .flatMap(({ container, text }) => pathsIn(text).map((path) => ({ container, path })));
  const fromManifest = view.containers.flatMap((container) => [
    ...namedPaths(container).map(({ path }) => ({ container: container.name, path: posix.normalize(path) })),
    ...textsOf(container)
      .filter(({ text }) => /^\/[^\s'"$]+$/.test(text))
      .map(({ text }) => ({ container: container.name, path: posix.normalize(text) })),
  ]);
  const all = [...fromLog.toReversed(), ...fromManifest];
  return [...new Map(all.map((each) => [`${each.container} ${each.path}`, each])).values()].slice(
    0,
    maxPaths,
  );
}
