import { pods } from "../../client/resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import { chooseContainer, containerNames } from "../choose-container.ts";
import { defineCommand } from "../command.ts";
import { findPod, findPods } from "../find-pods.ts";
import { usageError } from "../parse-arguments.ts";
import { namespaceOf } from "../session.ts";
import { containerChoice } from "../shared-options.ts";
import { streamLogs } from "../stream-logs.ts";

export const logs = defineCommand({
  name: "logs",
  summary: "Print the log of a pod's container",
  usage: "(POD | TYPE/NAME) [CONTAINER]",
  args: { min: 0, max: 2 },
  completes: "pods",
  options: {
    container: containerChoice,
    "all-pods": {
      type: "boolean",
      summary: "The logs of all pods of a Deployment, Service or the like; sets --prefix",
    },
    "all-containers": { type: "boolean", summary: "The logs of all containers" },
    follow: { type: "boolean", short: "f", summary: "Go on with what is written from now on" },
    previous: { type: "boolean", short: "p", summary: "The container's instance before the last restart" },
    selector: { type: "string", short: "l", value: "SELECTOR", summary: "All pods with these labels" },
    tail: {
      type: "integer",
      value: "LINES",
      summary: "Only the last lines (default: all; 10 with a selector)",
    },
    since: { type: "duration", value: "DURATION", summary: "Only lines newer than this, e.g. 5s, 2m or 3h" },
    "since-time": { type: "string", value: "TIME", summary: "Only lines after this time (RFC 3339)" },
    timestamps: { type: "boolean", summary: "Put its time before each line" },
    prefix: { type: "boolean", summary: "Put pod and container before each line" },
    "limit-bytes": { type: "integer", value: "BYTES", summary: "At most this many bytes" },
    "ignore-errors": {
      type: "boolean",
      summary: "With --follow: go on when a container's log can't be read",
    },
  },
  examples: [
    { text: "Follow one container", command: "peapod logs -f web -c nginx" },
    { text: "Why did it restart?", command: "peapod logs web --previous --tail=20" },
    { text: "All pods of a Deployment", command: "peapod logs -f deploy/web --all-pods" },
    { text: "All containers of the pod", command: "peapod logs web --all-containers --prefix" },
  ],
  async run({ options, args, session }) {
    const { client, scope, terminal } = session;
    const namespace = namespaceOf(session);
    const [podArgument, containerArgument] = args;
    const container = options.container ?? containerArgument;
    if (podArgument === undefined && options.selector === undefined)
      throw usageError("logs needs a POD or a selector (-l)");
    if (podArgument !== undefined && options.selector !== undefined) {
      throw usageError("only a selector (-l) or a POD name is allowed");
    }
    if (options.container !== undefined && containerArgument !== undefined) {
      throw usageError("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    if (container !== undefined && options["all-containers"]) {
      throw usageError("--all-containers=true should not be specified with container name");
    }
    if (options.since !== undefined && options["since-time"] !== undefined) {
      throw usageError("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    if (options["since-time"] !== undefined && Number.isNaN(Date.parse(options["since-time"]))) {
      throw usageError(
        `--since-time must be a time such as 2026-11-22T23:00:00Z, got "${options["since-time"]}"`,
      );
    }
    const found =
      podArgument === undefined
        ? (await client.list<StoredPod>(pods, { namespace, labelSelector: options.selector }, scope)).items
        : options["all-pods"]
          ? (await findPods(podArgument, session)).items
          : [await findPod(podArgument, session)];
    if (found.length === 0) terminal.err(`No resources found in ${namespace} namespace.\n`);

    // Of many pods it would be one line each, about something that nobody asked for.
    const say = options.selector === undefined ? terminal : { err: () => {} };
    const targets = found.flatMap((pod) => {
      const names = options["all-containers"] ? containerNames(pod) : [chooseContainer(pod, container, say)];
      return names.map((name) => ({
        namespace,
        pod: pod.metadata.name,
        container: name,
        containerID: runningContainer(pod, name),
      }));
    });
    const tail = options.tail ?? (options.selector === undefined ? -1 : 10);
    const query = {
      follow: options.follow,
      previous: options.previous,
      timestamps: options.timestamps,
      tailLines: tail < 0 ? undefined : tail,
      sinceSeconds: options.since === undefined ? undefined : Math.max(1, Math.ceil(options.since / 1000)),
      sinceTime: options["since-time"],
      limitBytes: options["limit-bytes"],
    };
    await streamLogs(
      targets,
      query,
      { prefix: options.prefix || options["all-pods"], ignoreErrors: options["ignore-errors"] },
      session,
    );
    return 0;
  },
});

/** The instance that runs; undefined: none, so whichever the server has. */
function runningContainer({ status }: StoredPod, name: string): string | undefined {
  const all = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const found = all.find((each) => each.name === name);
  return found?.state?.running === undefined ? undefined : found.containerID;
}
