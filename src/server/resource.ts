import type { KubernetesObject } from "../kube/types.ts";
import type { ManifestProblem } from "../manifest/types.ts";
import type { ObjectKey } from "../store/types.ts";
import type { ApiAnswer, ApiContext, ApiRequest } from "./request.ts";

/** The verbs of https://kubernetes.io/docs/reference/using-api/api-concepts/#api-verbs that this server knows. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** Answers one verb of a resource or subresource. Throws PeapodError; the router turns it into a Status. */
export type VerbHandler = (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer;

/** One column of a Table: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#TableColumnDefinition. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** `name` for the object's name. */
  readonly format?: string;
  readonly description: string;
  /** 0: always shown; above: only with `-o wide`. */
  readonly priority: number;
  /** The cell; `now` in milliseconds. */
  readonly cell: (object: KubernetesObject, now: number) => string | number | boolean;
}

/** A value that somebody sent, decoded, defaulted and validated; only usable when no problem is an error. */
interface Admission {
  readonly object: KubernetesObject;
  readonly problems: readonly ManifestProblem[];
}

/** The options of a deletion: body DeleteOptions, or the query where there is no body. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** What becomes of the objects that it owns; absent: Background. */
  readonly propagationPolicy?: PropagationPolicy;
}

/** https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion */
export type PropagationPolicy = "Background" | "Foreground" | "Orphan";

/**
 * Everything that is particular to one kind of object. Declared once in `resources/`; verbs, tables, selectors
 * and discovery read it and know no kind by name.
 */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** Name in the field table, for OpenAPI, apply and strategic merge patches; absent: the kind. */
  readonly type?: string;
  readonly verbs: readonly Verb[];
  /** Keyed by the path's last part. */
  readonly subresources: Readonly<Record<string, Subresource>>;
  readonly columns: readonly Column[];
  /** The fields that a field selector may name, beside metadata.name and metadata.namespace; empty where absent. */
  readonly selectableFields: Readonly<Record<string, (object: KubernetesObject) => string>>;

  /** Decodes, defaults and validates what a client sent. Needed for create, update and patch. */
  readonly admit?: (value: unknown) => Admission;
  /** The same for the new state of an object that exists, where other rules hold for it. */
  readonly admitUpdate?: (value: unknown) => Admission;
  /** Sets what the API sets on a new object beside metadata. */
  readonly prepareForCreate?: (object: KubernetesObject, context: ApiContext) => void;
  /** Refuses (Invalid) what may not change in an admitted object; keeps or sets what the API does. */
  readonly checkUpdate?: (next: KubernetesObject, current: KubernetesObject, context: ApiContext) => void;
  /** The object as it waits for its end, or undefined when it may go at once. Absent: always at once. */
  readonly awaitDeletion?: (
    current: KubernetesObject,
    options: DeleteOptions,
    now: number,
  ) => KubernetesObject | undefined;
  /** Whether a deletion answers with the object rather than with a Status. */
  readonly deleteReturnsObject?: boolean;
  /** Where objects come from that are not in the store. */
  readonly listElsewhere?: (request: ApiRequest) => Promise<ForeignList>;
  /** Refuses (Forbidden) an admitted object that the one who asks may not write although he has the verb. */
  readonly authorizeWrite?: (object: KubernetesObject, request: ApiRequest) => void;
  /** Runs after an object was stored. */
  readonly afterCreate?: (object: KubernetesObject, context: ApiContext) => void;
  /** Runs after an object was removed. */
  readonly afterDelete?: (object: KubernetesObject, context: ApiContext) => void;
  /** Sent as a warning with every object that is created: what of it this version does not do. */
  readonly notice?: string;
  /** The objects of another resource in another form, for a kind that two API groups have. */
  readonly view?: View;
  /** In place of the generic verbs, for objects that are not in the store. */
  readonly handlers?: Partial<Record<Verb, VerbHandler>>;
}

/** How objects of one resource look as another's. */
export interface View {
  /** The store's name of the resource that has them. */
  readonly of: string;
  readonly fromStored: (object: KubernetesObject) => KubernetesObject;
  readonly toStored: (object: KubernetesObject) => KubernetesObject;
}

/** Objects that are computed, not stored. */
export interface ForeignList {
  readonly items: readonly KubernetesObject[];
  /** Put on the list's metadata. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Subresource {
  /** Group and version of its kind where it is not the resource's. */
  readonly group?: string;
  readonly version?: string;
  /** Kind in discovery. */
  readonly kind: string;
  readonly verbs: readonly Verb[];
  readonly handlers: Partial<Record<Verb, VerbHandler>>;
}

/** `v1` or `GROUP/VERSION`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** The name under which the store and error messages know the resource: `pods`, `channels.peapod.dev`. */
export function resourceName(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** The field table's name of the resource's type. */
export function typeOf(resource: Resource): string {
  return resource.type ?? resource.kind;
}

/** The store's key of the named object. */
export function objectKey(resource: Resource, namespace: string, name: string): ObjectKey {
  return { resource: resourceName(resource), namespace, name };
}
