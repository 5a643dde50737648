import { tmpdir } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { PeapodError } from "../base/errors.ts";
import { quietScope, withTimeout } from "../base/scope.ts";
import { runCommand } from "./command.ts";

const scope = quietScope();

afterEach(() => {
  delete process.env.PEAPOD_NO_SYSTEM_CALLS;
});

describe.each([
  ["by posix_spawn", undefined],
  ["by Node.js", "1"],
])("a tool started %s", (_way, without) => {
  const run: typeof runCommand = (...args) => {
    if (without !== undefined) process.env.PEAPOD_NO_SYSTEM_CALLS = without;
    return runCommand(...args);
  };

  test("reads its input and gives both outputs", async () => {
    const result = await run("sh", ["-c", "cat; echo problem >&2"], { input: "words" }, scope);
    expect(result).toEqual({ exitCode: 0, stdout: "words", stderr: "problem\n" });
  });

  test("gets environment and folder, and loses what is removed", async () => {
    const script = 'echo "$ADDED $PWD $PATH"';
    const env = { ADDED: "added", PATH: undefined };
    const { stdout } = await run("/bin/sh", ["-c", script], { env, cwd: tmpdir() }, scope);
    expect(stdout).toMatch(`added ${tmpdir()}`);
    expect(stdout).not.toContain(process.env.PATH);
  });

  test("gives a large output whole", async () => {
    const { stdout } = await run("sh", ["-c", "head -c 3000000 /dev/zero | tr '\\0' x"], {}, scope);
    expect(stdout).toHaveLength(3_000_000);
  });

  test("leaves out no line that comes piecemeal", async () => {
    const lines: string[] = [];
    const script = "printf 'one\\ntw' >&2; printf 'o\\n' >&2";
    await run("sh", ["-c", script], { onStderrLine: (line) => lines.push(line) }, scope);
    expect(lines).toEqual(["one", "two"]);
  });

  test("fails with its last words and exit code, unless that one is fine", async () => {
    const failing = ["-c", "echo first >&2; echo last >&2; exit 3"];
    await expect(run("sh", failing, {}, scope)).rejects.toThrow("sh: exit code 3: last");
    expect((await run("sh", failing, { okCodes: [0, 3] }, scope)).exitCode).toBe(3);
  });

  test("that is not there is named", async () => {
    const attempt = run("no-such-tool", [], {}, scope);
    await expect(attempt).rejects.toThrow(/^no-such-tool: .*ENOENT/);
    await expect(attempt).rejects.toBeInstanceOf(PeapodError);
  });

  test("that is killed says by which signal", async () => {
    await expect(run("sh", ["-c", "kill -9 $$"], {}, scope)).rejects.toThrow("sh: killed by SIGKILL");
  });

  test("ends when the scope does", async () => {
    await expect(run("sleep", ["1000"], {}, withTimeout(scope, 50))).rejects.toThrow("killed by SIGTERM");
  });

  test("ends when the scope does while it is being started", async () => {
    const controller = new AbortController();
    const running = run("sleep", ["1000"], {}, quietScope(controller.signal));
    controller.abort();
    await expect(running).rejects.toThrow("killed by SIGTERM");
  });

  test("takes SIGPIPE as every program does", async () => {
    const { stdout } = await run("sh", ["-c", "(yes; echo status $? >&2) | head -1; :"], {}, scope);
    expect(stdout).toBe("y\n");
  });
});

test("many at once are all told apart", async () => {
  const codes = Array.from({ length: 40 }, (_, index) => index);
  const okCodes = codes;
  const results = await Promise.all(
    codes.map((code) => runCommand("sh", ["-c", `exit ${code}`], { okCodes }, scope)),
  );
  expect(results.map(({ exitCode }) => exitCode)).toEqual(codes);
});
