import { errorCode } from "../../base/errors.ts";
import { findResourceType, pods, type ResourceType } from "../../client/resources.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { withDeadline } from "../deadline.ts";
import { waitUntilGone } from "../delete-and-wait.ts";
import { usageError } from "../parse-arguments.ts";
import { reportError } from "../report-error.ts";
import { namespaceOf, type Session } from "../session.ts";
import { parseTypeAndNames } from "../type-arguments.ts";

export const deleteCommand = defineCommand({
  name: "delete",
  summary: "Delete objects by name, selector or manifest",
  usage: "(-f FILE | TYPE NAME... | TYPE -l SELECTOR | TYPE --all)",
  args: { min: 0, max: 1000 },
  completes: "types",
  options: {
    filename: {
      type: "strings",
      short: "f",
      value: "FILE",
      summary: "Manifest whose objects are meant; may be repeated",
    },
    recursive: { type: "boolean", short: "R", summary: "Read the folders below a folder too" },
    selector: { type: "string", short: "l", value: "SELECTOR", summary: "Every object with these labels" },
    all: { type: "boolean", summary: "Every object of the type in the namespace" },
    "grace-period": {
      type: "integer",
      value: "SECONDS",
      default: -1,
      summary: "Seconds between SIGTERM and SIGKILL; negative: what the pod says (default -1)",
    },
    now: { type: "boolean", summary: "The same as --grace-period=1" },
    force: {
      type: "boolean",
      summary: "With --grace-period=0: drop the object without waiting for its processes",
    },
    wait: { type: "boolean", default: true, summary: "Wait until the objects are gone (default true)" },
    timeout: {
      type: "duration",
      value: "DURATION",
      summary: "How long to wait, e.g. 90s (default: no limit)",
    },
    "ignore-not-found": { type: "boolean", summary: "Succeed when a named object is not there" },
  },
  examples: [
    { text: "One pod", command: "peapod delete pod web" },
    { text: "What a manifest describes", command: "peapod delete -f pod.yaml" },
    {
      text: "Without waiting for the processes to end by themselves",
      command: "peapod delete pod web --now",
    },
  ],
  async run({ options, args, session }) {
    const { terminal, client } = session;
    const grace = gracePeriod(options);
    const targets = await findTargets(args, options, session);
    if (targets === undefined) return 3;
    if (options.force && grace === 0) {
      terminal.err(
        "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. " +
          "The resource may continue to run on the cluster indefinitely.\n",
      );
    }
    let failed = false;
    await withDeadline(options.timeout, "the deletion", session.scope, async (scope) => {
      const deleted: Target[] = [];
      for (const target of targets) {
        const { type, namespace, name } = target;
        try {
          const body = grace === undefined ? {} : { gracePeriodSeconds: grace };
          await client.delete(type, { namespace, name }, body, scope);
          terminal.out(`${type.singular} "${name}" ${options.force ? "force deleted" : "deleted"}\n`);
          deleted.push(target);
        } catch (error) {
          if (errorCode(error) !== "NotFound") throw error;
          if (options["ignore-not-found"]) continue;
          reportError(error, "peapod delete", terminal.err);
          failed = true;
        }
      }
      if (!options.wait || options.force) return;
      const waiting = deleted.filter(({ type }) => type === pods);
      await Promise.all(
        waiting.map(({ namespace = "default", name, uid }) =>
          waitUntilGone(
            client,
            { metadata: { namespace, name, ...(uid === undefined ? {} : { uid }) } },
            scope,
          ),
        ),
      );
    });
    return failed ? 1 : 0;
  },
});

interface Target {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid?: string;
}

function gracePeriod(options: {
  readonly "grace-period": number | undefined;
  readonly now: boolean;
  readonly force: boolean;
}): number | undefined {
  const asked = options["grace-period"] ?? -1;
  if (options.now && asked !== -1) throw usageError("--now and --grace-period cannot be specified together");
  if (options.now) return 1;
  if (options.force && asked > 0)
    throw usageError("--force and --grace-period greater than 0 cannot be specified together");
  if (options.force) return 0;
  // kubectl, too, lets only --force kill without any grace.
  if (asked === 0) return 1;
  return asked < 0 ? undefined : asked;
}

async function findTargets(
  args: readonly string[],
  options: {
    readonly filename: readonly string[];
    readonly recursive: boolean;
    readonly selector: string | undefined;
    readonly all: boolean;
  },
  session: Session,
): Promise<Target[] | undefined> {
  if (options.filename.length > 0) {
    if (args.length > 0)
      throw usageError("when filenames are provided as input, no resource type may be given");
    return targetsOfManifests(options.filename, options.recursive, session);
  }
  if (args.length === 0) throw usageError("you must provide one or more resources by argument or filename");
  const { type, names } = await parseTypeAndNames(args, session);
  const namespace = type.namespaced ? namespaceOf(session) : undefined;
  const byQuery = options.all || options.selector !== undefined;
  if (byQuery === names.length > 0) {
    throw usageError(
      byQuery
        ? "names cannot be given together with --all or -l"
        : "resource(s) were provided, but no name was specified",
    );
  }
  if (!byQuery) return names.map((name) => ({ type, namespace, name }));
  const query = { namespace, labelSelector: options.selector };
  const { items } = await session.client.list<KubernetesObject | StoredPod>(type, query, session.scope);
  if (items.length === 0) session.terminal.err("No resources found\n");
  return items.map(({ metadata: { name, uid } }) => ({ type, namespace, name, uid }));
}

async function targetsOfManifests(
  sources: readonly string[],
  recursive: boolean,
  session: Session,
): Promise<Target[] | undefined> {
  const { loadManifests } = await import("../manifests.ts");
  const manifests = await loadManifests(sources, { recursive }, session);
  return manifests?.flatMap(({ kind, metadata }) => {
    const type = findResourceType(kind);
    if (type === undefined || metadata?.name === undefined) return [];
    const namespace = type.namespaced ? (metadata.namespace ?? namespaceOf(session)) : undefined;
    return [{ type, namespace, name: metadata.name }];
  });
}
