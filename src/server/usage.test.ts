import { expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import { UsageMeter } from "./usage.ts";

function meterOn(clock: { time: number }) {
  const source = { samples: [{ id: "a/main", cpuNanoseconds: 0, memoryBytes: 10 }] };
  const meter = new UsageMeter({ sample: () => source.samples });
  const scope = {
    ...quietScope(),
    clock: {
      now: () => clock.time,
      sleep: async (milliseconds: number) => {
        clock.time += milliseconds;
        source.samples = [{ id: "a/main", cpuNanoseconds: 250_000_000, memoryBytes: 20 }];
      },
    },
  };
  return { meter, source, scope: scope as never };
}

test("the first one who asks waits for a window, the next ones have one", async () => {
  const clock = { time: 1_000 };
  const { meter, source, scope } = meterOn(clock);
  const first = await meter.measure(scope);
  expect(first).toMatchObject({ at: 1_500, windowMilliseconds: 500 });
  expect(first.usage.get("a/main")).toEqual({ cpuNanocores: 500_000_000, memoryBytes: 20 });

  clock.time += 10_000;
  source.samples = [
    { id: "a/main", cpuNanoseconds: 1_250_000_000, memoryBytes: 30 },
    { id: "new/main", cpuNanoseconds: 5, memoryBytes: 1 },
  ];
  const second = await meter.measure(scope);
  expect(second.windowMilliseconds).toBe(10_000);
  expect([...second.usage]).toEqual([["a/main", { cpuNanocores: 100_000_000, memoryBytes: 30 }]]);
});
