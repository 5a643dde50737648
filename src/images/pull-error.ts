import { PeapodError } from "../base/errors.ts";

/** What registries and networks say when a pull fails, and the same in words for a pod event. */
const explanations: readonly (readonly [RegExp, (match: RegExpMatchArray) => string])[] = [
  [/manifest unknown|name unknown|repository name not known|404 \(?Not Found/i, () => "not found"],
  [
    /requested access to the resource is denied/i,
    () => "access denied: the repository does not exist or needs a login",
  ],
  [
    /unauthorized|authentication required|invalid username\/password|\b401\b/i,
    () => "unauthorized: the registry asks for (other) credentials",
  ],
  [/denied|\b403\b.*Forbidden/i, () => "access denied by the registry"],
  [/toomanyrequests|too many requests/i, () => "the registry's rate limit is reached"],
  [
    /lookup (\S+?)(?: on \S+)?: (?:no such host|Temporary failure|server misbehaving)/i,
    ([, name]) => `no such host: ${name}`,
  ],
  [/dial tcp (\S+): connect: connection refused/i, ([, address]) => `connection refused by ${address}`],
  [
    /dial tcp (\S+): connect: (?:no route to host|network is unreachable)/i,
    ([, address]) => `no route to ${address}`,
  ],
  [
    /i\/o timeout|context deadline exceeded|TLS handshake timeout/i,
    () => "the registry did not answer in time",
  ],
  [
    /server gave HTTP response to HTTPS client/i,
    () => "the registry speaks plain HTTP; allow it with `insecure = true` in registries.conf",
  ],
  [/x509: ([^"]+)/i, ([, reason]) => `the registry's certificate is not trusted: ${reason}`],
  [
    /no image found in (?:image index|manifest list) for architecture (\S+?),? ?(?:variant "[^"]*", )?OS (\S+)/i,
    ([, architecture, os]) => `no image for this machine (${os}/${architecture})`,
  ],
  [
    /digest did not match|digest mismatch|does not match.*digest|unexpected EOF|gzip: invalid|invalid tar header|archive\/tar/i,
    () => "corrupt: a layer is not what its digest says",
  ],
  [/no space left on device/i, () => "no space left on the disk that holds the images"],
  [/rejected by policy/i, () => "rejected by the signature policy (containers-policy.json)"],
];

/**
 * A failed pull as an ErrImagePull whose message is one line for a pod event: what is wrong, in words, or the
 * tool's own last words where they are not known. `output` is what skopeo wrote to standard error.
 */
export function pullError(image: string, output: string, cause: unknown): PeapodError {
  const reason = fatalMessage(output).replace(/\s+/g, " ").trim();
  for (const [pattern, words] of explanations) {
    const match = pattern.exec(reason);
    if (match !== null) return failure(image, words(match), reason, cause);
  }
  return failure(image, reason === "" ? "skopeo failed without a word" : reason, reason, cause);
}

function failure(image: string, words: string, reason: string, cause: unknown): PeapodError {
  return new PeapodError("ErrImagePull", `failed to pull image "${image}": ${words}`, {
    details: { image, reason },
    cause,
  });
}

/** The message of skopeo's last `level=fatal` line, unquoted; else the last line as it is. */
function fatalMessage(output: string): string {
  const line = output.trim().split("\n").at(-1) ?? "";
  const quoted = /level=(?:fatal|error) msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  if (quoted === undefined) return line.replace(/^.*level=\w+ msg=/, "");
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}
