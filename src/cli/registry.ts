import type { CommandGroup, CommandSpec } from "./command.ts";

/** Every verb, in the order of the help; loaded one at a time, because a command should not pay for the others. */
export const commandLoaders: Readonly<Record<string, () => Promise<CommandSpec | CommandGroup>>> = {
  up: async () => (await import("./commands/up.ts")).up,
  down: async () => (await import("./commands/down.ts")).down,
  get: async () => (await import("./commands/get.ts")).get,
  describe: async () => (await import("./commands/describe.ts")).describe,
  logs: async () => (await import("./commands/logs.ts")).logs,
  exec: async () => (await import("./commands/exec.ts")).exec,
  attach: async () => (await import("./commands/attach.ts")).attach,
  "port-forward": async () => (await import("./commands/port-forward.ts")).portForward,
  delete: async () => (await import("./commands/delete.ts")).deleteCommand,
  check: async () => (await import("./commands/check.ts")).check,
  why: async () => (await import("./commands/why.ts")).why,
  channels: async () => (await import("./commands/channels.ts")).channels,
  measure: async () => (await import("./commands/measure.ts")).measure,
  kubeconfig: async () => (await import("./commands/kubeconfig.ts")).kubeconfig,
  node: async () => (await import("./commands/node.ts")).node,
  image: async () => (await import("./commands/image.ts")).image,
  version: async () => (await import("./commands/version.ts")).version,
  completion: async () => (await import("./commands/completion.ts")).completion,
};

/** All of them, for help, documentation and completion. */
export function loadAllCommands(): Promise<(CommandSpec | CommandGroup)[]> {
  return Promise.all(Object.values(commandLoaders).map((load) => load()));
}
