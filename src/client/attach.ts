import type { ExecOptions } from "./exec.ts";
import { pods, resourcePath } from "./resources.ts";

/** Path and query of the attach subresource; it is spoken like exec's. */
export function attachPath(
  pod: { readonly namespace: string; readonly name: string },
  options: Omit<ExecOptions, "command">,
): string {
  const query = new URLSearchParams();
  if (options.container !== undefined) query.set("container", options.container);
  if (options.stdin !== undefined) query.set("stdin", "true");
  query.set("stdout", "true");
  query.set(options.tty ? "tty" : "stderr", "true");
  return `${resourcePath(pods, { ...pod, subresource: "attach" })}?${query}`;
}
