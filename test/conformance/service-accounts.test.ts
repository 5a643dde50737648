import { createPublicKey, verify } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubernetesObject, StoredPod } from "../../src/kube/types.ts";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { type TLSAnswer, tlsClient } from "../helpers/tls-client.ts";

// What Kubernetes' own suite asks of service accounts (test/e2e/auth/service_accounts.go), and what kubectl makes of them.

let cluster: Cluster;
let kubectl: Client;
let ask: (path: string, token: string, body?: object) => Promise<TLSAnswer>;

beforeAll(async () => {
  cluster = await startCluster();
  ({ kubectl } = await clientsOf(cluster.node));
  const client = await tlsClient(cluster.node);
  ask = (path, token, body) =>
    client.ask(
      path,
      { token },
      body === undefined
        ? {}
        : {
            method: "POST",
            body: Buffer.from(JSON.stringify(body)),
            headers: { "content-type": "application/json" },
          },
    );
});
afterAll(() => cluster?.close());

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";

function claimsOf(token: string): Record<string, unknown> & { exp: number; iat: number } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

function account(name: string, more: object = {}): object {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name }, ...more };
}

/** An account that may read pods of its namespace, and nothing else. */
async function podReader(namespace: string, name = "reader"): Promise<void> {
  await cluster.create(namespace, account(name));
  const inNamespace = ["-n", namespace];
  await kubectl.ok([...inNamespace, "create", "role", "pods", "--verb=get,list", "--resource=pods"]);
  await kubectl.ok([
    ...[...inNamespace, "create", "rolebinding", "pods", "--role=pods"],
    `--serviceaccount=${namespace}:${name}`,
  ]);
}

describe("[sig-auth] ServiceAccounts", () => {
  test("should mount an API token into pods", async () => {
    const namespace = await cluster.newNamespace();
    const script = `cat ${folder}/token; echo; cat ${folder}/namespace; echo; cat ${folder}/ca.crt; touch ${folder}/x`;
    const { log } = await runPod(cluster, namespace, scriptPod("token", script));
    const [token = "", mounted, ...rest] = log.split("\n");
    expect(mounted).toBe(namespace);
    expect(rest.join("\n")).toContain(readFileSync(join(cluster.node.stateDir, "pki/ca.crt"), "utf8").trim());
    expect(rest.join("\n")).toContain("Read-only file system");
    const claims = claimsOf(token);
    expect(claims).toMatchObject({
      sub: `system:serviceaccount:${namespace}:default`,
      "kubernetes.io": { namespace, pod: { name: "token" }, serviceaccount: { name: "default" } },
    });
    expect(claims.exp - claims.iat).toBe(3607);
  });

  test("should allow opting out of API token automount", async () => {
    const namespace = await cluster.newNamespace();
    for (const [name, says] of [
      ["mount", { automountServiceAccountToken: true }],
      ["nomount", { automountServiceAccountToken: false }],
      ["silent", {}],
    ] as const) {
      await cluster.create(namespace, account(name, says));
      for (const [suffix, own] of [
        ["yes", { automountServiceAccountToken: true }],
        ["no", { automountServiceAccountToken: false }],
        ["", {}],
      ] as const) {
        const pod = await cluster.create<StoredPod>(
          namespace,
          scriptPod(`${name}${suffix}`, "true", { serviceAccountName: name, ...own }),
        );
        const isMounted = pod.spec.containers[0]?.volumeMounts?.some(({ mountPath }) => mountPath === folder);
        const isWanted = suffix === "" ? name !== "nomount" : suffix === "yes";
        expect(isMounted ?? false, `${name} ${suffix}`).toBe(isWanted);
        expect(pod.spec.volumes?.length ?? 0).toBe(isWanted ? 1 : 0);
      }
    }
  });

  test("the volume goes to every container that has nothing else there", async () => {
    const namespace = await cluster.newNamespace();
    const own = [{ name: "own", mountPath: folder }];
    const pod = await cluster.create<StoredPod>(
      namespace,
      scriptPod(
        "many",
        "true",
        {
          volumes: [{ name: "own", emptyDir: {} }],
          initContainers: [{ name: "init", image: "peapod.dev/host", command: ["true"] }],
        },
        { volumeMounts: own },
      ),
    );
    const [init] = pod.spec.initContainers ?? [];
    const name = pod.spec.volumes?.at(-1)?.name ?? "";
    expect(name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(init?.volumeMounts).toEqual([{ name, readOnly: true, mountPath: folder }]);
    expect(pod.spec.containers[0]?.volumeMounts).toEqual(own);
  });

  test("should guarantee kube-root-ca.crt exist in any namespace", async () => {
    const namespace = await cluster.newNamespace();
    const path = `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`;
    const read = async () => (await cluster.call("GET", path)).body as KubernetesObject;
    const { data, metadata } = await read();
    expect((data as Record<string, string>)["ca.crt"]).toContain("BEGIN CERTIFICATE");
    await cluster.remove(namespace, "ConfigMap", "kube-root-ca.crt");
    const again = await read();
    expect(again.data).toEqual(data);
    expect(again.metadata.uid).not.toBe(metadata.uid);
    await cluster.patch(namespace, "ConfigMap", "kube-root-ca.crt", { data: { "ca.crt": "" } });
    expect((await read()).data).toEqual(data);
  });

  test("should update a ServiceAccount", async () => {
    const namespace = await cluster.newNamespace();
    const made = await cluster.create<KubernetesObject>(namespace, account("changed"));
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/changed`;
    const answer = await cluster.call("PUT", path, { ...made, automountServiceAccountToken: false });
    expect(answer).toMatchObject({ status: 200, body: { automountServiceAccountToken: false } });
    expect((await cluster.call("GET", path)).body.automountServiceAccountToken).toBe(false);
  });

  test("should run through the lifecycle of a ServiceAccount", async () => {
    const namespace = await cluster.newNamespace();
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const before = (await cluster.call("GET", path)).body.metadata.resourceVersion;
    const labels = { "test-serviceaccount-static": "true" };
    await cluster.create(namespace, { ...account("living"), metadata: { name: "living", labels } });
    await cluster.patch(namespace, "ServiceAccount", "living", { automountServiceAccountToken: false });
    const selector = "labelSelector=test-serviceaccount-static%3Dtrue";
    const listed = (await cluster.call("GET", `/api/v1/serviceaccounts?${selector}`)).body.items;
    expect(listed).toMatchObject([
      { metadata: { name: "living", labels }, automountServiceAccountToken: false },
    ]);
    expect((await cluster.call("DELETE", `${path}?${selector}`)).status).toBe(200);
    const watch = `${path}?watch=1&timeoutSeconds=1&resourceVersion=${before}&${selector}`;
    const lines = await kubectl.ok(["get", "--raw", watch]);
    expect(lines.match(/"type":"(\w+)"/g)).toEqual([
      '"type":"ADDED"',
      '"type":"MODIFIED"',
      '"type":"DELETED"',
    ]);
  });

  test("the account `default` comes again, others do not, and its namespace can still go", async () => {
    const namespace = await cluster.newNamespace();
    await cluster.create(namespace, account("other"));
    await cluster.remove(namespace, "ServiceAccount", "default");
    await cluster.remove(namespace, "ServiceAccount", "other");
    const { body } = await cluster.call("GET", `/api/v1/namespaces/${namespace}/serviceaccounts`);
    expect(body.items.map(({ metadata }: KubernetesObject) => metadata.name)).toEqual(["default"]);
    await kubectl.ok(["delete", "namespace", namespace, "--timeout=30s"]);
  });

  test("a pod takes its account's imagePullSecrets unless it has its own", async () => {
    const namespace = await cluster.newNamespace();
    await cluster.create(namespace, account("puller", { imagePullSecrets: [{ name: "registry" }] }));
    const spec = { serviceAccountName: "puller" };
    const taken = await cluster.create<StoredPod>(namespace, scriptPod("taken", "true", spec));
    expect(taken.spec.imagePullSecrets).toEqual([{ name: "registry" }]);
    const own = { ...spec, imagePullSecrets: [{ name: "mine" }] };
    const kept = await cluster.create<StoredPod>(namespace, scriptPod("kept", "true", own));
    expect(kept.spec.imagePullSecrets).toEqual([{ name: "mine" }]);
  });

  test("a pod of an account that is not there is refused", async () => {
    const namespace = await cluster.newNamespace();
    const pod = scriptPod("orphan", "true", { serviceAccountName: "nobody" });
    const { status, body } = await cluster.call("POST", `/api/v1/namespaces/${namespace}/pods`, pod);
    expect(status).toBe(403);
    expect(body).toMatchObject({
      reason: "Forbidden",
      message: `pods "orphan" is forbidden: error looking up service account ${namespace}/nobody: serviceaccount "nobody" not found`,
    });
  });

  test("ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer", async () => {
    const namespace = await cluster.newNamespace();
    const token = (await kubectl.ok(["-n", namespace, "create", "token", "default"])).trim();
    const configuration = JSON.parse((await ask("/.well-known/openid-configuration", token)).body);
    expect(configuration.issuer).toBe(claimsOf(token).iss);
    const keys = JSON.parse((await ask(new URL(configuration.jwks_uri).pathname, token)).body) as {
      keys: { kid: string }[];
    };
    const [head = "", claims = "", signature = ""] = token.split(".");
    const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
    const jwk = keys.keys.find((candidate) => candidate.kid === kid);
    const key = createPublicKey({ key: jwk as never, format: "jwk" });
    const options = { key, dsaEncoding: "ieee-p1363" } as const;
    expect(
      verify("sha256", Buffer.from(`${head}.${claims}`), options, Buffer.from(signature, "base64url")),
    ).toBe(true);
  });
});

describe("tokens", () => {
  test("a mounted token is its account at the API, may do what the account may, and ends with the pod", async () => {
    const namespace = await cluster.newNamespace();
    await podReader(namespace);
    const pod = scriptPod("holder", `cat ${folder}/token; trap exit TERM; sleep 1000 & wait`, {
      serviceAccountName: "reader",
    });
    await cluster.create(namespace, pod);
    const token = (await cluster.logged(namespace, "holder", /\..*\../)).trim();
    const path = `/api/v1/namespaces/${namespace}`;
    expect((await ask(`${path}/pods`, token)).code).toBe(200);
    expect(await ask(`${path}/secrets`, token)).toMatchObject({
      code: 403,
      reason: "Forbidden",
      message: `secrets is forbidden: User "system:serviceaccount:${namespace}:reader" cannot list resource "secrets" in API group "" in the namespace "${namespace}"`,
    });
    expect((await ask("/api/v1/namespaces/default/pods", token)).code).toBe(403);
    expect((await ask("/kubeconfig", token)).code).toBe(403);
    await cluster.remove(namespace, "Pod", "holder");
    await kubectl.ok(["-n", namespace, "wait", "--for=delete", "pod/holder", "--timeout=30s"]);
    expect((await ask(`${path}/pods`, token)).code).toBe(401);
  });

  test("a container asks the API with what is mounted: by curl, and by kubectl's in-cluster configuration", async () => {
    const namespace = await cluster.newNamespace();
    await podReader(namespace);
    const { programs } = await clientsOf(cluster.node);
    const script = `
      ask() { curl -sS -m 20 -o /dev/null -w '%{http_code}\\n' --cacert ${folder}/ca.crt -H "Authorization: Bearer $(cat ${folder}/token)" "$1$2"; }
      for server in https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT https://kubernetes.default.svc; do
        ask $server /api/v1/namespaces/${namespace}/pods
        ask $server /api/v1/namespaces/${namespace}/secrets
      done
      HOME=/tmp /mnt/kubectl get pods -o name
      HOME=/tmp /mnt/kubectl get secrets`;
    const programsFolder = { path: dirname(realpathSync(programs.kubectl)) };
    const spec = { serviceAccountName: "reader", volumes: [{ name: "programs", hostPath: programsFolder }] };
    const mounts = { volumeMounts: [{ name: "programs", mountPath: "/mnt" }] };
    const pod = scriptPod("asker", script, spec, mounts);
    const { log } = await runPod(cluster, namespace, pod);
    expect(log.split("\n").slice(0, 5)).toEqual(["200", "403", "200", "403", "pod/asker"]);
    expect(log).toContain(`User "system:serviceaccount:${namespace}:reader" cannot list resource "secrets"`);
  });

  test("kubectl create token: expiry, audiences, and what it is bound to", async () => {
    const namespace = await cluster.newNamespace();
    await podReader(namespace);
    const create = async (...args: string[]) =>
      (await kubectl.ok(["-n", namespace, "create", "token", "reader", ...args])).trim();
    const path = `/api/v1/namespaces/${namespace}/pods`;

    const plain = await create();
    expect(claimsOf(plain).exp - claimsOf(plain).iat).toBe(3600);
    expect((await ask(path, plain)).code).toBe(200);
    const long = claimsOf(await create("--duration=2h"));
    expect(long.exp - long.iat).toBe(7200);
    expect((await ask(path, await create("--audience=vault"))).code).toBe(401);

    await cluster.create(namespace, { apiVersion: "v1", kind: "Secret", metadata: { name: "bond" } });
    const bound = await create("--bound-object-kind=Secret", "--bound-object-name=bond");
    expect((await ask(path, bound)).code).toBe(200);
    await cluster.remove(namespace, "Secret", "bond");
    expect((await ask(path, bound)).code).toBe(401);

    await cluster.remove(namespace, "ServiceAccount", "reader");
    expect((await ask(path, plain)).code).toBe(401);
    await cluster.create(namespace, account("reader"));
    expect((await ask(path, plain)).code, "an account of the same name is another").toBe(401);

    const short = await kubectl.run(["-n", namespace, "create", "token", "reader", "--duration=1m"]);
    expect(short.stderr).toContain("may not specify a duration less than 10 minutes");
    const nobody = await kubectl.run(["-n", namespace, "create", "token", "nobody"]);
    expect(nobody.stderr).toContain('serviceaccounts "nobody" not found');
  });

  test("a token that somebody changed or signed himself is none", async () => {
    const namespace = await cluster.newNamespace();
    const token = (await kubectl.ok(["-n", namespace, "create", "token", "default"])).trim();
    const [head = "", claims = "", signature = ""] = token.split(".");
    expect((await ask("/version", token)).code).toBe(200);
    const raised = Buffer.from(
      JSON.stringify({ ...claimsOf(token), sub: "system:serviceaccount:kube-system:default" }),
    ).toString("base64url");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    for (const wrong of [
      `${head}.${raised}.${signature}`,
      `${none}.${claims}.`,
      `${none}.${claims}.${signature}`,
      `${head}.${claims}`,
      `${head}.${claims}.${signature}.`,
      `${head}.${claims}.${"A".repeat(86)}`,
    ]) {
      expect((await ask("/version", wrong)).code, wrong).toBe(401);
    }
  });

  test("a Secret of type service-account-token gets a token without end, which goes with it", async () => {
    const namespace = await cluster.newNamespace();
    const secret = (name: string, of: string) => ({
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/service-account-token",
      metadata: { name, annotations: { "kubernetes.io/service-account.name": of } },
    });
    const read = async (name: string) =>
      (await cluster.call("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`)).body;
    await cluster.create(namespace, secret("early", "late"));
    expect((await read("early")).data).toBeUndefined();
    await cluster.create(namespace, account("late"));
    const { data } = await read("early");
    const decode = (text: string) => Buffer.from(text, "base64").toString();
    expect(decode(data.namespace)).toBe(namespace);
    expect(decode(data["ca.crt"])).toContain("BEGIN CERTIFICATE");
    const token = decode(data.token);
    expect(claimsOf(token)).toMatchObject({ iss: "kubernetes/serviceaccount" });
    expect((await ask("/version", token)).code).toBe(200);
    expect((await ask(`/api/v1/namespaces/${namespace}/secrets`, token)).code).toBe(403);
    await cluster.remove(namespace, "Secret", "early");
    expect((await ask("/version", token)).code).toBe(401);

    await cluster.create(namespace, secret("second", "late"));
    expect((await read("second")).data.token).toBeDefined();
    await cluster.remove(namespace, "ServiceAccount", "late");
    expect((await read("second")).reason).toBe("NotFound");
  });

  test("TokenReview says whose a token is", async () => {
    const namespace = await cluster.newNamespace();
    const review = async (token: string, audiences: readonly string[] = []) =>
      (
        await cluster.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenReview",
          spec: { token, audiences },
        })
      ).body.status;
    const token = (await kubectl.ok(["-n", namespace, "create", "token", "default"])).trim();
    expect(await review(token)).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:default`,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
        extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^JTI=/)] },
      },
      audiences: [claimsOf(token).iss],
    });
    expect((await review(`${token}x`)).authenticated).toBeUndefined();
    expect((await review(token, ["vault"])).authenticated).toBeUndefined();
    const vault = (
      await kubectl.ok(["-n", namespace, "create", "token", "default", "--audience=vault"])
    ).trim();
    expect(await review(vault, ["vault", "other"])).toMatchObject({
      authenticated: true,
      audiences: ["vault"],
    });
  });
});
