import { groupOf, type ResourceType } from "../client/resources.ts";

/** What `get` asks for. */
export interface GetQuery {
  readonly type: ResourceType;
  readonly names: readonly string[];
  /** Undefined: all namespaces, or a type that has none. */
  readonly namespace: string | undefined;
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly ignoreNotFound: boolean;
}

/** `pod/x`, or with its group `channel.peapod.dev/x`. */
export function qualifiedName(type: ResourceType, name: string): string {
  const group = groupOf(type);
  return `${type.singular}${group === "" ? "" : `.${group}`}/${name}`;
}
