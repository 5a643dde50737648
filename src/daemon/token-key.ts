import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import { type TokenKey, tokenKey } from "../kube/service-account-token.ts";

/**
 * The node's own key for service accounts' tokens, made when it is not there and kept in `pki/service-account.key`
 * of the state folder (0600), so that tokens stay good over restarts.
 */
export function loadTokenKey(layout: Layout): TokenKey {
  const path = join(layout.stateDir, "pki", "service-account.key");
  let text = readFileIfExists(path);
  if (text === undefined) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    text = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    writeFileAtomically(path, text, { durable: true });
  }
  const privateKey = createPrivateKey(text);
  return tokenKey(privateKey, createPublicKey(privateKey));
}
