import type { YAMLError } from "yaml";
import type { ManifestProblem, Position } from "./types.ts";

/** Plain words for what the YAML parser found, by its code and words; its own words where none fit. */
const explanations: readonly (readonly [pattern: RegExp, explanation: string])[] = [
  [/maximum call stack/i, "the document is nested too deeply"],
  [/^BAD_INDENT Flow sequence/, "a `[` has no `]`, or the lines up to it are indented too little"],
  [/^BAD_INDENT Flow map/, "a `{` has no `}`, or the lines up to it are indented too little"],
  [/^BAD_INDENT/, "wrong indentation: the line fits no level above it"],
  [
    /^MISSING_CHAR Sequence item/,
    "wrong indentation: the line fits neither the item above nor starts a new one with `- `",
  ],
  [/^MISSING_CHAR Missing closing/, "a quoted text has no closing quote"],
  [
    /^MISSING_CHAR Implicit map key|^MULTILINE_IMPLICIT_KEY/,
    "a line without `key:`; is a colon missing, or the text not in quotes?",
  ],
  [
    /^BLOCK_AS_IMPLICIT_KEY/,
    "a second `key:` on one line, or wrong indentation; put a text with `: ` in quotes",
  ],
  [/^BLOCK_IN_FLOW/, "a comma or a closing bracket is missing in {} or []"],
  [/^BAD_SCALAR_START/, "a text that starts with this character must be in quotes"],
  [/^BAD_DQ_ESCAPE/, "unknown escape in a double-quoted text; use single quotes, or \\\\ for a backslash"],
  [
    /^UNEXPECTED_TOKEN/,
    "text after the end of a value; is the indentation wrong, or a quote in the wrong place?",
  ],
];

/** Why a YAML document cannot be read, at the place where it goes wrong. */
export function syntaxProblem(
  error: YAMLError,
  text: string,
  positionAt: (offset: number) => Position,
): ManifestProblem {
  const tab = tabNear(text, error.pos[0]);
  if (tab !== undefined) return syntax(positionAt(tab), "tab used for indentation; YAML allows only spaces");
  const found = `${error.code} ${error.message}`;
  const explanation = explanations.find(([pattern]) => pattern.test(found))?.[1] ?? lowerFirst(error.message);
  const indentation = /^[ \n]*/.exec(text.slice(error.pos[0]))?.[0] ?? "";
  return syntax(positionAt(error.pos[0] + indentation.length), explanation);
}

/** Offset of a tab that indents the line of the error, or the one after it. */
function tabNear(text: string, offset: number): number | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const lines = text.slice(start).split("\n", 2).join("\n");
  const match = /^ *\t/m.exec(lines);
  return match === null ? undefined : start + match.index + match[0].length - 1;
}

function syntax(position: Position, message: string): ManifestProblem {
  return { severity: "error", position, field: "", reason: "Syntax", message };
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
