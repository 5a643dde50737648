import type { Resource } from "../resource.ts";
import { accessResources } from "./access.ts";
import { channels } from "./channels.ts";
import { configMaps, secrets, serviceAccounts } from "./configuration.ts";
import { diagnoses } from "./diagnoses.ts";
import { events } from "./events.ts";
import { groupEvents } from "./group-events.ts";
import { images } from "./images.ts";
import { jobResources } from "./jobs.ts";
import { metricsResources } from "./metrics.ts";
import { namespaces } from "./namespaces.ts";
import { networkResources } from "./network.ts";
import { nodes } from "./nodes.ts";
import { pods } from "./pods.ts";
import { policyResources } from "./policies.ts";
import { replicationControllers } from "./replication-controllers.ts";
import { reviews } from "./reviews.ts";
import { storageResources } from "./storage.ts";
import { workloadResources } from "./workloads.ts";

/** Every resource that this server has. A new kind is declared in its own file and named here. */
export const resources: readonly Resource[] = [
  pods,
  namespaces,
  nodes,
  events,
  configMaps,
  secrets,
  serviceAccounts,
  ...networkResources,
  ...storageResources,
  ...workloadResources,
  replicationControllers,
  ...jobResources,
  ...policyResources,
  ...accessResources,
  ...reviews,
  groupEvents,
  ...metricsResources,
  channels,
  diagnoses,
  images,
];
