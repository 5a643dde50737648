import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { quietScope } from "../../base/scope.ts";
import { createClient } from "../../client/client.ts";
import { pods } from "../../client/resources.ts";
import { explainMissing } from "./cluster-session.ts";
import { connectCluster } from "./connect-cluster.ts";
import { credentialsOf } from "./credentials.ts";
import { chooseContext } from "./kubeconfig.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "peapod-kubeconfig-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function config(current: string | undefined, ...names: string[]): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    ...(current === undefined ? {} : { "current-context": current }),
    contexts: names.map((name) => ({
      name,
      context: { cluster: name, user: name, namespace: `${name}-ns` },
    })),
    clusters: names.map((name) => ({
      name,
      cluster: { server: `https://${name}:6443`, "certificate-authority": "ca.crt" },
    })),
    users: names.map((name) => ({ name, user: { token: name } })),
  });
}

describe("the context", () => {
  test("by name, else the current one; paths start at the file's folder", async () => {
    const at = folder();
    const path = join(at, "config");
    writeFileSync(path, config("dev", "dev", "prod"));
    expect(await chooseContext(undefined, path, {})).toEqual({
      name: "dev",
      namespace: "dev-ns",
      cluster: { server: "https://dev:6443", "certificate-authority": join(at, "ca.crt") },
      user: { token: "dev" },
    });
    expect(await chooseContext("prod", path, {})).toMatchObject({ name: "prod", user: { token: "prod" } });
  });

  test("from the files of KUBECONFIG, the first that has it; else from the home folder", async () => {
    const at = folder();
    writeFileSync(join(at, "a"), config(undefined, "one"));
    writeFileSync(join(at, "b"), config("two", "two", "one"));
    const env = { KUBECONFIG: `${at}/a:${at}/missing:${at}/b` };
    expect((await chooseContext(undefined, undefined, env)).name).toBe("two");
    expect((await chooseContext("one", undefined, env)).cluster["certificate-authority"]).toBe(
      `${at}/ca.crt`,
    );
    await expect(chooseContext("x", undefined, { HOME: at })).rejects.toThrow(
      `there is no context "x" in ${at}/.kube/config, which has no contexts`,
    );
  });

  test("of another spelling: the nearest is named, or all", async () => {
    const path = join(folder(), "config");
    writeFileSync(path, config(undefined, "staging", "production"));
    const choose = (name?: string) => chooseContext(name, path, {});
    await expect(choose("prodcution")).rejects.toThrow(
      `there is no context "prodcution" in ${path}; did you mean "production"?`,
    );
    await expect(choose("x")).rejects.toThrow(
      `there is no context "x" in ${path}, which has staging, production`,
    );
    await expect(choose()).rejects.toThrow("has no current context: name one by --context");
  });

  test("of a file that is not there, or no kubeconfig", async () => {
    const path = join(folder(), "config");
    await expect(chooseContext("x", path, {})).rejects.toThrow(`kubeconfig ${path}: ENOENT`);
    for (const text of ["- a", "a: [", "7"]) {
      writeFileSync(path, text);
      await expect(chooseContext("x", path, {})).rejects.toThrow("is no kubeconfig");
    }
  });
});

describe("credentials", () => {
  const headers = async (user: Parameters<typeof credentialsOf>[0]) =>
    (await credentialsOf(user, quietScope())).headers;

  test("token, file, password, impersonation", async () => {
    expect(await headers({ token: "t" })).toEqual({ Authorization: "Bearer t" });
    const tokenFile = join(folder(), "token");
    writeFileSync(tokenFile, "from-file\n");
    expect(await headers({ token: "t", tokenFile })).toEqual({ Authorization: "Bearer from-file" });
    expect(await headers({ username: "a", password: "b" })).toEqual({ Authorization: "Basic YTpi" });
    expect(await headers({ token: "t", as: "jane", "as-groups": ["devs"] })).toEqual({
      Authorization: "Bearer t",
      "Impersonate-User": "jane",
      "Impersonate-Group": "devs",
    });
    expect(await headers({})).toEqual({});
  });

  test("a plugin", async () => {
    const script = `printf '{"status":{"token":"%s-%s"}}' "$WHO" "$(echo $KUBERNETES_EXEC_INFO | grep -c ExecCredential)"`;
    const exec = { command: "sh", args: ["-c", script], env: [{ name: "WHO", value: "me" }] };
    expect(await headers({ exec })).toEqual({ Authorization: "Bearer me-1" });
    const missing = { command: "no-such-plugin", installHint: "install it by hand" };
    await expect(headers({ exec: missing })).rejects.toThrow(
      /no-such-plugin failed: .*ENOENT\ninstall it by hand/s,
    );
  });
});

test("a server below a path, by plain HTTP, that has no Peapod API", async () => {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    asked.push([request.url, request.headers.authorization, request.headers.host]);
    response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connect = connectCluster({
    name: "c",
    namespace: undefined,
    cluster: { server: `http://${host}/k8s/c1/` },
    user: { token: "t" },
  });
  const failure = await createClient({ connect })
    .get(pods, { namespace: "n", name: "p" }, quietScope())
    .catch((error: unknown) => error);
  expect(asked).toEqual([["/k8s/c1/api/v1/namespaces/n/pods/p", "Bearer t", host]]);
  expect(explainMissing(failure, "c", "peapod channels")).toMatchObject({
    code: "Unsupported",
    message: expect.stringContaining(
      'the cluster of context "c" cannot answer "peapod channels": it has no peapod.dev API',
    ),
  });
});

test.each([
  [{ server: "https://x", "proxy-url": "http://p" }, "proxy-url is not supported"],
  [{ server: "ftp://x" }, "the server ftp://x is not supported"],
])("what is not supported is said: %o", (cluster, message) => {
  expect(() => connectCluster({ name: "c", namespace: undefined, cluster, user: {} })).toThrow(message);
});
