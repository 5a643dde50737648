/** One line of a description: `Key:  value`, or a heading with more below it. */
export type Line =
  | readonly [key: string, value: string | readonly string[]]
  | { readonly heading: string; readonly lines: readonly Line[] }
  | { readonly text: readonly string[] };

/**
 * Text in kubectl describe's layout: keys of one level are aligned, several values of a key stand below each other,
 * what belongs to a heading is indented by two.
 */
export function formatOutline(lines: readonly Line[], indent = "", minimumWidth = 0): string {
  const width = Math.max(
    minimumWidth,
    ...lines.map((line) => (Array.isArray(line) ? `${line[0]}:`.length + 2 : 0)),
  );
  return lines
    .map((line) => {
      if ("heading" in line) return `${indent}${line.heading}:\n${formatOutline(line.lines, `${indent}  `)}`;
      if ("text" in line) return line.text.map((text) => `${`${indent}${text}`.trimEnd()}\n`).join("");
      const [key, value] = line;
      const values = typeof value === "string" ? [value] : value;
      return values
        .map(
          (text, index) => `${`${indent}${(index === 0 ? `${key}:` : "").padEnd(width)}${text}`.trimEnd()}\n`,
        )
        .join("");
    })
    .join("");
}

/** `key=value` pairs in alphabetical order, or `<none>`. */
export function pairs(map: Readonly<Record<string, unknown>> | undefined, separator = "="): string[] {
  const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? ["<none>"] : entries.map(([key, value]) => `${key}${separator}${value}`);
}

/** A Kubernetes time as kubectl describes it (RFC 1123 with a numeric zone), here in UTC. */
export function longTime(time: string | undefined): string {
  if (time === undefined) return "<unknown>";
  return new Date(time).toUTCString().replace("GMT", "+0000");
}

/** Annotations to describe. The one left out repeats the whole manifest, and kubectl describe leaves it out too. */
export function withoutLastApplied(annotations: Readonly<Record<string, string>> | undefined) {
  const { "kubectl.kubernetes.io/last-applied-configuration": _applied, ...others } = annotations ?? {};
  return others;
}

/** The text with every line two further in. */
export function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
