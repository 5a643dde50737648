import { findText } from "../texts.ts";
import { errorLines, logEvidence, pathsIn } from "./log-errors.ts";
import type { LiveEvidence, LiveView } from "./view.ts";
import { containerNamed } from "./view.ts";

/**
 * What shows that a container means to use a path: an error that it wrote about it, or its own command line or
 * environment. Undefined when nothing does.
 */
export function meansToUse(
  view: LiveView,
  container: string,
  path: string,
  error: RegExp,
): { readonly evidence: LiveEvidence; readonly failed: boolean } | undefined {
  const line = errorLines(view, container, error).find(({ text }) => pathsIn(text).includes(path));
  if (line !== undefined) return { evidence: logEvidence(line), failed: true };
  const manifest = containerNamed(view, container);
  const escaped = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const text = manifest && findText(manifest, new RegExp(`${escaped}(?![\\w./-])`));
  if (text === undefined) return undefined;
  return { evidence: { source: text.field, detail: `names ${path}` }, failed: false };
}
