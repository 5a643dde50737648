import { describe, expect, test } from "vitest";
import { commandsOfWords, simpleCommands, withoutRedirections } from "./shell.ts";

describe("simpleCommands", () => {
  test.each<[string, string[][]]>([
    ["", []],
    ["# only a comment", []],
    ["tail -f /logs/a.log", [["tail", "-f", "/logs/a.log"]]],
    ["a; b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]],
    ["echo 'a; b' \"c | $d\" e\\ f", [["echo", "a; b", "c | $d", "e f"]]],
    ["echo a#b # c", [["echo", "a#b"]]],
    [
      "until [ -f /x ]; do sleep 1; done; exec tail /x",
      [["[", "-f", "/x", "]"], ["sleep", "1"], ["done"], ["tail", "/x"]],
    ],
    ["mkfifo /p 2>/dev/null", [["mkfifo", "/p", ">", "/dev/null"]]],
    ["a \\\n  b\nc", [["a", "b"], ["c"]]],
    ["unclosed 'quote", [["unclosed", "'", "quote"]]],
  ])("%s", (script, commands) => {
    expect(simpleCommands(script)).toEqual(commands);
  });
});

describe("commandsOfWords", () => {
  test.each<[string[], string[][]]>([
    [
      ["sh", "-c", "a; b"],
      [["a"], ["b"]],
    ],
    [["/bin/bash", "-euxc", "a"], [["a"]]],
    [["bash", "-o", "pipefail", "-c", "a"], [["a"]]],
    [["busybox", "sh", "-c", "a"], [["a"]]],
    [["node", "-e", "a; b"], [["node", "-e", "a; b"]]],
    [["/bin/sh", "/run.sh"], [["/bin/sh", "/run.sh"]]],
    [[], []],
  ])("%j", (words, commands) => {
    expect(commandsOfWords(words)).toEqual(commands);
  });
});

test("redirections are no arguments", () => {
  expect(withoutRedirections(["cat", "<", "/in", "/a", ">>", "/out"])).toEqual(["cat", "/a"]);
});
