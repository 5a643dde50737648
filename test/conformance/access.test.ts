import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { connect as connectTCP, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTLS, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientsOf } from "../helpers/kubernetes-clients.ts";
import { runCommand, type TestNode, testNode } from "../helpers/peapod.ts";
import { type Identity, type TLSAnswer, type TLSClient, tlsClient } from "../helpers/tls-client.ts";

/** Everybody who must not come in, and every way in which nobody may. */

let node: TestNode;
let port: number;
let authority: string;
let admin: Identity;
let ask: TLSClient["ask"];
let pki: string;

beforeAll(async () => {
  node = await testNode();
  ({ port, authority, admin, ask } = await tlsClient(node));
  pki = join(node.stateDir, "pki");
});
afterAll(() => node?.close());

/** A client certificate for the administrators' group, made by openssl. */
function clientCertificate(
  signer: "node" | "stranger",
  validity: readonly string[],
  subject = "/O=system:masters/CN=peapod-admin",
): Identity {
  const folder = node.runDir;
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  let [ca, caKey] = [join(pki, "ca.crt"), join(pki, "ca.key")];
  if (signer === "stranger") {
    [ca, caKey] = [file("stranger.crt"), file("stranger.key")];
    openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"],
      ...["-subj", "/CN=peapod-ca", "-keyout", caKey, "-out", ca],
    );
  }
  openssl(
    ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"],
    ...["-subj", subject, "-keyout", file("own.key"), "-out", file("own.csr")],
  );
  openssl(
    ...["x509", "-req", "-in", file("own.csr"), "-CA", ca, "-CAkey", caKey, "-CAcreateserial"],
    ...["-CAserial", file("serial"), ...validity, "-out", file("own.crt")],
  );
  return { cert: readFileSync(file("own.crt"), "utf8"), key: readFileSync(file("own.key"), "utf8") };
}

/** A connection of the administrator's own, for requests that no client would send. */
async function tlsSocket(): Promise<TLSSocket> {
  const socket = connectTLS({ host: "127.0.0.1", port, ca: authority, ...admin });
  await once(socket, "secureConnect");
  return socket.on("error", () => {});
}

/** What comes until the end of the connection. */
async function whole(socket: TLSSocket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  await closed(socket);
  return text;
}

/** Also after an error, unlike `once`: a reset follows the answer when a byte was still on its way. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("error", () => {}).once("close", () => resolve()));
}

const pods = "/api/v1/namespaces/default/pods";
const refused = { code: 401, reason: "Unauthorized" };
const forbidden = { code: 403, reason: "Forbidden" };
const spdy = {
  connection: "Upgrade",
  upgrade: "SPDY/3.1",
  "x-stream-protocol-version": "v4.channel.k8s.io, portforward.k8s.io",
};

describe("who", () => {
  test("the kubeconfig's certificate comes in, and the administrator's token", async () => {
    expect(await ask(pods, admin)).toMatchObject({ code: 200 });
    const token = readFileSync(join(pki, "admin.token"), "utf8").trim();
    expect(await ask(pods, { token })).toMatchObject({ code: 200 });
    expect(await ask(pods, clientCertificate("node", ["-days", "1"]))).toMatchObject({ code: 200 });
  });

  test.each([
    "/",
    "/api",
    "/version",
    "/healthz",
    "/metrics",
    "/openapi/v3",
    "/kubeconfig",
    pods,
    "/nowhere",
  ])("nobody without credentials, at %s", async (path) => {
    expect(await ask(path, {})).toMatchObject(refused);
  });

  test("a wrong token, also beside a right certificate", async () => {
    const token = readFileSync(join(pki, "admin.token"), "utf8").trim();
    for (const wrong of ["x", `${token}x`, token.slice(0, -1), "eyJhbGciOiJub25lIn0.e30."]) {
      expect(await ask(pods, { token: wrong })).toMatchObject(refused);
    }
    expect(await ask(pods, { ...admin, token: "x" })).toMatchObject(refused);
    expect(await ask(pods, {}, { headers: { authorization: "Basic YWRtaW46YWRtaW4=" } })).toMatchObject(
      refused,
    );
  });

  test("an expired certificate of the node's own authority", async () => {
    // OpenSSL 3.0 has no -not_before: a validity of -1 days has ended yesterday.
    expect(await ask(pods, clientCertificate("node", ["-days", "-1"]))).toMatchObject(refused);
  });

  test("a certificate of another authority that calls itself the same", async () => {
    expect(await ask(pods, clientCertificate("stranger", ["-days", "1"]))).toMatchObject(refused);
  });

  test("headers that make others somebody else", async () => {
    const headers = {
      "x-remote-user": "peapod-admin",
      "x-remote-group": "system:masters",
      "impersonate-user": "peapod-admin",
    };
    expect(await ask(pods, {}, { headers })).toMatchObject(refused);
  });

  test("streams ask too, before anything is started", async () => {
    for (const kind of ["exec?command=id&stdout=1", "attach?stdout=1", "portforward?ports=80"]) {
      const upgrades = [
        { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" },
        {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg==",
          "sec-websocket-protocol": "v5.channel.k8s.io",
        },
      ];
      for (const headers of upgrades) {
        expect(await ask(`${pods}/p/${kind}`, {}, { headers })).toMatchObject(refused);
      }
    }
  });

  test("another user of the machine on the Unix socket: EACCES", async () => {
    const nobody = 65_534;
    const socket = join(node.runDir, "api.sock");
    const script = `require("net").connect(${JSON.stringify(socket)}).on("connect", () => console.log("in")).on("error", (error) => console.log(error.code))`;
    const child = spawn("node", ["-e", script], { uid: nobody, gid: nobody, cwd: "/" });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    await once(child, "close");
    expect(output).toBe("EACCES\n");
  });

  test("somebody known who may do nothing: 403, at streams too", async () => {
    const somebody = clientCertificate("node", ["-days", "1"], "/CN=somebody");
    expect(await ask("/version", somebody)).toMatchObject({ code: 200 });
    expect(await ask("/api/v1/namespaces/default/secrets", somebody)).toMatchObject(forbidden);
    for (const stream of ["exec?command=id&stdout=1", "attach?stdout=1", "portforward"]) {
      const answer = await ask(`${pods}/p/${stream}`, somebody, { headers: spdy, method: "POST" });
      expect(answer).toMatchObject(forbidden);
    }
  });

  test("a service account's token asking for Secrets: 403, at streams too", async () => {
    const { kubectl } = await clientsOf(node);
    const token = (await kubectl.ok(["create", "token", "default"])).trim();
    expect(await ask("/version", { token })).toMatchObject({ code: 200 });
    for (const path of ["namespaces/default/secrets", "namespaces/default/secrets/x", "secrets", "nodes"]) {
      expect(await ask(`/api/v1/${path}`, { token })).toMatchObject(forbidden);
    }
    const stream = { headers: spdy, method: "POST" };
    expect(await ask(`${pods}/p/exec?command=id&stdout=1`, { token }, stream)).toMatchObject(forbidden);
  });

  test("who may impersonate acts as somebody else, with no more than that one's rights", async () => {
    const { kubectl } = await clientsOf(node);
    const as = async (...args: string[]) =>
      JSON.parse(await kubectl.ok(["auth", "whoami", "-o", "json", ...args]));
    expect((await as("--as=jane", "--as-group=devs", "--as-uid=7")).status.userInfo).toEqual({
      username: "jane",
      uid: "7",
      groups: ["devs", "system:authenticated"],
    });
    expect((await as("--as=system:serviceaccount:default:default")).status.userInfo.groups).toContain(
      "system:serviceaccounts:default",
    );
    const refusal = await kubectl.run(["get", "secrets", "--as=jane"]);
    expect(refusal.stderr).toContain('User "jane" cannot list resource "secrets"');
    const jane = clientCertificate("node", ["-days", "1"], "/CN=jane");
    for (const headers of [
      { "impersonate-user": "peapod-admin", "impersonate-group": "system:masters" },
      { "impersonate-user": "jane", "impersonate-group": ["a", "system:masters"] },
    ]) {
      expect(await ask(pods, jane, { headers })).toMatchObject(forbidden);
    }
    const nameless = await ask(pods, admin, { headers: { "impersonate-group": "a" } });
    expect(nameless).toMatchObject({ code: 400 });
  });
});

describe("how", () => {
  test.each([
    "/api/v1/namespaces/default/pods/%2e%2e/secrets",
    "/api/v1/namespaces/default/pods/../secrets",
    "/api/v1/namespaces/%2e%2e/%2e%2e/healthz",
    "//api/v1/namespaces/default/secrets",
    "/api/v1//namespaces/default/secrets",
    "/version/../api/v1/namespaces/default/secrets",
    "/version/%2e%2e/api/v1/namespaces/default/secrets",
    "/version;/../api/v1/namespaces/default/secrets",
    "/version#/api/v1/namespaces/default/secrets",
    "/version%23/../api/v1/secrets",
    "/api/v1/namespaces/default%2fpods/secrets",
    "/api/v1/namespaces/default/secrets%00",
    "/api/v1/namespaces/default/secrets%",
    "/healthz/../api/v1/secrets",
    "\\api\\v1\\secrets",
  ])("a path that means another than it seems opens nothing: %s", async (path) => {
    const somebody = clientCertificate("node", ["-days", "1"], "/CN=somebody");
    const answer = await ask(path, somebody).catch((error: Error) => ({ code: 400, body: error.message }));
    expect(answer.body).not.toContain("SecretList");
    // What is left of `/version#…` is /version, which everybody who is known may read.
    expect(path.startsWith("/version#") ? [200] : [400, 403, 404]).toContain(answer.code);
    expect((await ask(path, {}).catch(() => ({ code: 401 }))).code).toBeGreaterThanOrEqual(400);
  });

  test("tricks in a stream's path open no stream", async () => {
    for (const path of [
      `/version/..${pods}/p/portforward`,
      `/version/%2e%2e${pods}/p/portforward`,
      `/${pods}/p/portforward`,
      `${pods}/p/portforward/`,
      `${pods}/..%2fp/portforward`,
      `${pods}/%/portforward`,
    ]) {
      const answer = await ask(path, admin, { headers: spdy, method: "POST" });
      expect([400, 404]).toContain(answer.code);
    }
  });

  test("a body over 3 MiB: 413", async () => {
    const length = String(4 * 1024 * 1024);
    const headers = { "content-type": "application/json", "content-length": length };
    // Refused for what is announced: nobody waits for the rest.
    const answer = await ask(pods, admin, { method: "POST", body: Buffer.from('{"kind":"Pod",'), headers });
    expect(answer).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
  });

  test("a body without a length is counted as it comes: 413", async () => {
    const socket = await tlsSocket();
    const head = `POST ${pods} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const answer = once(socket, "data");
    const chunk = Buffer.alloc(64 * 1024, " ");
    for (let sent = 0; sent < 4 * 1024 * 1024; sent += chunk.length) {
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      socket.write("\r\n");
    }
    expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test("a NUL in the path, as it is: 400", async () => {
    const socket = await tlsSocket();
    socket.write("GET /api/v1/namespaces/default/secrets\0/x HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await whole(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("who sends handshake, headers or body too slowly is cut off, and others do not notice", async () => {
    const started = Date.now();
    const silent = connectTCP(port, "127.0.0.1");
    const [headers, body] = await Promise.all([tlsSocket(), tlsSocket()]);
    headers.write(`GET ${pods} HTTP/1.1\r\nHost: localhost\r\nX-Slow: `);
    const head = `POST ${pods} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    body.write(`${head}Content-Length: 1000\r\n\r\n`);
    const drip = setInterval(() => {
      for (const socket of [headers, body]) if (!socket.destroyed) socket.write("x");
    }, 500);
    const ended: string[] = [];
    const [silence, forHeaders, forBody] = [
      closed(silent).then(() => ended.push("handshake")),
      whole(headers).then((text) => ended.push(`headers ${text.slice(0, 12)}`)),
      whole(body).then((text) => ended.push(`body ${text.slice(0, 12)}`)),
    ];
    const times: number[] = [];
    for (const end of [silence, forHeaders, forBody]) {
      const asked = Date.now();
      expect(await ask(pods, admin)).toMatchObject({ code: 200 });
      times.push(Date.now() - asked);
      await end;
    }
    clearInterval(drip);
    expect(ended.toSorted()).toEqual(["body HTTP/1.1 408", "handshake", "headers HTTP/1.1 408"]);
    expect(ended.at(-1)).toBe("body HTTP/1.1 408");
    expect(Date.now() - started).toBeLessThan(60_000);
    expect(Math.min(...times)).toBeLessThan(2_000);
  });

  test("who asks too often waits: 429, and nobody else with him", async () => {
    const { kubectl } = await clientsOf(node);
    const token = (await kubectl.ok(["create", "token", "default"])).trim();
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const flood = (identity: Identity, count: number) =>
      Promise.all(Array.from({ length: count }, () => ask("/version", identity, { agent })));
    const codes = (answers: readonly TLSAnswer[]) => [...new Set(answers.map(({ code }) => code))].toSorted();
    const busy = await flood({ token }, 2_000);
    expect(codes(busy)).toEqual([200, 429]);
    const refusal = busy.find(({ code }) => code === 429);
    expect(refusal).toMatchObject({ reason: "TooManyRequests", headers: { "retry-after": "1" } });
    expect(codes(await flood({ token: "guess" }, 600))).toEqual([401, 429]);
    expect(codes(await flood(admin, 600))).toEqual([200]);
    const quiet = clientCertificate("node", ["-days", "1"], "/CN=quiet");
    expect(await ask("/version", quiet)).toMatchObject({ code: 200 });
    agent.destroy();
  });

  test("plain HTTP and old TLS are not spoken", async () => {
    await expect(fetch(`http://127.0.0.1:${port}/version`)).rejects.toThrow();
    const old = await runCommand("openssl", [
      ...["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    ]);
    expect(old.exitCode).not.toBe(0);
  });

  test("nothing listens beyond loopback", () => {
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const listening = ["tcp", "tcp6"]
      .flatMap((name) => readFileSync(`/proc/net/${name}`, "utf8").split("\n"))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === "0A")
      .map(([, local]) => local?.split(":")[0]);
    expect(listening).toEqual(["0100007F"]);
  });
});
