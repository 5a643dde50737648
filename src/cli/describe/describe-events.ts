import type { Event } from "../../kube/types.ts";
import { age } from "../duration.ts";
import { formatColumns } from "../printers/columns.ts";
import { indented } from "./outline.ts";

/** The table of events below a description, oldest first, as `kubectl describe` has it; `now` in milliseconds since the epoch. */
export function describeEvents(events: readonly Event[], now: number): string {
  if (events.length === 0) return "Events:  <none>\n";
  const time = (event: Event) => event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp;
  const rows = events
    .toSorted((a, b) => Date.parse(time(a) ?? "") - Date.parse(time(b) ?? ""))
    .map((event) => {
      const last = age(event.series?.lastObservedTime ?? time(event), now);
      const count = event.series?.count ?? event.count ?? 1;
      const since =
        count > 1 ? `${last} (x${count} over ${age(event.firstTimestamp ?? time(event), now)})` : last;
      const from = event.source?.component ?? event.reportingComponent ?? "";
      return [event.type ?? "", event.reason ?? "", since, from, (event.message ?? "").trim()];
    });
  const header = ["Type", "Reason", "Age", "From", "Message"];
  const rule = ["----", "------", "----", "----", "-------"];
  return `Events:\n${indented(formatColumns([header, rule, ...rows]))}`;
}
