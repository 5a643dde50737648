import type { KubernetesObject } from "../kube/types.ts";
import type { ObjectList, WatchEvent } from "./types.ts";

/** A list as it is stored: whoever only passes it on takes the JSON, and nothing is parsed. */
export class StoredList implements ObjectList {
  readonly resourceVersion: string;
  readonly json: readonly string[];
  #items: readonly KubernetesObject[] | undefined;

  constructor(resourceVersion: string, json: readonly string[]) {
    this.resourceVersion = resourceVersion;
    this.json = json;
  }

  get items(): readonly KubernetesObject[] {
    this.#items ??= this.json.map((text) => JSON.parse(text) as KubernetesObject);
    return this.#items;
  }
}

/** A change as it is stored, in the same way. */
export class StoredEvent implements WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly json: string;
  #object: KubernetesObject | undefined;

  constructor(type: "ADDED" | "MODIFIED" | "DELETED", json: string) {
    this.type = type;
    this.json = json;
  }

  get object(): KubernetesObject {
    this.#object ??= JSON.parse(this.json) as KubernetesObject;
    return this.#object;
  }
}
