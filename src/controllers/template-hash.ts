import { createHash } from "node:crypto";

// Letters and digits that make no words and are not mistaken for each other, as in generated names.
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
const length = 10;

/**
 * A short name for a value, fit for a label and for the end of an object's name: the same for the same value,
 * whatever the order of its fields. `salt` makes another one.
 */
export function templateHash(value: unknown, salt: number): string {
  const digest = createHash("sha256")
    .update(`${salt} ${canonical(value)}`)
    .digest();
  return [...digest.subarray(0, length)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
