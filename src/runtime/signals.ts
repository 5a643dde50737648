import { constants } from "node:os";

/** The C library's first and last real-time signals on Linux (signal(7)). */
const firstRealTime = 34;
const lastRealTime = 64;

/**
 * The number of a signal written as image configurations and Kubernetes do: `SIGTERM`, `TERM`, `15`,
 * `SIGRTMIN+3`, `SIGRTMAX-1`. Undefined for anything else.
 */
export function signalNumber(name: string): number | undefined {
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    return number >= 1 && number <= lastRealTime ? number : undefined;
  }
  const upper = name.toUpperCase();
  const full = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(full);
  if (realTime !== null) {
    const [, edge, sign, offset = "0"] = realTime;
    const number = (edge === "MIN" ? firstRealTime : lastRealTime) + (sign === "-" ? -1 : 1) * Number(offset);
    return number >= firstRealTime && number <= lastRealTime ? number : undefined;
  }
  return (constants.signals as Record<string, number>)[full];
}
