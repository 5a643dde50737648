import type { ContainerView } from "./pod-view.ts";
import { commandsOf, withoutRedirections } from "./shell.ts";
import { textsOf } from "./texts.ts";

/** An absolute path that a container is told about, and the field that has it. */
export interface NamedPath {
  readonly path: string;
  readonly field: string;
  readonly kind: "socket" | "FIFO";
}

/** `/run/app.sock`, `unix:///run/app.socket`: ends in what people call socket files. */
const socketPath =
  /(?<![\w.$}-])(?:unix(?:-stream)?:(?:\/\/)?)?(\/(?!\/)[\w./-]*[\w-]\.(?:sock|socket))(?![\w./-])/g;

/** The socket files and named pipes that a container's manifest names by absolute path, each once. */
export function namedPaths(view: ContainerView): NamedPath[] {
  const found = new Map<string, NamedPath>();
  const pipes = commandsOf(view.container).flatMap((words) =>
    words[0] === "mkfifo" ? withoutRedirections(words).filter((word) => word.startsWith("/")) : [],
  );
  for (const { field, text } of textsOf(view)) {
    for (const [, path = ""] of text.matchAll(socketPath)) {
      if (!found.has(path)) found.set(path, { path, field, kind: "socket" });
    }
    for (const path of pipes) {
      if (!found.has(path) && text.includes(path)) found.set(path, { path, field, kind: "FIFO" });
    }
  }
  return [...found.values()];
}
