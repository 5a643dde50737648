import { beforeEach, describe, expect, test } from "vitest";
import { secretTokenClaims, serviceAccountClaims, tokenIssuer } from "../../kube/service-account-token.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { openStore } from "../../store/sqlite-store.ts";
import type { Store } from "../../store/types.ts";
import { fakeTokenKey } from "../fake-node.ts";
import { apiAudiences, type TokenReviewer } from "./authenticate.ts";
import { serviceAccountTokens } from "./service-account-tokens.ts";

const key = fakeTokenKey();
const issued = Date.parse("2026-01-01T00:00:00Z");
let now: number;
let store: Store;
let account: KubernetesObject;
let pod: KubernetesObject;
let review: TokenReviewer;

beforeEach(() => {
  now = issued;
  store = openStore(":memory:");
  account = store.create("serviceaccounts", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "robot", namespace: "a" },
  });
  pod = store.create("pods", { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "a" } });
  review = serviceAccountTokens(store, key, { now: () => now });
});

function claims(more: object = {}): object {
  return serviceAccountClaims({
    namespace: "a",
    serviceAccount: { name: "robot", uid: account.metadata.uid },
    audiences: undefined,
    expirationSeconds: 600,
    now: issued,
    ...more,
  });
}

const isGood = (token: string, audiences = apiAudiences) => review(token, audiences) !== undefined;

test("whose it is", () => {
  const bound = claims({ pod: { name: "p", uid: pod.metadata.uid } });
  expect(review(key.sign(bound), apiAudiences)).toEqual({
    audiences: [tokenIssuer],
    user: {
      name: "system:serviceaccount:a:robot",
      uid: account.metadata.uid,
      groups: ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"],
      extra: {
        "authentication.kubernetes.io/credential-id": [`JTI=${(bound as { jti: string }).jti}`],
        "authentication.kubernetes.io/pod-name": ["p"],
        "authentication.kubernetes.io/pod-uid": [pod.metadata.uid],
      },
    },
  });
});

describe("a token is good", () => {
  test("from its time on until it expires", () => {
    const token = key.sign(claims());
    for (const [at, good] of [
      [-2_000, false],
      [0, true],
      [599_000, true],
      [600_000, false],
      [1e12, false],
    ] as const) {
      now = issued + at;
      expect(isGood(token), String(at)).toBe(good);
    }
  });

  test("for its audiences only", () => {
    const token = key.sign(claims({ audiences: ["vault", "other"] }));
    expect(isGood(token)).toBe(false);
    expect(review(token, ["vault", "third"])?.audiences).toEqual(["vault"]);
  });

  test("by this key only, and with these issuers", () => {
    expect(isGood(fakeTokenKey().sign(claims()))).toBe(false);
    expect(isGood(key.sign({ ...claims(), iss: "https://elsewhere" }))).toBe(false);
    for (const nonsense of ["", "x", "a.b.c", "..", key.sign({})]) expect(isGood(nonsense)).toBe(false);
  });

  test("while its pod is the same; a minute longer when it is deleted", () => {
    expect(isGood(key.sign(claims({ pod: { name: "p", uid: "another" } })))).toBe(false);
    const token = key.sign(claims({ pod: { name: "p", uid: pod.metadata.uid } }));
    const deletionTimestamp = new Date(issued).toISOString();
    store.update({ resource: "pods", namespace: "a", name: "p" }, (current) => ({
      ...current,
      metadata: { ...current.metadata, deletionTimestamp },
    }));
    now = issued + 59_000;
    expect(isGood(token)).toBe(true);
    now = issued + 61_000;
    expect(isGood(token)).toBe(false);
  });

  test("while its account is the same", () => {
    const token = key.sign(claims());
    store.delete({ resource: "serviceaccounts", namespace: "a", name: "robot" });
    expect(isGood(token)).toBe(false);
    store.create("serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "robot", namespace: "a" },
    });
    expect(isGood(token)).toBe(false);
  });

  test("a Secret's for ever, while it is the one that the Secret holds", () => {
    const identity = { name: "robot", uid: account.metadata.uid };
    const token = key.sign(secretTokenClaims("a", "s", identity));
    expect(isGood(token)).toBe(false);
    const data = { token: Buffer.from(token).toString("base64") };
    store.create("secrets", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "a" },
      data,
    });
    now = issued + 1e12;
    expect(isGood(token)).toBe(true);
    expect(isGood(key.sign({ ...secretTokenClaims("a", "s", identity), x: 1 }))).toBe(false);
  });
});
