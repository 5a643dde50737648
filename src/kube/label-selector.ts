import { PeapodError } from "../base/errors.ts";
import { labelValueProblems, qualifiedNameProblems } from "./names.ts";

type Labels = Readonly<Record<string, string>>;
type Predicate = (labels: Labels | undefined) => boolean;

interface Token {
  readonly kind: "identifier" | "symbol" | "end";
  readonly text: string;
}

const operators = ["in", "notin", "=", "==", "!=", "gt", "lt"];

/**
 * Compiles a label selector as `kubectl get -l` and the API's `labelSelector` take it
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors):
 * `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5`. The empty selector matches everything.
 *
 * @throws PeapodError BadRequest with the API server's message.
 */
export function parseLabelSelector(text: string): Predicate {
  const reader = new TokenReader(text);
  const requirements: Predicate[] = [];
  while (reader.peek().kind !== "end") {
    requirements.push(parseRequirement(reader));
    const separator = reader.next();
    if (separator.kind === "end") break;
    if (separator.text !== ",") reader.fail(`found '${separator.text}', expected: ',' or 'end of string'`);
    const following = reader.peek();
    if (following.kind !== "identifier" && following.text !== "!") {
      reader.fail(`found '${following.text}', expected: identifier after ','`);
    }
  }
  return (labels) => requirements.every((matches) => matches(labels));
}

function parseRequirement(reader: TokenReader): Predicate {
  const first = reader.peek();
  if (first.kind !== "identifier" && first.text !== "!") {
    reader.fail(`found '${first.text}', expected: !, identifier, or 'end of string'`);
  }
  const negated = first.text === "!" && first.kind === "symbol";
  if (negated) reader.next();
  const { kind, text: key } = reader.next();
  if (kind !== "identifier") reader.fail(`found '${key}', expected: identifier`);
  const problems = qualifiedNameProblems(key);
  if (problems.length > 0) reader.fail(`key: Invalid value: ${JSON.stringify(key)}: ${problems.join("; ")}`);
  if (negated) return (labels) => labels?.[key] === undefined;
  const next = reader.peek();
  if (next.kind === "end" || next.text === ",") return (labels) => labels?.[key] !== undefined;
  return parseComparison(reader, key);
}

function parseComparison(reader: TokenReader, key: string): Predicate {
  const operator = reader.next().text;
  switch (operator) {
    case "in":
    case "notin": {
      const values = parseSet(reader);
      checkValues(reader, key, values);
      return (labels) => {
        const value = labels?.[key];
        return operator === "in"
          ? value !== undefined && values.has(value)
          : value === undefined || !values.has(value);
      };
    }
    case "=":
    case "==":
    case "!=": {
      const value = parseExactValue(reader);
      checkValues(reader, key, new Set([value]));
      return operator === "!=" ? (labels) => labels?.[key] !== value : (labels) => labels?.[key] === value;
    }
    case ">":
    case "<": {
      const bound = parseExactValue(reader);
      if (!/^[+-]?\d+$/.test(bound)) {
        reader.fail(
          `values[0][${key}]: Invalid value: ${JSON.stringify(bound)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        );
      }
      return (labels) => {
        const value = labels?.[key];
        if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
        return operator === ">" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
      };
    }
    default:
      return reader.fail(`found '${operator}', expected: ${operators.join(", ")}`);
  }
}

function parseExactValue(reader: TokenReader): string {
  const token = reader.peek();
  if (token.kind === "end" || token.text === ",") return "";
  if (token.kind !== "identifier") reader.fail(`found '${token.text}', expected: identifier`);
  return reader.next().text;
}

function parseSet(reader: TokenReader): Set<string> {
  const open = reader.next();
  if (open.text !== "(") reader.fail(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  // An empty entry between commas is the empty value, as the API server reads it.
  let pending: string | undefined;
  for (;;) {
    const token = reader.next();
    if (token.kind === "identifier" && pending === undefined) {
      pending = token.text;
    } else if (token.text === "," && token.kind === "symbol") {
      values.add(pending ?? "");
      pending = undefined;
      if (reader.peek().text === ")") values.add("");
    } else if (token.text === ")" && token.kind === "symbol") {
      if (pending !== undefined) values.add(pending);
      return values;
    } else {
      reader.fail(
        `found '${token.text}', expected: ${pending === undefined ? "',', ')' or identifier" : "',' or ')'"}`,
      );
    }
  }
}

function checkValues(reader: TokenReader, key: string, values: ReadonlySet<string>): void {
  if (values.size === 0) {
    reader.fail("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  }
  for (const [index, value] of [...values].entries()) {
    const problems = labelValueProblems(value);
    if (problems.length > 0) {
      reader.fail(
        `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join("; ")}`,
      );
    }
  }
}

class TokenReader {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = [...text.matchAll(/(==|!=|[=!(),<>])|([^\s=!(),<>]+)/g)].map(([whole, symbol]) => ({
      kind: symbol === undefined ? "identifier" : "symbol",
      text: whole,
    }));
  }

  peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  fail(message: string): never {
    throw new PeapodError("BadRequest", `unable to parse requirement: ${message}`);
  }
}
