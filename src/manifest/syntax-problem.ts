import type { YAMLError } from "yaml";
import type { ManifestProblem, Position } from "./types.ts";

/** Plain words for what the YAML parser found, by its error code; its own words where there are none. */
const explanations: Readonly<Record<string, string>> = {
  BAD_ALIAS: "the alias names an anchor that does not stand before it",
  BAD_DQ_ESCAPE: "unknown escape in a double-quoted text; use single quotes or \\\\",
  BAD_INDENT: "wrong indentation: the line fits no level above it",
  BLOCK_AS_IMPLICIT_KEY:
    "wrong indentation, or a second `key:` on the same line; put a text with `: ` in quotes",
  BLOCK_IN_FLOW: "an indented block inside {} or []; use the bracket style throughout",
  MULTILINE_IMPLICIT_KEY: "a line without `key:`; is a colon missing, or the text not in quotes?",
};

/** Why a YAML document cannot be read, at the place where it goes wrong. */
export function syntaxProblem(
  error: YAMLError,
  text: string,
  positionAt: (offset: number) => Position,
): ManifestProblem {
  const offset = error.pos[0];
  const tab = tabBefore(text, error.pos[1]);
  if (tab !== undefined) return syntax(positionAt(tab), "tab used for indentation; YAML allows only spaces");
  const explanation = explanations[error.code] ?? lowerFirst(error.message);
  return syntax(positionAt(offset), explanation);
}

/** Offset of the first tab that indents a line up to the place of the error. */
function tabBefore(text: string, end: number): number | undefined {
  const lineEnd = text.indexOf("\n", end);
  const before = text.slice(0, lineEnd === -1 ? text.length : lineEnd);
  const match = /^ *\t/m.exec(before);
  return match === null ? undefined : match.index + match[0].length - 1;
}

function syntax(position: Position, message: string): ManifestProblem {
  return { severity: "error", position, field: "", reason: "Syntax", message };
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
