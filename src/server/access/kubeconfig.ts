import { stringify } from "yaml";

/** What a kubeconfig is made of; certificates and key are PEM text. */
export interface KubeconfigParts {
  readonly server: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Cluster, user and context all have this name. */
const contextName = "peapod";

/** A kubeconfig file with one context, as client-go reads it. Holds a private key: only for its owner's eyes. */
export function kubeconfig(parts: KubeconfigParts): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: contextName,
        cluster: { server: parts.server, "certificate-authority-data": base64(parts.authority) },
      },
    ],
    users: [
      {
        name: contextName,
        user: {
          "client-certificate-data": base64(parts.certificate),
          "client-key-data": base64(parts.key),
        },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    "current-context": contextName,
  });
}
