import { events } from "../../client/resources.ts";
import type { Event, StoredPod } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { describeObject } from "../describe/describe-object.ts";
import { describePod } from "../describe/describe-pod.ts";
import { namespaceOf } from "../session.ts";
import { parseTypesAndNames } from "../type-arguments.ts";

export const describe = defineCommand({
  name: "describe",
  summary: "Show everything about pods and other objects, with their events",
  usage: "(TYPE [NAME...] | TYPE/NAME...)",
  args: { min: 1, max: 1000 },
  completes: "types",
  options: {
    selector: { type: "string", short: "l", value: "SELECTOR", summary: "Only objects with these labels" },
    "all-namespaces": { type: "boolean", short: "A", summary: "Objects of all namespaces" },
    "show-events": { type: "boolean", default: true, summary: "Show the events too (default true)" },
  },
  examples: [
    { text: "Why does it not start?", command: "peapod describe pod web" },
    { text: "What a Deployment has and what became of it", command: "peapod describe deploy/web" },
  ],
  async run({ options, args, session }) {
    const { client, scope, terminal } = session;
    const texts: string[] = [];
    for (const { type, names } of await parseTypesAndNames(args, session)) {
      const namespace = options["all-namespaces"] || !type.namespaced ? undefined : namespaceOf(session);
      const found =
        names.length > 0
          ? await Promise.all(names.map((name) => client.get(type, { namespace, name }, scope)))
          : (await client.list(type, { namespace, labelSelector: options.selector }, scope)).items;
      for (const object of found) {
        const query = {
          namespace: object.metadata.namespace,
          fieldSelector: `involvedObject.uid=${object.metadata.uid}`,
        };
        const about = options["show-events"] ? (await client.list<Event>(events, query, scope)).items : [];
        const now = scope.clock.now();
        const { apiVersion, kind } = type;
        texts.push(
          kind === "Pod"
            ? describePod(object as unknown as StoredPod, about, now)
            : describeObject({ ...object, apiVersion, kind }, about, now),
        );
      }
    }
    if (texts.length === 0)
      terminal.err(
        `No resources found${options["all-namespaces"] ? "" : ` in ${namespaceOf(session)} namespace`}.\n`,
      );
    terminal.out(texts.join("\n\n"));
    return 0;
  },
});
