import { describe, expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import { JoinedCalls } from "./joined-calls.ts";

const scope = quietScope();
const nobody = () => {};

describe("joined calls", () => {
  test("one piece of work for all who ask meanwhile, a new one afterwards", async () => {
    const calls = new JoinedCalls<number, string>();
    let runs = 0;
    const work = async () => ++runs;
    const both = [calls.join("a", nobody, work, scope), calls.join("a", nobody, work, scope)];
    expect(await Promise.all(both)).toEqual([1, 1]);
    expect(await calls.join("a", nobody, work, scope)).toBe(2);
  });

  test("all hear of progress and of the failure", async () => {
    const calls = new JoinedCalls<number, string>();
    const heard: string[] = [];
    const gate = Promise.withResolvers<number>();
    const work = (tell: (progress: string) => void) => {
      queueMicrotask(() => tell("half"));
      return gate.promise;
    };
    const first = calls.join("a", (line) => heard.push(`1 ${line}`), work, scope);
    const second = calls.join("a", (line) => heard.push(`2 ${line}`), work, scope);
    gate.reject(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await expect(second).rejects.toThrow("no");
    expect(heard).toEqual(["1 half", "2 half"]);
  });

  test("work goes on while anybody waits and is told to end when nobody does", async () => {
    const calls = new JoinedCalls<string, string>();
    const signals: AbortSignal[] = [];
    const work = (_: unknown, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<string>(() => {});
    };
    const [one, two] = [new AbortController(), new AbortController()];
    const first = calls.join("a", nobody, work, quietScope(one.signal));
    const second = calls.join("a", nobody, work, quietScope(two.signal));
    one.abort(new Error("first gave up"));
    await expect(first).rejects.toThrow("first gave up");
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    two.abort(new Error("second gave up"));
    await expect(second).rejects.toThrow("second gave up");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
