import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import { keyIDOf, signToken } from "../kube/service-account-token.ts";

/**
 * Signs service accounts' tokens with the node's own key, which is made at the first token and kept in
 * `pki/service-account.key` of the state folder (0600).
 */
export function createTokenSigner(layout: Layout): (claims: object) => string {
  let signer: ((claims: object) => string) | undefined;
  return (claims) => {
    signer ??= loadSigner(join(layout.stateDir, "pki", "service-account.key"));
    return signer(claims);
  };
}

function loadSigner(path: string): (claims: object) => string {
  let text = readFileIfExists(path);
  if (text === undefined) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    text = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    writeFileAtomically(path, text, { durable: true });
  }
  const privateKey = createPrivateKey(text);
  const keyID = keyIDOf(createPublicKey(privateKey));
  return (claims) => signToken(claims, privateKey, keyID);
}
