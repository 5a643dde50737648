import type { ContainerView } from "./pod-view.ts";
import { commandLine } from "./shell.ts";

/** TCP ports that the flags of a container bind, by where. */
export interface ListenFlags {
  /** Ports bound to a loopback address, with the flag that says so. */
  readonly loopback: ReadonlyMap<number, string>;
  readonly elsewhere: ReadonlySet<number>;
}

/** Reads flags such as `--listen=127.0.0.1:80` and `--bind-address :80` from a container's command line. */
export function listenFlags(view: ContainerView): ListenFlags {
  const loopback = new Map<number, string>();
  const elsewhere = new Set<number>();
  const words = commandLine(view.container);
  for (const [index, word] of words.entries()) {
    const match = /^(?<flag>--?[\w.-]+?)(?:=(?<value>.*))?$/s.exec(word);
    if (!/(?:listen|bind)(?:[-_.]?(?:address|addr|on))?$/i.test(match?.groups?.flag ?? "")) continue;
    const value = match?.groups?.value ?? words[index + 1] ?? "";
    const address = /^(?:\w+:\/\/)?(?<host>[\w.-]*|\[[\da-f:.]*\]):(?<port>\d+)$/i.exec(value)?.groups;
    if (address === undefined) continue;
    const port = Number(address.port);
    const isLoopback = /^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(address.host ?? "");
    if (isLoopback) loopback.set(port, match?.groups?.value === undefined ? `${word} ${value}` : word);
    else elsewhere.add(port);
  }
  return { loopback, elsewhere };
}
