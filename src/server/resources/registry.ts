import type { Resource } from "../resource.ts";
import { channels } from "./channels.ts";
import { events } from "./events.ts";
import { images } from "./images.ts";
import { namespaces } from "./namespaces.ts";
import { nodes } from "./nodes.ts";
import { pods } from "./pods.ts";

/** Every resource that this server has. A new kind is declared in its own file and named here. */
export const resources: readonly Resource[] = [pods, namespaces, nodes, events, channels, images];
