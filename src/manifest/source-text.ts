/** A reason why bytes are no text, with the offset (in bytes) of the first offence. */
export interface NotText {
  readonly reason: string;
  readonly offset: number;
}

const byteOrderMark = "\uFEFF";

/**
 * The text of a manifest without its byte order mark, or why it is none: manifests are UTF-8 and hold no NUL.
 */
export function sourceText(source: Uint8Array | string): string | NotText {
  const text = typeof source === "string" ? source : decodeUtf8(source);
  if (typeof text !== "string") return text;
  const nul = text.indexOf("\0");
  if (nul >= 0) return { reason: "the file is binary: it contains a NUL byte", offset: nul };
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function decodeUtf8(bytes: Uint8Array): string | NotText {
  const nul = bytes.indexOf(0);
  if (nul >= 0) return { reason: "the file is binary: it contains a NUL byte", offset: nul };
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { reason: "the file is not valid UTF-8 text", offset: 0 };
  }
}
