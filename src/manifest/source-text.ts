/** Why bytes are no text, and the line and column (from 1) of the first offence. */
export interface NotText {
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

const byteOrderMark = "\uFEFF";

/** The text of a manifest without its byte order mark, or why it is none: manifests are UTF-8 and hold no NUL. */
export function sourceText(source: Uint8Array | string): string | NotText {
  const lenient =
    typeof source === "string" ? source : new TextDecoder("utf-8", { ignoreBOM: true }).decode(source);
  const nul = lenient.indexOf("\0");
  if (nul >= 0) return notText("the file is binary: it contains a NUL byte", lenient.slice(0, nul));
  if (typeof source !== "string") {
    const bad = firstDifference(source, Buffer.from(lenient));
    if (bad !== undefined) {
      return notText("the file is not valid UTF-8 text", new TextDecoder().decode(source.subarray(0, bad)));
    }
  }
  return lenient.startsWith(byteOrderMark) ? lenient.slice(1) : lenient;
}

/** Where bytes were replaced in decoding, since encoding the text again gives others. */
function firstDifference(bytes: Uint8Array, again: Uint8Array): number | undefined {
  if (Buffer.compare(bytes, again) === 0) return undefined;
  const index = bytes.findIndex((byte, at) => byte !== again[at]);
  return index === -1 ? bytes.length : index;
}

function notText(reason: string, before: string): NotText {
  const lines = before.split("\n");
  return { reason, line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}
