import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { Pod } from "../kube/types.ts";
import { formatProblem } from "../manifest/format-problem.ts";
import { readManifest } from "../manifest/read.ts";
import type { Session } from "./session.ts";

/** An object as a manifest has it, nothing defaulted. */
export interface ManifestedObject {
  readonly kind: string;
  readonly metadata: Pod["metadata"];
}

/** Every object of every `-f`, in order; undefined when something is wrong, which has then been printed. */
export async function loadManifests(
  sources: readonly string[],
  options: { recursive: boolean },
  session: Session,
): Promise<ManifestedObject[] | undefined> {
  const objects: ManifestedObject[] = [];
  let broken = false;
  for (const { name, text } of await readSources(sources, options.recursive, session.scope)) {
    const file = readManifest(text, name);
    objects.push(...file.objects.map(({ object }) => object as unknown as ManifestedObject));
    for (const problem of file.problems) {
      session.terminal.err(`${formatProblem(problem)}\n`);
      broken ||= problem.severity === "error";
    }
  }
  return broken ? undefined : objects;
}

/** What one file (or stdin, or URL) has, and the name under which it is cited. */
export interface SourceText {
  readonly name: string;
  readonly text: Uint8Array;
}

/** Reads files, folders (`*.yaml`, `*.yml`, `*.json`, by name), `-` and URLs. Throws when one can't be read. */
export async function readSources(
  sources: readonly string[],
  recursive: boolean,
  scope: Scope,
): Promise<SourceText[]> {
  const texts: SourceText[] = [];
  for (const source of sources) {
    if (source === "-") texts.push({ name: "stdin", text: readFileSync(0) });
    else if (/^https?:\/\//.test(source)) texts.push({ name: source, text: await download(source, scope) });
    else texts.push(...readPath(source, recursive));
  }
  return texts;
}

function readPath(path: string, recursive: boolean): SourceText[] {
  try {
    if (!statSync(path).isDirectory()) return [{ name: path, text: readFileSync(path) }];
    const files = readdirSync(path, { recursive, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (files.length === 0)
      throw new PeapodError("BadRequest", `no *.yaml, *.yml or *.json in the folder ${path}`);
    return files.map((file) => ({ name: file, text: readFileSync(file) }));
  } catch (error) {
    if (error instanceof PeapodError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new PeapodError(
      missing ? "NotFound" : "BadRequest",
      missing ? `the path "${path}" does not exist` : `read ${path}: ${explain(error)}`,
    );
  }
}

async function download(url: string, scope: Scope): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { signal: scope.signal });
  } catch (cause) {
    throw new PeapodError("BadRequest", `unable to read URL "${url}"`, { cause });
  }
  if (!response.ok) {
    throw new PeapodError(
      "BadRequest",
      `unable to read URL "${url}", server reported ${response.status} ${response.statusText}`.trimEnd(),
    );
  }
  return response.bytes();
}
