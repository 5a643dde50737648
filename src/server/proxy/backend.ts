import { PeapodError } from "../../base/errors.ts";

/** Where requests to a `/proxy` subresource go. */
export interface Backend {
  readonly scheme: "http" | "https";
  /** IP address or host name. */
  readonly host: string;
  readonly port: number;
}

/** What stands before `/proxy`: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`, the port a number or a name. */
export interface ProxyName {
  readonly scheme: "http" | "https";
  readonly name: string;
  /** Empty: not said. */
  readonly port: string;
}

/**
 * Takes the name of a `/proxy` request apart
 * (https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls).
 * BadRequest for another form or scheme.
 */
export function parseProxyName(text: string): ProxyName {
  const parts = text.split(":");
  if (parts.length === 3) {
    const [scheme, name = "", port = ""] = parts;
    if ((scheme === "http" || scheme === "https" || scheme === "") && name !== "") {
      return { scheme: scheme === "https" ? "https" : "http", name, port };
    }
  } else if (parts.length < 3 && parts[0] !== "") {
    return { scheme: "http", name: parts[0] ?? "", port: parts[1] ?? "" };
  }
  throw new PeapodError(
    "BadRequest",
    `invalid proxy request ${JSON.stringify(text)}: it must be NAME, NAME:PORT or http:NAME:PORT, https:NAME:PORT`,
  );
}
