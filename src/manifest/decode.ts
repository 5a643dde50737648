import { childPath, itemPath } from "../kube/field-path.ts";
import { fieldsOf, type WireType } from "../kube/field-table.ts";
import { formatQuantity, parseQuantity, quantityProblem } from "../kube/quantity.ts";
import { placesOfField } from "./misplaced-field.ts";
import { invalid, type Problem, unknownField, wrongType } from "./problems.ts";
import { isSlip, nearestSpelling } from "./spelling.ts";

/** What decoding gives: a clean copy, and everything that was wrong with the original. */
export interface Decoded {
  readonly value: Record<string, unknown>;
  readonly problems: readonly Problem[];
}

/**
 * Reads `value` as the Kubernetes type `type` (`Pod`, `Namespace`, …), strictly: an unknown field and a value of
 * the wrong type are problems, each with its path and how to put it right. What comes out is a copy of its own
 * with only known fields of the right type, without nulls (Kubernetes reads them as absent) and with quantities
 * in canonical form. Rules: the API's `fieldValidation=Strict`
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation).
 */
export function decodeStrict(type: string, value: unknown): Decoded {
  const decoder = new Decoder(type);
  const decoded = decoder.decode({ kind: "ref", type }, value, "");
  return { value: (decoded ?? {}) as Record<string, unknown>, problems: decoder.problems };
}

class Decoder {
  readonly problems: Problem[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The clean copy, or undefined when there is nothing (left). */
  decode(type: WireType, value: unknown, path: string): unknown {
    if (value === null || value === undefined) return undefined;
    switch (type.kind) {
      case "ref":
        return this.#decodeObject(type.type, value, path);
      case "list":
        return this.#decodeList(type.element, value, path);
      case "map":
        return this.#decodeMap(type.element, value, path);
      case "any":
        return structuredClone(value);
      default:
        return this.#decodeScalar(type.kind, value, path);
    }
  }

  #decodeObject(type: string, value: unknown, path: string): unknown {
    const fields = fieldsOf(type);
    if (fields === undefined) throw new TypeError(`the field table has no type ${type}`);
    if (!isObject(value)) return this.#refuse(path, value, "object");
    const result: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) {
      const field = fields.get(name);
      if (field === undefined) {
        this.problems.push(this.#unknown(name, path, fields.keys()));
        continue;
      }
      const decoded = this.decode(field.type, item, childPath(path, name));
      if (decoded !== undefined) result[name] = decoded;
    }
    return result;
  }

  #decodeList(element: WireType, value: unknown, path: string): unknown {
    if (!Array.isArray(value)) return this.#refuse(path, value, "list");
    const blank = element.kind === "ref" ? {} : element.kind === "string" ? "" : undefined;
    return value.map((item, index) => this.decode(element, item, itemPath(path, index)) ?? blank);
  }

  #decodeMap(element: WireType, value: unknown, path: string): unknown {
    if (!isObject(value)) return this.#refuse(path, value, "object");
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      const decoded = this.decode(element, item, itemPath(path, key));
      if (decoded !== undefined) entries.push([key, decoded]);
      else if (item === null && element.kind === "string") entries.push([key, ""]);
    }
    // Keys are the user's own, `__proto__` among them; only this defines every one as an own property.
    return Object.fromEntries(entries);
  }

  #decodeScalar(kind: string, value: unknown, path: string): unknown {
    switch (kind) {
      case "string":
        return typeof value === "string" ? value : this.#refuse(path, value, "string");
      case "bool":
        return typeof value === "boolean" ? value : this.#refuse(path, value, "boolean");
      case "int32":
      case "int64":
        return this.#decodeInteger(kind, value, path);
      case "number":
        return typeof value === "number" ? value : this.#refuse(path, value, "number");
      case "IntOrString":
        if (typeof value === "string") return value;
        return typeof value === "number"
          ? this.#decodeInteger("int32", value, path)
          : this.#refuse(path, value, "integer or string");
      case "Quantity":
        return this.#decodeQuantity(value, path);
      default:
        return this.#decodeTime(value, path);
    }
  }

  #decodeInteger(kind: "int32" | "int64", value: unknown, path: string): number | undefined {
    if (typeof value !== "number" || !Number.isInteger(value)) return this.#refuse(path, value, "integer");
    const bits = kind === "int32" ? 31 : 63;
    if (value < -(2 ** bits) || value >= 2 ** bits) {
      this.problems.push(wrongType(path, value, `must fit into ${bits + 1} bits`));
      return undefined;
    }
    return value;
  }

  #decodeQuantity(value: unknown, path: string): string | undefined {
    if (typeof value !== "string" && typeof value !== "number") return this.#refuse(path, value, "quantity");
    const quantity = parseQuantity(value);
    if (quantity !== undefined) return formatQuantity(quantity);
    this.problems.push(invalid(path, value, quantityProblem(String(value))));
    return undefined;
  }

  #decodeTime(value: unknown, path: string): string | undefined {
    if (typeof value !== "string") return this.#refuse(path, value, "time");
    const form = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
    if (form.test(value) && !Number.isNaN(Date.parse(value))) return value;
    this.problems.push(invalid(path, value, "must be a time in RFC 3339, for example 2026-11-22T23:00:00Z"));
    return undefined;
  }

  #refuse(path: string, value: unknown, expected: string): undefined {
    const found = typeName(value);
    this.problems.push(
      wrongType(path, value, `expected ${expected}, got ${found}${quotingHint(value, expected)}`),
    );
    return undefined;
  }

  #unknown(name: string, path: string, known: Iterable<string>): Problem {
    const field = childPath(path, name);
    const nearest = nearestSpelling(name, known);
    const places = placesOfField(this.#root, name, path);
    if (places.length > 0 && (nearest === undefined || !isSlip(name, nearest))) {
      return unknownField(field, `it belongs at ${places.join(" or ")}`);
    }
    if (nearest === undefined) return unknownField(field, "");
    const problem = unknownField(field, `did you mean ${JSON.stringify(nearest)}?`);
    return { ...problem, meant: childPath(path, nearest) };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** How to write the value so that its type is right, where quotes are all that is wrong. */
function quotingHint(value: unknown, expected: string): string {
  if (expected === "string" && typeof value === "number") return `; put it in quotes: "${value}"`;
  if (expected === "string" && typeof value === "boolean") return "; put it in quotes";
  const number = expected === "integer" && typeof value === "string" && /^-?\d+$/.test(value);
  const boolean = expected === "boolean" && (value === "true" || value === "false");
  return number || boolean ? "; write it without quotes" : "";
}
