import { posix } from "node:path";
import type { LiveEvidence, LiveView, LogLine } from "./view.ts";
import { isRunning } from "./view.ts";

/**
 * How programs write the kernel's errors: their names, strerror(3)'s words, Python's numbers.
 * https://man7.org/linux/man-pages/man3/errno.3.html
 */
export const errorPatterns = {
  EADDRINUSE: /EADDRINUSE|address (?:is )?already in use|\[Errno 98\]/i,
  ECONNREFUSED: /ECONNREFUSED|connection refused|couldn't connect to server|\[Errno 111\]/i,
  EACCES: /EACCES|permission denied|\[Errno 13\]/i,
  ENOSPC: /ENOSPC|no space left on device|\[Errno 28\]|bus error/i,
  EROFS: /EROFS|read-only file system|\[Errno 30\]/i,
  EPIPE: /EPIPE|broken pipe|\[Errno 32\]|SIGPIPE/i,
  ENOENT: /ENOENT|no such file or directory|\[Errno 2\]/i,
  // getaddrinfo(3) in glibc, musl, Go, Node.js, curl and busybox.
  resolve:
    /ENOTFOUND|EAI_AGAIN|name or service not known|temporary failure in name resolution|name does not resolve|no such host|bad address|could not resolve host|nodename nor servname|no address associated/i,
} as const;

/** A line of a container that runs counts as long as it is this young. */
const recentMilliseconds = 30_000;

/**
 * The lines of a container with an error that still matters: of one that runs, those of the last thirty seconds;
 * of one that ended, those of its last instance. Newest first.
 */
export function errorLines(view: LiveView, container: string, pattern: RegExp): LogLine[] {
  const status = view.status(container);
  const succeeded = status?.state?.terminated?.exitCode === 0;
  const running = isRunning(view, container);
  return view.log
    .filter((line) => {
      if (line.container !== container || succeeded || !pattern.test(line.text)) return false;
      if (running) return view.now - line.at < recentMilliseconds;
      return !line.previous || !view.log.some((other) => other.container === container && !other.previous);
    })
    .toReversed();
}

/** A log line as evidence. */
export function logEvidence({ container, previous, text }: LogLine): LiveEvidence {
  return {
    source: `log of container ${container}${previous ? ", instance before" : ""}`,
    detail: text.length > 300 ? `${text.slice(0, 300)}…` : text,
  };
}

// Not after a letter or a scheme's slash, so that URLs and relative paths are none.
const absolutePath = /(?<![\w.:/-])\/(?!\/)[\w.@+/-]*[\w@+-]/g;

/** The absolute paths in a text, in normal form, each once. */
export function pathsIn(text: string): string[] {
  const found = [...text.matchAll(absolutePath)].map(([path]) => posix.normalize(path));
  return [...new Set(found.filter((path) => path !== "/"))];
}

/** Port numbers that a message names as such: `:8080`, `port 8080`, `port: 8080`. */
export function portsIn(text: string): number[] {
  return [...text.matchAll(/(?:(?<=[\w\]*.]|\s|^|\():|\bport[:= ]+)(\d{1,5})\b/gi)]
    .map(([, digits]) => Number(digits))
    .filter((port) => port > 0 && port < 65_536);
}
