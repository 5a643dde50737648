import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietScope } from "../src/base/scope.ts";
import { deleteLink, ipBatch } from "../src/host/ip.ts";
import { pinNamespaces, unpinNamespaces } from "../src/host/namespaces.ts";
import { layCable } from "../src/host/veth.ts";

/**
 * Why sandboxes are made by direct system calls: namespaces and cable of a pod, by these and by the tools (unshare,
 * nsenter, ip), interleaved. Needs root. `node bench/veth.ts [ROUNDS]`
 */
const rounds = Number(process.argv[2] ?? 30);
const scope = quietScope();
const folder = mkdtempSync(join(tmpdir(), "peapod-bench-"));
const name = `pb${randomBytes(4).toString("hex")}`;
const ways = { "system calls": undefined, tools: "1" } as const;
const times = new Map<string, number[]>();

async function measure(step: string, run: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await run();
  times.set(step, [...(times.get(step) ?? []), performance.now() - start]);
}

await ipBatch([`link add dev ${name} up type bridge`], undefined, scope);
try {
  for (let round = 0; round < rounds; round++) {
    for (const [way, withoutCalls] of Object.entries(ways)) {
      if (withoutCalls === undefined) delete process.env.PEAPOD_NO_SYSTEM_CALLS;
      else process.env.PEAPOD_NO_SYSTEM_CALLS = withoutCalls;
      const pins = { net: join(folder, "net"), ipc: join(folder, "ipc"), uts: join(folder, "uts") };
      await measure(`namespaces, ${way}`, () => pinNamespaces({ ...pins, hostname: "bench" }, scope));
      const cable = {
        link: `${name}v`,
        bridge: name,
        mtu: 1500,
        netns: pins.net,
        macAddress: "0a:58:c6:12:63:02",
        address: "198.18.99.2",
        prefix: 24,
        broadcast: "198.18.99.255",
        gateway: "198.18.99.1",
      };
      await measure(`cable, ${way}`, () => layCable(cable, scope));
      await deleteLink(cable.link, scope);
      await unpinNamespaces(Object.values(pins), scope);
    }
  }
} finally {
  await deleteLink(name, scope);
  rmSync(folder, { recursive: true });
}
for (const [step, values] of times) {
  const sorted = values.toSorted((a, b) => a - b);
  const [least = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
  process.stdout.write(`${step.padEnd(28)} median ${median.toFixed(2)} ms, least ${least.toFixed(2)} ms\n`);
}
