import { expect, test } from "vitest";
import { startProcess } from "./child-process.ts";
import { descendantsOf, identifyProcess, isRunning, parseProcessStat, signalProcess } from "./processes.ts";

test("reads a name with parentheses and spaces", () => {
  const fields = ["S", "7", "8", "9", ...Array.from({ length: 15 }, () => "0"), "4321", "0"].join(" ");
  expect(parseProcessStat(`42 (a) b (c) ${fields}`)).toEqual({
    pid: 42,
    command: "a) b (c",
    state: "S",
    parent: 7,
    session: 9,
    isExiting: false,
    startTime: 4321,
  });
});

test("knows itself, its children, and who is not meant", async () => {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new Error("no self");
  expect(isRunning(self)).toBe(true);
  const stranger = { ...self, startTime: self.startTime - 1 };
  expect(isRunning(stranger)).toBe(false);
  expect(signalProcess(stranger, "SIGKILL")).toBe(false);

  const child = startProcess("sleep", ["1000"], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error("no child");
  expect(descendantsOf(process.pid)).toContain(child.pid);
  expect(signalProcess(identity, "SIGTERM")).toBe(true);
  expect(await ended).toBe("SIGTERM");
  expect(isRunning(identity)).toBe(false);
  expect(signalProcess(identity, "SIGTERM")).toBe(false);
});
