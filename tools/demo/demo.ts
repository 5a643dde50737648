import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { type DemoNode, makeNode } from "./node.ts";
import { registryAnswers } from "./registry.ts";

// `make demo`: runs every example on a node of its own, prints what the containers said and how they talked,
// and leaves nothing behind.

const examplesDir = join(import.meta.dirname, "../../examples");
const linesPerContainer = 3;
const patienceMilliseconds = 20_000;

/** The part of a Channel that the answer at the end needs. */
interface Channel {
  readonly spec: { readonly type: string; readonly scope: string; readonly address?: string };
  readonly status: { readonly needsPort: boolean };
}

type Style = Parameters<typeof styleText>[0];

function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

function title(text: string): void {
  console.log(`\n${paint(["bold", "cyan"], `== ${text}`)}`);
}

function command(...words: string[]): void {
  console.log(paint("dim", `$ peapod ${words.join(" ")}`));
}

/** Asks again until `enough` is content or patience ends; the last answer either way. */
async function eventually<T>(ask: () => T, enough: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    const answer = ask();
    if (enough(answer) || Date.now() > deadline) return answer;
    await sleep(300);
  }
}

function firstLines(text: string): string[] {
  return text.split("\n").filter(Boolean).slice(0, linesPerContainer);
}

/** Runs one example until each of its containers has said something, and prints that. */
async function runExample(node: DemoNode, file: string, options: string[]): Promise<boolean> {
  const pod = basename(file, ".yaml");
  title(`examples/${basename(file)}`);
  command("up", "-d", ...options, "-f", `examples/${basename(file)}`);
  if (!node.show("up", "-d", ...options, "-f", file)) return false;

  const { spec } = JSON.parse(node.peapod("get", "pod", pod, "-o", "json"));
  let spoke = true;
  for (const { name } of spec.containers as { name: string }[]) {
    command("logs", pod, "-c", name);
    const lines = await eventually(
      () => firstLines(node.peapod("logs", pod, "-c", name)),
      (found) => found.length === linesPerContainer,
    );
    for (const line of lines) console.log(`  ${paint("green", line)}`);
    spoke &&= lines.length > 0;
  }
  if (!spoke) console.log(paint("red", `not every container of ${pod} has said something`));
  return spoke;
}

function listOf(words: Iterable<string>): string {
  return new Intl.ListFormat("en").format(new Set(words));
}

/** The mission's question, answered from what was just seen. */
async function answer(node: DemoNode): Promise<boolean> {
  const channels = await eventually(
    () => {
      const { items } = JSON.parse(node.peapod("channels", "-o", "json")) as { items: Channel[] };
      return items.filter(({ spec }) => spec.scope === "InterContainer");
    },
    (found) => new Set(found.map(({ spec }) => spec.type)).size >= 5,
  );
  title("How the containers talk");
  command("channels");
  node.show("channels");

  const withPort = channels.filter(({ status }) => status.needsPort);
  const without = channels.filter(({ status }) => !status.needsPort);
  title("Is a port required for containers of one pod to talk?");
  console.log(
    `With ${listOf(withPort.map(({ spec }) => spec.type))}: yes, one to listen on (${listOf(withPort.map(({ spec }) => spec.address ?? "?"))}); declaring it as containerPort is optional.`,
  );
  console.log(
    `With ${listOf(without.map(({ spec }) => spec.type))}: no. A shared volume, IPC namespace or /dev/shm is enough.`,
  );
  return withPort.length > 0 && without.length > 0;
}

async function main(): Promise<boolean> {
  if (process.getuid?.() !== 0) {
    console.error("make demo makes namespaces, mounts and a bridge, and so needs root: sudo make demo");
    return false;
  }
  const options: string[] = [];
  if (!registryAnswers()) {
    options.push("--image-fallback=host");
    console.log(
      paint(
        "yellow",
        "No image registry answers: containers run on a read-only view of this machine's files (--image-fallback=host).",
      ),
    );
  }
  const node = makeNode();
  const interrupted = () => {
    node.remove();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  let ok = true;
  try {
    for (const file of globSync("*.yaml", { cwd: examplesDir }).sort()) {
      ok = (await runExample(node, join(examplesDir, file), options)) && ok;
    }
    ok = (await answer(node)) && ok;
  } finally {
    title("Cleaning up");
    node.remove();
    console.log("All pods are gone, the node is stopped, its folders are removed.");
  }
  return ok;
}

const started = Date.now();
const ok = await main();
console.log(`\n${ok ? "Done" : "The demo failed"} after ${Math.round((Date.now() - started) / 1000)} s.`);
process.exitCode = ok ? 0 : 1;
