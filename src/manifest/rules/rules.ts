import type { ObjectMeta } from "../../kube/types.ts";
import type { Problem } from "../problems.ts";

/** What the API does with an object of one kind beside decoding it. */
export interface KindRules {
  /** Name in the field table; absent: the kind. */
  readonly type?: string;
  /** The form that its names have; absent: a DNS subdomain. */
  readonly nameProblems?: (name: string) => string[];
  /** Fills in, in place, what the API fills in on create; a second call changes nothing. */
  readonly setDefaults?: (object: object) => void;
  /** Whether `validate` looks for required fields itself; absent: the field table's are looked for. */
  readonly saysWhatIsRequired?: boolean;
  /** Rules beside metadata's. */
  readonly validate?: (object: object) => Problem[];
  /** Paths below the object that no update may change; messages as `field is immutable`. */
  readonly immutable?: readonly string[];
}

/** An object of a kind as far as all kinds are alike. */
export interface AnyObject {
  readonly metadata?: ObjectMeta;
}

/** The rules of a kind whose objects are of type `T` once they are decoded. */
export function kindRules<T extends AnyObject>(rules: {
  readonly type?: string;
  readonly nameProblems?: (name: string) => string[];
  readonly saysWhatIsRequired?: boolean;
  readonly setDefaults?: (object: T) => void;
  readonly validate?: (object: T) => Problem[];
  readonly immutable?: readonly string[];
}): KindRules {
  // Decoding has seen to it that the object is a T.
  return rules as unknown as KindRules;
}
