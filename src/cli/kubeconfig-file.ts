import { mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import { readIfThere } from "./read-file.ts";

/** The file that `kubectl config` would change: the first of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigPath(env: NodeJS.ProcessEnv): string {
  const first = env.KUBECONFIG?.split(delimiter).find((path) => path !== "");
  return first ?? join(homedir(), ".kube", "config");
}

const lists = ["clusters", "users", "contexts"] as const;

/**
 * Puts the entries of `own` into the kubeconfig at `path`, replacing those of the same name and leaving everything
 * else, comments too, as it is. The current context stays when there is one. The file is replaced at once and
 * readable by its owner only. Throws Invalid when the file is there and is no kubeconfig.
 */
export function mergeKubeconfig(path: string, own: string): { isCurrent: boolean } {
  const target = parseFile(path);
  const added = parseDocument(own);
  for (const list of lists) {
    const entries = added.get(list);
    if (!isSeq(entries)) continue;
    if (!isSeq(target.get(list))) target.set(list, target.createNode([]));
    const present = target.get(list);
    if (!isSeq(present)) continue;
    for (const entry of entries.items) {
      const name = isMap(entry) ? entry.get("name") : undefined;
      const at = present.items.findIndex((item) => isMap(item) && item.get("name") === name);
      if (at < 0) present.items.push(entry);
      else present.items[at] = entry;
    }
  }
  const current = target.get("current-context");
  if (current === undefined || current === null || current === "") {
    target.set("current-context", added.get("current-context"));
  }
  replaceFile(path, target.toString());
  return { isCurrent: target.get("current-context") === added.get("current-context") };
}

function parseFile(path: string): Document {
  const document = parseDocument(readIfThere(path) ?? "apiVersion: v1\nkind: Config\n");
  const isConfig = document.contents === null || isMap(document.contents);
  if (document.errors.length > 0 || !isConfig) {
    throw new PeapodError(
      "Invalid",
      `${path} is no kubeconfig: ${document.errors[0]?.message ?? "not a mapping"}`,
    );
  }
  if (document.contents === null) return parseDocument("apiVersion: v1\nkind: Config\n");
  return document;
}

function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // A kubeconfig is often a link into a folder of dot files: what it leads to is replaced, not the link.
  let real = path;
  try {
    real = realpathSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  const temporary = `${real}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx" });
    renameSync(temporary, real);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
