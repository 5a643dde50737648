import type { Scope } from "../base/scope.ts";
import type { ChannelObserver } from "../channels/types.ts";
import type { Diagnoser } from "../diagnose/live/diagnoser.ts";
import type { AddressRange } from "../kube/address-range.ts";
import type { NodeStreams } from "../node/types.ts";
import type { Store } from "../store/types.ts";
import type { AccessControl } from "./access/access-control.ts";
import type { User } from "./access/user.ts";
import type { ImageLibrary } from "./image-library.ts";
import type { ListPages } from "./list-pages.ts";
import type { Resource } from "./resource.ts";
import type { UsageMeter } from "./usage.ts";

/** What every request may use. */
export interface ApiContext {
  readonly store: Store;
  readonly access: AccessControl;
  readonly streams: NodeStreams;
  readonly channels: ChannelObserver;
  readonly images: ImageLibrary;
  /** Absent: diagnoses can't be asked for. */
  readonly diagnoser?: Diagnoser;
  readonly usage: UsageMeter;
  /** Name of this machine's Node object: there is no scheduler, every pod is bound to it at creation. */
  readonly nodeName: string;
  /** Where Services get their addresses from; absent: the customary range. */
  readonly serviceRange?: AddressRange;
  readonly resources: readonly Resource[];
  readonly pages: ListPages;
  readonly scope: Scope;
}

/** One API request, taken apart. */
export interface ApiRequest {
  readonly context: ApiContext;
  readonly resource: Resource;
  /** Who asks. */
  readonly user: User;
  /** Empty for cluster-scoped resources and for requests over all namespaces. */
  readonly namespace: string;
  /** Empty for collections. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  /** The client's own name for itself; empty when it says none. */
  readonly userAgent: string;
  /** Empty when there is none. */
  readonly body: Uint8Array;
  /** How the client wants objects represented. */
  readonly representation: Representation;
  /** The context's scope, ended also when the client goes away or the server closes. */
  readonly scope: Scope;
}

/** Plain objects, their metadata only, or `meta.k8s.io/v1` Tables with as much of each as `includeObject` says. */
export type Representation =
  | { readonly as: "Object" }
  | { readonly as: "PartialObjectMetadata" }
  | { readonly as: "Table"; readonly includeObject: "None" | "Metadata" | "Object" };

/** An object (or Status, or list), its JSON, or a stream of bytes. */
export type ApiAnswer =
  | {
      readonly object: object;
      /** HTTP status; default 200. */
      readonly code?: number;
      /** Sent as `Warning` headers. */
      readonly warnings?: readonly string[];
    }
  | {
      /** What an object would be sent as, of which nothing had to be looked at. */
      readonly json: string;
    }
  | {
      readonly stream: AsyncIterable<Uint8Array | string>;
      readonly contentType: string;
      /** Milliseconds after which a client that does not read is cut off; absent: it may take its time. */
      readonly slowestReader?: number;
    };

/** A boolean query parameter as Go parses it; absent or empty is false. */
export function flag(query: URLSearchParams, name: string): boolean {
  return ["1", "t", "T", "true", "TRUE", "True"].includes(query.get(name) ?? "");
}
