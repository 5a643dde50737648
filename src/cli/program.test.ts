import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { version } from "../base/version.ts";

const peapod = join(import.meta.dirname, "..", "..", "bin", "peapod");

/** Runs the program as a user does, on a run folder of its own where no daemon is. */
function run(args: readonly string[], { program = peapod, env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "peapod-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const folders = { PEAPOD_RUN_DIR: folder, PEAPOD_STATE_DIR: folder };
  const environment = { ...process.env, ...folders, PEAPOD_NO_AUTOSTART: "1", ...env };
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(program, args, { env: environment }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
}

describe("exit codes and what is said", { timeout: 60_000 }, () => {
  test.concurrent.each<[string, number, RegExp]>([
    [
      "gte pods",
      2,
      /^error: unknown command "gte"; did you mean "get"\?\nSee 'peapod --help' for usage\.\n$/,
    ],
    [
      "scale deploy/web",
      2,
      /^error: unknown command "scale": kubectl has it \('peapod kubeconfig --merge', then 'kubectl --context peapod scale'\)\n/,
    ],
    ["xyzzy", 2, /^error: unknown command "xyzzy"\n/],
    ["get", 2, /^error: get needs \(TYPE\[,TYPE\.\.\.\] .*\)\nSee 'peapod get --help' for usage\.\n$/],
    ["get pods --nope", 2, /^error: unknown flag: --nope\n/],
    ["get podz", 2, /^error: the server doesn't have a resource type "podz"; did you mean "pods"\?\n/],
    ["get pods a -A", 2, /^error: a resource cannot be retrieved by name across all namespaces\n/],
    ["node restart", 2, /^error: unknown command "restart" for "peapod node"\n/],
    ["up", 2, /^error: up needs -f FILE\n/],
    [
      "up web.yaml",
      2,
      /^error: unexpected argument: web.yaml \(a manifest stands behind -f: -f web.yaml\)\n/,
    ],
    ["check", 2, /^error: check needs FILE/],
    ["down", 2, /^error: down needs one of -f FILE, names of pods or TYPE\/NAME, or --all\n/],
    ["exec web ls", 2, /^error: exec \[POD\] \[COMMAND\] is not supported anymore/],
    ["exec web", 2, /^error: you must specify at least one command for the container\n/],
    ["logs", 2, /^error: logs needs a POD or a selector/],
    ["logs web -c a --all-containers", 2, /^error: --all-containers=true should not be specified/],
    ["delete pod", 2, /^error: resource\(s\) were provided, but no name was specified\n/],
    ["up -d -f /nowhere.yaml", 1, /^error: the path "\/nowhere\.yaml" does not exist\n$/],
    ["node status", 1, /^node is not running \(run folder /],
    ["node status -o json", 1, /^node is not running \(run folder /],
  ])("peapod %s", async (line, code, err) => {
    const result = await run(line.split(" "));
    expect(result).toMatchObject({ code, out: "" });
    expect(result.err).toMatch(err);
  });

  test.concurrent.each([["--help"], ["help"], [""], ["node"], ["get --help"], ["help get"], ["-n x get -h"]])(
    "peapod %s",
    async (line) => {
      const { code, out, err } = await run(line.split(" ").filter(Boolean));
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("Usage: peapod ");
    },
  );

  test("--version", async () => {
    expect(await run(["--version"])).toMatchObject({
      code: 0,
      out: `Client Version: v${version}\n`,
      err: "",
    });
  });

  test("node stop where none runs", async () => {
    expect(await run(["node", "stop"])).toEqual({ code: 0, out: "node is not running\n", err: "" });
  });

  test("an invalid manifest is exit code 3 and starts no daemon", async () => {
    const folder = mkdtempSync(join(tmpdir(), "peapod-cli-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "a.yaml"), "kind: Pod\n");
    writeFileSync(join(folder, "b.yml"), "");
    writeFileSync(join(folder, "c.txt"), "not read");
    const { code, out, err } = await run(["up", "-d", "-f", folder]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toMatch(/a\.yaml:1:1: apiVersion: Required value/);
    expect(err).toMatch(/b\.yml:1:1: the file is empty/);
    expect(err).not.toContain("c.txt");
  });
});

test("the launcher works through symbolic links", async () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(peapod, join(folder, "first"));
  symlinkSync("first", join(folder, "second"));
  const { out } = await run(["version", "--client"], { program: join(folder, "second") });
  expect(out).toMatch(/^Client Version: v\d+\.\d+\.\d+\n$/);
});

test("completion knows every verb and is valid for its shell", { timeout: 60_000 }, async () => {
  const bash = (await run(["completion", "bash"])).out;
  for (const word of ["up", "channels", "--image-fallback", "start stop status"])
    expect(bash).toContain(word);
  const checked = await new Promise((resolve) => {
    const child = execFile("bash", ["-n"], (error, _out, err) => resolve(error === null ? "" : err));
    child.stdin?.end(bash);
  });
  expect(checked).toBe("");
  expect((await run(["completion", "zsh"])).out).toMatch(/^#compdef peapod\n/);
  expect((await run(["completion", "fish"])).out).toContain("complete -c peapod");
  expect((await run(["completion", "tcsh"])).code).toBe(2);
});
