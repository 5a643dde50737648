import type { TokenKey } from "../../kube/service-account-token.ts";
import type { TokenReviewer } from "./authenticate.ts";

/** What the API needs to know who asks and to give out credentials. */
export interface AccessControl {
  /** Signs the tokens of service accounts. */
  readonly tokenKey: TokenKey;
  /** Recognises every bearer token that the API takes. */
  readonly reviewToken: TokenReviewer;
  /** PEM text of the authority that signed the API server's certificate; empty where the API has none. */
  readonly authority: string;
}
