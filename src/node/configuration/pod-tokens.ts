import { isNotFound, PeapodError } from "../../base/errors.ts";
import { serviceAccountClaims } from "../../kube/service-account-token.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";

/** Signs the claims of a JSON Web Token. */
export type TokenSigner = (claims: object) => string;

interface IssuedToken {
  readonly token: string;
  /** When it should be replaced (milliseconds since the epoch). */
  readonly refreshAt: number;
}

const dayMilliseconds = 86_400_000;

/**
 * Tokens of service accounts for pods' volumes, each bound to its pod and kept until it should be replaced: when a
 * fifth of its life is left or after a day, as the kubelet does
 * (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken).
 */
export class PodTokens {
  readonly #sign: TokenSigner;
  readonly #store: Pick<Store, "get">;
  readonly #issued = new Map<string, Map<string, IssuedToken>>();

  constructor(store: Pick<Store, "get">, sign: TokenSigner) {
    this.#store = store;
    this.#sign = sign;
  }

  /** A token that is good now. `audience` absent: the API server. Throws FailedMount when the account is missing. */
  tokenFor(pod: StoredPod, audience: string | undefined, expirationSeconds: number, now: number): string {
    const { uid } = pod.metadata;
    const tokens = this.#issued.get(uid) ?? new Map<string, IssuedToken>();
    this.#issued.set(uid, tokens);
    const key = `${audience ?? ""}\0${expirationSeconds}`;
    const known = tokens.get(key);
    if (known !== undefined && now < known.refreshAt) return known.token;
    const lifetime = expirationSeconds * 1000;
    const issued = {
      token: this.#issue(pod, audience, expirationSeconds, now),
      refreshAt: now + Math.min(lifetime * 0.8, dayMilliseconds),
    };
    tokens.set(key, issued);
    return issued.token;
  }

  /** When the first of a pod's tokens should be replaced; undefined when it has none. */
  nextRefresh(podUID: string): number | undefined {
    const times = [...(this.#issued.get(podUID)?.values() ?? [])].map(({ refreshAt }) => refreshAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Forgets a pod that is gone. */
  forget(podUID: string): void {
    this.#issued.delete(podUID);
  }

  #issue(pod: StoredPod, audience: string | undefined, expirationSeconds: number, now: number): string {
    const { namespace, name, uid } = pod.metadata;
    const account = pod.spec.serviceAccountName || "default";
    return this.#sign(
      serviceAccountClaims({
        namespace,
        serviceAccount: { name: account, uid: this.#uidOf("serviceaccounts", namespace, account) },
        pod: { name, uid },
        node: {
          name: pod.spec.nodeName ?? "",
          uid: this.#uidOf("nodes", "", pod.spec.nodeName ?? ""),
        },
        audiences: audience === undefined || audience === "" ? undefined : [audience],
        expirationSeconds,
        now,
      }),
    );
  }

  #uidOf(resource: string, namespace: string, name: string): string {
    try {
      return this.#store.get({ resource, namespace, name }).metadata.uid;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (resource === "nodes") return "";
      throw new PeapodError("FailedMount", `failed to fetch token: serviceaccounts "${name}" not found`);
    }
  }
}
