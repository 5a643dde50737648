import { randomInt } from "node:crypto";

// Letters and digits that make no words and are not mistaken for each other, as the API server's.
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** Five characters that end a generated name. */
export function randomSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("");
}
