import { execFileSync } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import { layoutFor } from "../../src/host/layout.ts";
import { listMounts } from "../../src/host/mounts.ts";
import { createImageService } from "../../src/images/image-service.ts";
import type { ImageService } from "../../src/images/types.ts";
import { architecture, OCIFolder } from "../../tools/test-images/oci-folder.ts";
import { push } from "../../tools/test-images/push.ts";
import { type Registry, startRegistry } from "../../tools/test-images/registry.ts";
import { layerOf } from "../helpers/fixture-images.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

const scope = quietScope();

/** Of the whole file: the stand-ins, and images made here for one purpose each. */
let hub: TestRegistry;
let own: Registry;
let ownFolder: string;
let oci: OCIFolder;

/** Of each test: a node's images, nothing pulled yet. */
let folder: string;
let images: ImageService;

const imagesWith = (registriesConf: string, authFile?: string) =>
  createImageService({
    layout: layoutFor(join(folder, "state"), join(folder, "run")),
    registriesConf,
    ...(authFile === undefined ? {} : { authFile }),
  });

beforeAll(async () => {
  hub = await startTestRegistry();
  ownFolder = mkdtempSync(join(tmpdir(), "peapod-images-own-"));
  const storage = join(ownFolder, "registry");
  mkdirSync(storage);
  own = await startRegistry({ storage, readOnly: false }, scope);
  oci = new OCIFolder(join(ownFolder, "oci"));
});

afterAll(async () => {
  await hub?.close();
  await own?.close();
  rmSync(ownFolder, { recursive: true, force: true });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-images-"));
  images = imagesWith(hub.registriesConf);
});

afterEach(async () => {
  for (const id of images.listRootfs()) await images.removeRootfs(id, scope);
  expect(listMounts().filter(({ target }) => target.startsWith(folder))).toEqual([]);
  rmSync(folder, { recursive: true });
});

async function pull(image: string, policy: "Always" | "IfNotPresent" | "Never" = "IfNotPresent") {
  return await images.ensure({ image, policy }, scope);
}

async function rootfsOf(image: string, id: string): Promise<string> {
  return await images.mountRootfs(id, (await pull(image)).image, undefined, scope);
}

function inside(root: string, ...command: string[]): string {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" };
  return execFileSync("chroot", [root, ...command], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** An image pushed to the registry of this file's own, and the node told of that registry. */
async function pushed(name: string, layers: readonly Readonly<Record<string, string>>[]): Promise<string> {
  const packed = [];
  for (const files of layers) packed.push(await layerOf(oci, files));
  oci.addImage(packed, {}, [name]);
  await push(oci.path, name, own.address, name, scope);
  images = imagesWith(own.registriesConf);
  return `docker.io/${name}`;
}

describe("pull policies", () => {
  test("Never refuses what is absent and takes what is present", async () => {
    await expect(pull("alpine", "Never")).rejects.toMatchObject({
      code: "ErrImageNeverPull",
      message: 'image "alpine" is not present and imagePullPolicy is Never',
    });
    await pull("alpine");
    expect((await pull("alpine", "Never")).pulled).toBeUndefined();
  });

  test("IfNotPresent asks the registry once, Always every time", async () => {
    expect((await pull("alpine")).pulled).toEqual({ milliseconds: expect.any(Number) });
    expect((await pull("docker.io/library/alpine:latest")).pulled).toBeUndefined();
    expect((await pull("alpine", "Always")).pulled).toEqual({ milliseconds: expect.any(Number) });
  });

  test("a registry that is gone fails Always and nothing else", async () => {
    const name = await pushed("library/kept:1", [{ file: "content" }]);
    await pull(name);
    const refused = createRefusingRegistriesConf();
    images = imagesWith(refused);
    expect((await pull(name)).pulled).toBeUndefined();
    await expect(pull(name, "Always")).rejects.toMatchObject({
      code: "ErrImagePull",
      message: `failed to pull image "${name}": connection refused by 127.0.0.1:1`,
    });
  });

  test("a present image is found in less than a millisecond", async () => {
    await pull("alpine");
    await pull("alpine");
    const times: number[] = [];
    for (let round = 0; round < 100; round += 1) {
      const start = performance.now();
      await pull("alpine");
      times.push(performance.now() - start);
    }
    // The middle one: no pause of the machine's counts.
    expect(times.toSorted((a, b) => a - b)[50]).toBeLessThan(1);
  });

  test("two pulls of one image are one", async () => {
    const [first, second] = await Promise.all([pull("alpine/curl"), pull("docker.io/alpine/curl:latest")]);
    expect(first.pulled).toBe(second.pulled);
    expect(first.image.id).toBe(second.image.id);
  });

  test("a pull that its caller gives up ends", async () => {
    const controller = new AbortController();
    const pulling = images.ensure(
      { image: "node:18-alpine", policy: "Always" },
      quietScope(controller.signal),
    );
    controller.abort(new Error("given up"));
    await expect(pulling).rejects.toThrow("given up");
    expect(await images.list(scope)).toEqual([]);
  });
});

describe("what an image says", () => {
  test("its configuration, names, digest and size", async () => {
    const { image } = await pull("nginx");
    expect(image).toMatchObject({
      id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      names: ["docker.io/library/nginx:latest"],
      digests: [expect.stringMatching(/^docker\.io\/library\/nginx@sha256:[0-9a-f]{64}$/)],
      config: {
        entrypoint: ["/docker-entrypoint.sh"],
        cmd: ["nginx", "-g", "daemon off;"],
        stopSignal: "SIGQUIT",
        exposedPorts: ["80/tcp"],
        workingDir: "",
        user: "",
      },
    });
    expect(image.size).toBeGreaterThan(5e6);
  });

  test("a digest names the same image as the tag", async () => {
    const { image } = await pull("alpine");
    const digest = image.digests[0] ?? "";
    expect((await pull(digest, "Never")).image.id).toBe(image.id);
    await images.remove(image.id, scope);
    const again = await pull(digest);
    expect(again.pulled).toBeDefined();
    expect(again.image).toMatchObject({ id: image.id, names: [], digests: [digest] });
  });

  test("of several architectures, this machine's is taken and the list's digest is known", async () => {
    const mine = oci.addImage([await layerOf(oci, { "is-it": "mine" })], {}, []);
    const platform = { architecture: "s390x", os: "linux" };
    const other = oci.addImage([await layerOf(oci, { "is-it": "other" })], {}, [], platform);
    const list = oci.addIndex([other, mine], "library/several:1");
    await push(oci.path, "library/several:1", own.address, "library/several:1", scope);
    images = imagesWith(own.registriesConf);
    const { image } = await pull("several:1");
    expect(image.digests).toEqual([
      `docker.io/library/several@${list.digest}`,
      `docker.io/library/several@${mine.digest}`,
    ]);
    const root = await images.mountRootfs("several", image, undefined, scope);
    expect(readFileSync(join(root, "is-it"), "utf8"), architecture).toBe("mine");
    expect((await pull(`several@${list.digest}`)).pulled).toBeUndefined();
  });
});

describe("failed pulls say what is wrong in one line", () => {
  test("no such image", async () => {
    await expect(pull("no-such-image:1")).rejects.toMatchObject({
      code: "ErrImagePull",
      message: 'failed to pull image "docker.io/library/no-such-image:1": not found',
    });
  });

  test("a name that is none", async () => {
    await expect(pull("Not A Name")).rejects.toMatchObject({ code: "InvalidImageName" });
  });

  test("plain HTTP that registries.conf does not allow", async () => {
    images = imagesWith("/dev/null");
    await expect(pull(`${own.address}/a`)).rejects.toThrow(
      "the registry speaks plain HTTP; allow it with `insecure = true` in registries.conf",
    );
  });

  test("a corrupt layer, of which nothing stays", async () => {
    const name = await pushed("library/corrupt:1", [{ file: "x".repeat(5000) }]);
    const { layers } = readManifest("library/corrupt", "1");
    const hex = layers[0]?.digest.slice("sha256:".length) ?? "";
    const blob = join(ownFolder, "registry/docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
    const content = readFileSync(blob);
    truncateSync(blob, content.length - 10);
    await expect(pull(name)).rejects.toMatchObject({
      code: "ErrImagePull",
      message: `failed to pull image "${name}": corrupt: a layer is not what its digest says`,
    });
    expect(await images.list(scope)).toEqual([]);
    writeFileSync(blob, content);
    expect((await pull(name)).pulled).toBeDefined();
  });

  test("credentials: asked for, then taken from the auth file", async () => {
    const authFile = join(folder, "auth.json");
    const token = Buffer.from("user:secret").toString("base64");
    await using registry = await startLockedRegistry(`Basic ${token}`);
    writeFileSync(authFile, JSON.stringify({ auths: { [registry.address]: { auth: token } } }));
    const registriesConf = join(folder, "registries.conf");
    writeFileSync(registriesConf, `[[registry]]\nlocation = "${registry.address}"\ninsecure = true\n`);
    const noCredentials = join(folder, "none.json");
    writeFileSync(noCredentials, "{}");
    images = imagesWith(registriesConf, noCredentials);
    await expect(pull(`${registry.address}/a`)).rejects.toThrow("unauthorized: the registry asks for");
    images = imagesWith(registriesConf, authFile);
    await expect(pull(`${registry.address}/a`)).rejects.toThrow("not found");
  });
});

describe("root file systems", () => {
  const layered = [
    { "etc/a": "1", "etc/b": "1", "gone/x": "1", "kept/x": "1" },
    { "etc/.wh.a": "", ".wh.gone": "", "kept/.wh..wh..opq": "", "kept/y": "2" },
  ];

  test("whiteouts and opaque folders hide what is below", async () => {
    const root = await rootfsOf(await pushed("library/whiteouts:1", layered), "c1");
    expect(readdirSync(join(root, "etc"))).toEqual(["b"]);
    expect(readdirSync(join(root, "kept"))).toEqual(["y"]);
    expect(existsSync(join(root, "gone"))).toBe(false);
    expect(statSync(root).mode & 0o777).toBe(0o755);
  });

  test("containers share layers and do not see each other's writes", async () => {
    const one = await rootfsOf("alpine", "one");
    const two = await rootfsOf("alpine", "two");
    writeFileSync(join(one, "etc/passwd"), "changed");
    expect(readFileSync(join(two, "etc/passwd"), "utf8")).toContain("root:x:0:0");
    const lower = (root: string) =>
      listMounts()
        .find(({ target }) => target === root)
        ?.superOptions.find((option) => option.startsWith("lowerdir="));
    expect(lower(one)).toBe(lower(two));
    expect(images.listRootfs().toSorted()).toEqual(["one", "two"]);
  });

  test("mounting again is the same mount, also after an end without unmounting", async () => {
    const root = await rootfsOf("alpine", "again");
    writeFileSync(join(root, "mark"), "kept");
    expect(await rootfsOf("alpine", "again")).toBe(root);
    expect(listMounts().filter(({ target }) => target === root)).toHaveLength(1);
    execFileSync("umount", [root]);
    mkdirSync(join(folder, "state/rootfs/again/work/work/incompat/volatile"), { recursive: true });
    await rootfsOf("alpine", "again");
    expect(readFileSync(join(root, "mark"), "utf8")).toBe("kept");
  });

  test("removal leaves nothing, and can be repeated", async () => {
    await rootfsOf("alpine", "gone");
    await images.removeRootfs("gone", scope);
    await images.removeRootfs("gone", scope);
    expect(images.listRootfs()).toEqual([]);
    expect(globSync("{state,run}/rootfs", { cwd: folder })).toEqual([]);
  });

  test("more layers than fit into mount(2)'s page", async () => {
    const layers = Array.from({ length: 60 }, (_, index) => ({ [`layer-${index}`]: "" }));
    const root = await rootfsOf(await pushed("library/many:1", layers), "many");
    expect(readdirSync(root)).toHaveLength(60);
  });

  test("without system calls, mount(8) does the same", async () => {
    process.env.PEAPOD_NO_SYSTEM_CALLS = "1";
    try {
      const root = await rootfsOf(await pushed("library/by-tool:1", layered), "by-tool");
      expect(readdirSync(join(root, "etc"))).toEqual(["b"]);
      expect((await images.ensure({ image: "peapod.dev/host", policy: "Never" }, scope)).image.id).toBe(
        "host",
      );
      await images.removeRootfs("by-tool", scope);
      await images.removeRootfs("by-tool", scope);
    } finally {
      delete process.env.PEAPOD_NO_SYSTEM_CALLS;
    }
  });
});

describe("the host image", () => {
  const secret = join("/opt", `peapod-test-secret-${process.pid}`);

  afterEach(() => rmSync(secret, { recursive: true, force: true }));

  test("shows programs and hides secrets", async () => {
    mkdirSync(secret);
    writeFileSync(join(secret, "token"), "secret", { mode: 0o600 });
    writeFileSync(join(secret, "open"), "open", { mode: 0o644 });
    const root = await rootfsOf("peapod.dev/host", "host");
    expect(inside(root, "python3", "-c", "print('python')")).toBe("python\n");
    expect(inside(root, "sh", "-c", "mkfifo /tmp/pipe && curl --version && cat /etc/passwd")).toContain(
      "root:",
    );
    for (const path of ["root", "home", "mnt", "tmp", "run", "srv"]) {
      expect(inside(root, "ls", "-A", `/${path}`).replace("pipe\n", ""), path).toBe("");
    }
    for (const path of [
      "etc/shadow",
      "etc/gshadow",
      "etc/shadow-",
      "etc/ssh",
      "etc/ssl/private",
      "etc/machine-id",
    ]) {
      expect(existsSync(join(root, path)), path).toBe(false);
    }
    expect(inside(root, "find", secret, "-type", "f")).toBe(`${secret}/open\n`);
    expect(inside(root, "find", "/var", "-type", "f")).toBe("");
    const shown = [
      "bin",
      "etc",
      "home",
      "lib",
      "lib32",
      "lib64",
      "libx32",
      "opt",
      "proc",
      "root",
      "run",
      "sbin",
    ];
    const others = readdirSync(root).filter(
      (name) => ![...shown, "dev", "media", "mnt", "srv", "sys", "tmp", "usr", "var"].includes(name),
    );
    expect(others).toEqual([]);
    expect(statSync(join(root, "tmp")).mode & 0o7777).toBe(0o1777);
    expect(statSync(join(root, "root")).mode & 0o7777).toBe(0o700);
  });

  test("writes stay in the container", async () => {
    const root = await rootfsOf("peapod.dev/host", "writer");
    const other = await rootfsOf("peapod.dev/host", "other");
    const mark = `peapod-test-${process.pid}`;
    inside(root, "sh", "-c", `echo mark > /etc/${mark}; echo mark > /${mark}`);
    expect(() => inside(root, "touch", `/usr/${mark}`)).toThrow("Read-only file system");
    for (const view of ["/", other]) {
      expect(existsSync(join(view, "etc", mark))).toBe(false);
      expect(existsSync(join(view, mark))).toBe(false);
    }
  });
});

describe("archives", () => {
  test.each(["docker-archive", "oci-archive"])("%s, named and as a plain file", async (kind) => {
    oci.addImage([await layerOf(oci, { "from-archive": kind })], { Cmd: ["x"] }, ["library/archived:1"]);
    const file = join(folder, "image.tar");
    const target =
      kind === "docker-archive"
        ? `${kind}:${file}:docker.io/library/archived:1`
        : `${kind}:${file}:archived:1`;
    execFileSync("skopeo", [
      "--insecure-policy",
      "copy",
      "--quiet",
      `oci:${oci.path}:library/archived:1`,
      target,
    ]);
    const loaded = await images.load(file, scope);
    expect(loaded).toMatchObject({ names: ["docker.io/library/archived:1"], config: { cmd: ["x"] } });
    expect((await images.load(`${kind}:${file}`, scope)).id).toBe(loaded.id);
    expect((await pull("archived:1", "Never")).image.id).toBe(loaded.id);
  });

  test("an OCI folder", async () => {
    const small = new OCIFolder(join(folder, "My Image"));
    small.addImage([await layerOf(small, { file: "" })], {}, ["v1"]);
    expect((await images.load(small.path, scope)).names).toEqual(["localhost/my-image:v1"]);
  });

  test("what is none", async () => {
    const file = join(folder, "text");
    writeFileSync(file, "no image");
    await expect(images.load(file, scope)).rejects.toMatchObject({ code: "BadRequest" });
    await expect(images.load(join(folder, "absent"), scope)).rejects.toMatchObject({ code: "NotFound" });
  });
});

describe("removal and garbage collection", () => {
  test("an image in use stays, one that is not goes with its layers", async () => {
    const { image: used } = await pull("alpine");
    const { image: unused } = await pull("alpine/curl");
    await images.mountRootfs("user", used, undefined, scope);
    await expect(images.remove("alpine", scope)).rejects.toMatchObject({ code: "Conflict" });
    const layersBefore = layerFolders().length;
    expect(await images.collectGarbage(new Set(), scope)).toEqual([unused.id]);
    expect((await images.list(scope)).map(({ id }) => id)).toEqual([used.id]);
    expect(layerFolders()).toHaveLength(layersBefore - 1);
    await images.removeRootfs("user", scope);
    expect(await images.collectGarbage(new Set([used.id]), scope)).toEqual([]);
    await images.remove("alpine", scope);
    await expect(images.remove("alpine", scope)).rejects.toMatchObject({ code: "NotFound" });
    expect(layerFolders()).toEqual([]);
  });

  test("a damaged list of images is set aside and pulled anew", async () => {
    await pull("alpine");
    writeFileSync(join(folder, "state/images/graph/overlay-images/images.json"), '[{"id": "half');
    expect(await images.list(scope)).toEqual([]);
    expect((await pull("alpine")).pulled).toBeDefined();
  });

  const layerFolders = () => globSync("state/images/graph/overlay/*/diff", { cwd: folder });
});

describe("the stand-ins work", () => {
  test.each([
    ["alpine", ["sh", "-c", "echo $((1+1)); mkfifo /tmp/p"], "2"],
    ["busybox", ["busybox", "echo", "hello"], "hello"],
    ["alpine/curl", ["curl", "--version"], "curl 7"],
    ["node:18-alpine", ["node", "-p", "require('http').STATUS_CODES[200] + process.version"], "OKv18"],
    ["python:3-slim", ["python3", "-c", "import ssl, sqlite3, multiprocessing.shared_memory; print(3)"], "3"],
    ["redis", ["redis-server", "--version"], "Redis server v=7"],
    ["nginx", ["sh", "-c", "nginx -v 2>&1"], "nginx version"],
  ])("%s", async (image, command, output) => {
    const root = await rootfsOf(image, "stand-in");
    expect(inside(root, ...command)).toContain(output);
  });
});

function createRefusingRegistriesConf(): string {
  const path = join(folder, "refusing.conf");
  writeFileSync(path, '[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:1"\ninsecure = true\n');
  return path;
}

function readManifest(repository: string, tag: string): { layers: readonly { digest: string }[] } {
  const source = `docker://${own.address}/${repository}:${tag}`;
  return JSON.parse(
    execFileSync("skopeo", ["inspect", "--raw", "--tls-verify=false", source], { encoding: "utf8" }),
  );
}

/** Answers 401 to all who do not send `authorization`, and 404 to those who do. */
async function startLockedRegistry(authorization: string): Promise<AsyncDisposable & { address: string }> {
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    if (request.headers.authorization !== authorization) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="test"' }).end();
    } else if (request.url === "/v2/") {
      response.writeHead(200).end();
    } else {
      response.writeHead(404, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}
