import type { Event, KubernetesObject } from "../../kube/types.ts";
import { admitObject } from "../../manifest/admit.ts";
import type { Resource } from "../resource.ts";
import { textColumn } from "../table/columns.ts";
import { timeSince } from "../table/human-duration.ts";
import { allVerbs } from "./stored.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/, in its `v1` form. */
export const events: Resource = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  singular: "event",
  shortNames: ["ev"],
  namespaced: true,
  verbs: allVerbs,
  subresources: {},
  admit: (value) => admitObject("v1/Event", value),
  selectableFields: {
    "involvedObject.kind": eventField(({ involvedObject }) => involvedObject.kind),
    "involvedObject.namespace": eventField(({ involvedObject }) => involvedObject.namespace),
    "involvedObject.name": eventField(({ involvedObject }) => involvedObject.name),
    "involvedObject.uid": eventField(({ involvedObject }) => involvedObject.uid),
    "involvedObject.apiVersion": eventField(({ involvedObject }) => involvedObject.apiVersion),
    "involvedObject.resourceVersion": eventField(({ involvedObject }) => involvedObject.resourceVersion),
    "involvedObject.fieldPath": eventField(({ involvedObject }) => involvedObject.fieldPath),
    reason: eventField(({ reason }) => reason),
    reportingComponent: eventField((event) => event.reportingComponent),
    source: eventField((event) => event.source?.component ?? event.reportingComponent),
    type: eventField(({ type }) => type),
  },
  columns: [
    textColumn<Event>("Last Seen", "Time since it was seen last.", lastSeen),
    textColumn<Event>("Type", "Normal or Warning.", ({ type }) => type ?? ""),
    textColumn<Event>("Reason", "Why, in one word.", ({ reason }) => reason ?? ""),
    textColumn<Event>(
      "Object",
      "What it is about.",
      ({ involvedObject }) => `${(involvedObject.kind ?? "").toLowerCase()}/${involvedObject.name ?? ""}`,
    ),
    textColumn<Event>(
      "Subobject",
      "Which part of the object.",
      ({ involvedObject }) => involvedObject.fieldPath ?? "",
      { wide: true },
    ),
    textColumn<Event>("Source", "Who said it.", source, { wide: true }),
    textColumn<Event>("Message", "What happened.", ({ message }) => (message ?? "").trim()),
    textColumn<Event>(
      "First Seen",
      "Time since it was seen first.",
      (event, now) => timeSince(firstTime(event), now),
      { wide: true },
    ),
    {
      name: "Count",
      type: "integer",
      description: "How often it was seen.",
      priority: 1,
      cell: (object) => eventCount(object as unknown as Event),
    },
    textColumn<Event>("Name", "Name of the event.", ({ metadata }) => metadata?.name ?? "", { wide: true }),
  ],
};

function firstTime(event: Event): string | undefined {
  return event.firstTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp;
}

function lastSeen(event: Event, now: number): string {
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? firstTime(event);
  const count = eventCount(event);
  if (count <= 1) return timeSince(last, now);
  return `${timeSince(last, now)} (x${count} over ${timeSince(firstTime(event), now)})`;
}

function eventCount({ series, count }: Event): number {
  return series?.count ?? count ?? 1;
}

function source(event: Event): string {
  const component = event.source?.component ?? event.reportingComponent ?? "";
  const host = event.source?.host ?? event.reportingInstance ?? "";
  return [component, host].filter((part) => part !== "").join(", ");
}

function eventField(read: (event: Event) => string | undefined): (object: KubernetesObject) => string {
  return (object) => read(object as unknown as Event) ?? "";
}
