import { cpus, freemem, totalmem } from "node:os";
import { cgroupUsage } from "../host/cgroup-usage.ts";
import type { RuntimeService } from "../runtime/types.ts";
import type { UsageSample, UsageSource } from "../server/usage.ts";

const nanosecondsPerMillisecond = 1_000_000;

/** Usage of the running containers by their cgroups' counters, and of the machine by the kernel's. */
export function usageSource(runtime: RuntimeService): UsageSource {
  return {
    sample: () => [
      nodeSample(),
      ...runtime.listContainers().flatMap(({ phase, podUID, name, cgroup }): UsageSample[] => {
        const usage = phase === "Running" ? cgroupUsage(cgroup) : undefined;
        if (usage === undefined) return [];
        const { cpuNanoseconds, workingSetBytes } = usage;
        return [{ id: `${podUID}/${name}`, cpuNanoseconds, memoryBytes: workingSetBytes }];
      }),
    ],
  };
}

function nodeSample(): UsageSample {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return {
    id: "",
    cpuNanoseconds: busy * nanosecondsPerMillisecond,
    memoryBytes: totalmem() - freemem(),
  };
}
