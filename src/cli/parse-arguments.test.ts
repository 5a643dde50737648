import { describe, expect, test } from "vitest";
import type { OptionSpecs } from "./command.ts";
import { parseArguments } from "./parse-arguments.ts";

const specs = {
  output: { type: "string", short: "o", summary: "", choices: ["json", "yaml"] },
  filename: { type: "strings", short: "f", summary: "" },
  wait: { type: "boolean", summary: "", default: true },
  stdin: { type: "boolean", short: "i", summary: "" },
  tty: { type: "boolean", short: "t", summary: "" },
  container: { type: "string", short: "c", summary: "" },
  tail: { type: "integer", summary: "", default: -1 },
  since: { type: "duration", summary: "" },
} as const satisfies OptionSpecs;

const parse = (line: string) => parseArguments(line.split(" ").filter(Boolean), specs);

describe("kubectl's ways to write flags", () => {
  test.each([
    ["-o json", { output: "json" }],
    ["-ojson", { output: "json" }],
    ["-o=json", { output: "json" }],
    ["--output=json", { output: "json" }],
    ["--output json", { output: "json" }],
    ["-f a -f b --filename=c -f -", { filename: ["a", "b", "c", "-"] }],
    ["", { wait: true, stdin: false, tail: -1, since: undefined, filename: [] }],
    ["--wait=false", { wait: false }],
    ["-it -c main", { stdin: true, tty: true, container: "main" }],
    ["-itc main", { stdin: true, tty: true, container: "main" }],
    ["--tail -1", { tail: -1 }],
    ["--tail=20", { tail: 20 }],
    ["--since 1h30m", { since: 5_400_000 }],
    ["--container=a=b", { container: "a=b" }],
  ])("%s", (line, expected) => {
    expect(parse(line).options).toMatchObject(expected);
  });

  test("flags and arguments in any order; everything after -- as it is", () => {
    expect(parse("web -c main other -- ls -l -- x")).toMatchObject({
      args: ["web", "other"],
      rest: ["ls", "-l", "--", "x"],
      options: { container: "main" },
    });
    expect(parse("web").rest).toBeUndefined();
  });

  test("an on-off flag takes no value from the next word", () => {
    expect(parse("--wait false")).toMatchObject({ args: ["false"], options: { wait: true } });
  });
});

describe("what is wrong with a command line", () => {
  test.each([
    ["--nope", "unknown flag: --nope"],
    ["--nope=3", "unknown flag: --nope"],
    ["-x", "unknown shorthand flag: 'x' in -x"],
    ["--c main", "unknown flag: --c"],
    ["--output", "flag needs an argument: -o, --output"],
    ["-o xml", 'invalid argument "xml" for "-o, --output" flag: want one of json, yaml'],
    ["--tail many", 'invalid argument "many" for "--tail" flag: want a whole number'],
    ["--wait=maybe", 'invalid argument "maybe" for "--wait" flag: want true or false'],
    ["--since soon", 'invalid argument "soon" for "--since" flag: want a duration such as 90s, 5m or 1h30m'],
    ["--constructor", "unknown flag: --constructor"],
  ])("%s", (line, message) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ code: "Usage", message }));
  });
});
