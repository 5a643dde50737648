import { isCalled, pods, workloadTypes } from "../../client/resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { withDeadline } from "../deadline.ts";
import { deleteAndWait, type PodIdentity } from "../delete-and-wait.ts";
import type { ManifestedObject } from "../manifests.ts";
import { usageError } from "../parse-arguments.ts";
import { everyWorkload, type Workload } from "../remove-workloads.ts";
import { namespaceOf, type Session } from "../session.ts";
import { parsePodName } from "../type-arguments.ts";
import { removeObject, supportingObjects } from "../up/apply-object.ts";
import { endWorkloads, findWorkloads } from "../up/workloads.ts";

export const down = defineCommand({
  name: "down",
  summary: "Remove pods and wait until they are gone",
  description:
    "Removes the pods of manifests, pods by name, or all of them, and returns when nothing of them is left in the " +
    "API. With -f also everything else of the manifests, Deployments, Services, ConfigMaps …; claims and volumes stay, with " +
    "their data. What is " +
    "not there counts as removed.",
  usage: "(-f FILE | (POD | TYPE/NAME)... | --all)",
  args: { min: 0, max: 1000 },
  completes: "pods",
  options: {
    filename: {
      type: "strings",
      short: "f",
      value: "FILE",
      summary:
        "Manifest whose pods are meant: a file, a folder, a URL, or - for standard input; may be repeated",
    },
    recursive: { type: "boolean", short: "R", summary: "Read the folders below a folder too" },
    all: {
      type: "boolean",
      summary: "Every pod and whatever makes pods on the node, or with -n in that namespace",
    },
    "grace-period": {
      type: "integer",
      value: "SECONDS",
      summary: "Seconds between SIGTERM and SIGKILL (default: what the pod says)",
    },
    timeout: {
      type: "duration",
      value: "DURATION",
      summary: "How long to wait, e.g. 90s (default: no limit)",
    },
  },
  examples: [
    { text: "Remove what `up -f` made", command: "peapod down -f pod.yaml" },
    { text: "A Deployment with its pods", command: "peapod down deploy/web" },
    { text: "Remove everything at once", command: "peapod down --all --grace-period=0" },
  ],
  async run({ options, args, session }) {
    const ways = [options.filename.length > 0, args.length > 0, options.all].filter(Boolean).length;
    if (ways !== 1) throw usageError("down needs one of -f FILE, names of pods or TYPE/NAME, or --all");
    const manifests = await readManifests(options.filename, options.recursive, session);
    if (manifests === undefined) return 3;
    const { workloads, pods: named } = options.all
      ? { workloads: await everyWorkload(session), pods: [] }
      : args.length > 0
        ? await byName(args, session)
        : {
            workloads: await findWorkloads(manifests, session),
            pods: await podsOfManifests(manifests, session),
          };
    const left = workloads.length === 0 ? [] : await endWorkloads(workloads, session);
    const targets = options.all ? await everyPod(session) : [...named, ...left];
    const names = targets.map(({ metadata }) => `pod/${metadata.name}`).join(", ");
    await withDeadline(options.timeout, `${names} to go`, session.scope, (scope) =>
      deleteAndWait(
        session.client,
        targets,
        {
          gracePeriodSeconds: options["grace-period"],
          onGone: ({ metadata }) => session.terminal.out(`pod "${metadata.name}" deleted\n`),
        },
        scope,
      ),
    );
    for (const object of supportingObjects(manifests)) await removeObject(object, session);
    if (targets.length === 0 && workloads.length === 0) session.terminal.err("no pods to remove\n");
    return 0;
  },
});

async function everyPod({ client, namespace, scope }: Session): Promise<readonly PodIdentity[]> {
  return (await client.list<StoredPod>(pods, { namespace }, scope)).items;
}

/** Fails with `NotFound`, before anything is removed, when one is not there: a name may be misspelt. */
async function byName(
  args: readonly string[],
  session: Session,
): Promise<{ readonly workloads: readonly Workload[]; readonly pods: readonly PodIdentity[] }> {
  const workloads: Workload[] = [];
  const named: PodIdentity[] = [];
  const namespace = namespaceOf(session);
  for (const arg of args) {
    const type = workloadTypes.find((each) => arg.includes("/") && isCalled(each, arg.split("/")[0] ?? ""));
    const name = type === undefined ? parsePodName(arg) : (arg.split("/")[1] ?? "");
    if (type !== undefined) {
      workloads.push({ type, object: await session.client.get(type, { namespace, name }, session.scope) });
    } else named.push(await session.client.get<StoredPod>(pods, { namespace, name }, session.scope));
  }
  return { workloads, pods: named };
}

/** None without sources; undefined when something is wrong with one, which has then been printed. */
async function readManifests(
  sources: readonly string[],
  recursive: boolean,
  session: Session,
): Promise<readonly ManifestedObject[] | undefined> {
  if (sources.length === 0) return [];
  const { loadManifests } = await import("../manifests.ts");
  return loadManifests(sources, { recursive }, session);
}

async function podsOfManifests(
  manifests: readonly ManifestedObject[],
  session: Session,
): Promise<PodIdentity[]> {
  const wanted = new Set(
    manifests
      .filter(({ kind }) => kind === "Pod")
      .map(({ metadata }) => `${metadata?.namespace ?? namespaceOf(session)}/${metadata?.name}`),
  );
  const { items } = await session.client.list<StoredPod>(pods, {}, session.scope);
  return items.filter(({ metadata }) => wanted.has(`${metadata.namespace}/${metadata.name}`));
}
