import type { IEvent } from "kubernetes-models/events.k8s.io/v1/Event";
import type { Event, KubernetesObject } from "../../kube/types.ts";
import { admitObject } from "../../manifest/admit.ts";
import type { Resource } from "../resource.ts";
import { events } from "./events.ts";

/**
 * Events as the group `events.k8s.io` has them: the same objects under other names of fields
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
 */
export const groupEvents: Resource = {
  ...events,
  group: "events.k8s.io",
  type: "events.Event",
  admit: (value) => admitObject("events.k8s.io/v1/Event", value),
  view: { of: "events", fromStored, toStored },
  columns: events.columns.map((column) => ({
    ...column,
    cell: (object, now) => column.cell(toStored(object), now),
  })),
  selectableFields: {
    ...Object.fromEntries(
      Object.entries(events.selectableFields).map(([field, read]) => [
        field.replace("involvedObject.", "regarding."),
        read,
      ]),
    ),
    reportingController: (object) => (object as unknown as Event).reportingComponent ?? "",
  },
};

function fromStored(object: KubernetesObject): KubernetesObject {
  const {
    involvedObject,
    message,
    reportingComponent,
    source,
    firstTimestamp,
    lastTimestamp,
    count,
    ...rest
  } = object as unknown as Event;
  const event: Partial<IEvent> = {
    ...(rest as object),
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
  } as Partial<IEvent>;
  return event as unknown as KubernetesObject;
}

function toStored(object: KubernetesObject): KubernetesObject {
  const {
    regarding,
    note,
    reportingController,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    ...rest
  } = object as unknown as IEvent;
  return {
    ...(rest as object),
    apiVersion: "v1",
    kind: "Event",
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
  } as unknown as KubernetesObject;
}
