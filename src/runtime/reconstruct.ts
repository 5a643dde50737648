import { dirname } from "node:path";
import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { readFolderIfExists } from "../host/files.ts";
import { containerRunDir } from "../host/layout.ts";
import { adoptCreated } from "./adopt-created.ts";
import type { RuntimeContext } from "./context.ts";
import { discardContainer } from "./discard-container.ts";
import { relistContainers } from "./relist.ts";

/**
 * Takes over what earlier daemons left: reads all records, brings them up to date with the kernel, and removes
 * containers that were half created, not started yet or half removed when a daemon was killed.
 */
export async function reconstruct(context: RuntimeContext, scope: Scope): Promise<void> {
  const unreadable = context.containers.load();
  for (const { record } of context.containers.all()) adoptCreated(context, record.id);
  const halfMade = context.containers.all().filter(({ creating }) => creating);
  const known = new Set(context.containers.all().map(({ record }) => record.id));
  const strays = readFolderIfExists(dirname(containerRunDir(context.layout, "any"))).filter(
    (id) => !known.has(id),
  );
  for (const id of new Set([...unreadable, ...strays])) await tryDiscard(context, id, scope);
  for (const { record } of halfMade) await tryDiscard(context, record.id, scope);
  await relistContainers(context, scope);
}

async function tryDiscard(context: RuntimeContext, id: string, scope: Scope): Promise<void> {
  const record = context.containers.get(id)?.record;
  try {
    await discardContainer(context, id, record, scope);
    scope.log.info({ container: id, name: record?.name }, "removed half-made container");
  } catch (error) {
    scope.log.error({ container: id, error: explain(error) }, "half-made container not removed");
  }
}
