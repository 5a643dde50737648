import { events, pods } from "../../client/resources.ts";
import type { Event, StoredPod } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { describePod } from "../describe/describe-pod.ts";
import { usageError } from "../parse-arguments.ts";
import { namespaceOf } from "../session.ts";
import { parseTypeAndNames } from "../type-arguments.ts";

export const describe = defineCommand({
  name: "describe",
  summary: "Show everything about pods, with their events",
  usage: "pod [NAME...]",
  args: { min: 1, max: 1000 },
  completes: "types",
  options: {
    selector: { type: "string", short: "l", value: "SELECTOR", summary: "Only pods with these labels" },
    "all-namespaces": { type: "boolean", short: "A", summary: "Pods of all namespaces" },
    "show-events": { type: "boolean", default: true, summary: "Show the events too (default true)" },
  },
  examples: [{ text: "Why does it not start?", command: "peapod describe pod web" }],
  async run({ options, args, session }) {
    const { client, scope, terminal } = session;
    const { type, names } = await parseTypeAndNames(args, session);
    if (type !== pods)
      throw usageError(`describe knows pods only, not ${type.plural} (see 'peapod get -o yaml')`);
    const namespace = options["all-namespaces"] ? undefined : namespaceOf(session);
    const found =
      names.length > 0
        ? await Promise.all(names.map((name) => client.get<StoredPod>(pods, { namespace, name }, scope)))
        : (await client.list<StoredPod>(pods, { namespace, labelSelector: options.selector }, scope)).items;
    if (found.length === 0) terminal.err(`No resources found in ${namespace ?? "any"} namespace.\n`);
    const texts: string[] = [];
    for (const pod of found) {
      const query = {
        namespace: pod.metadata.namespace,
        fieldSelector: `involvedObject.uid=${pod.metadata.uid}`,
      };
      const ofPod = options["show-events"] ? (await client.list<Event>(events, query, scope)).items : [];
      texts.push(describePod(pod, ofPod, scope.clock.now()));
    }
    terminal.out(texts.join("\n\n"));
    return 0;
  },
});
