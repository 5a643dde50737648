import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { readFolderIfExists } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import type { UserNamespace } from "../host/user-namespace.ts";
import { hostImageName } from "../kube/peapod-names.ts";
import { imagesIn } from "./archive.ts";
import { HostImage, hostImage } from "./host-image.ts";
import { ImageGraph } from "./image-graph.ts";
import { JoinedCalls } from "./joined-calls.ts";
import { authFileContent, matchingCredentials } from "./pull-credentials.ts";
import { pullError } from "./pull-error.ts";
import { fullName, parseReference } from "./reference.ts";
import { RootfsMounts } from "./rootfs.ts";
import { errorOutput, Skopeo } from "./skopeo.ts";
import type { Image, ImageService, PullProgress, PullRequest, RegistryCredentials } from "./types.ts";

/** Where the images are kept and how registries are found; absent: the machine's own configuration. */
export interface ImageServiceOptions {
  readonly layout: Layout;
  /** containers-registries.conf(5): mirrors, remaps, registries that may speak plain HTTP. */
  readonly registriesConf?: string;
  /** containers-auth.json(5); absent: skopeo's search, which ends at ~/.docker/config.json. */
  readonly authFile?: string;
}

/** The images of one node. Makes no file before the first pull or container. */
export function createImageService(options: ImageServiceOptions): ImageService {
  return new Images(options);
}

/** What registries answer who is not, or not enough, known. */
const refusal = /unauthorized|authentication required|denied|\b40[13]\b/i;
const pullFile = "pull-";

class Images implements ImageService {
  readonly #skopeo: Skopeo;
  readonly #graph: ImageGraph;
  readonly #rootfs: RootfsMounts;
  readonly #hostImage: HostImage;
  readonly #pulls = new JoinedCalls<{ milliseconds: number }, PullProgress>();
  readonly #removing = new Set<string>();
  readonly #runDir: string;

  constructor({ layout, registriesConf, authFile }: ImageServiceOptions) {
    this.#skopeo = new Skopeo({
      folder: join(layout.stateDir, "images"),
      registriesConf,
      authFile,
    });
    this.#runDir = layout.runDir;
    // A daemon that was killed in a pull leaves its credentials.
    for (const name of readFolderIfExists(layout.runDir)) {
      if (name.startsWith(pullFile)) rmSync(join(layout.runDir, name), { force: true });
    }
    this.#graph = new ImageGraph(this.#skopeo.graphRoot);
    this.#rootfs = new RootfsMounts(layout);
    this.#hostImage = new HostImage(layout);
  }

  async ensure(
    request: PullRequest,
    scope: Scope,
  ): Promise<{ image: Image; pulled: { milliseconds: number } | undefined }> {
    if (isHostImage(request.image)) return { image: hostImage, pulled: undefined };
    const name = fullName(parseReference(request.image));
    const present = this.#graph.findByName(name);
    if (present !== undefined && request.policy !== "Always") return { image: present, pulled: undefined };
    if (request.policy === "Never") {
      throw new PeapodError(
        "ErrImageNeverPull",
        `image "${request.image}" is not present and imagePullPolicy is Never`,
      );
    }
    const onProgress = request.onProgress ?? (() => {});
    const credentials = request.credentials ?? [];
    const work = (tell: (progress: PullProgress) => void, workScope: Scope) =>
      this.#pull(name, credentials, tell, workScope);
    // One with other credentials is another pull: it may be allowed what this one is not.
    const key = JSON.stringify([name, credentials]);
    const pulled = await this.#pulls.join(key, onProgress, work, scope);
    const image = this.#graph.findByName(name);
    if (image === undefined) {
      throw new PeapodError(
        "ErrImagePull",
        `failed to pull image "${request.image}": removed while it was pulled`,
      );
    }
    return { image, pulled };
  }

  async list(_scope: Scope): Promise<readonly Image[]> {
    return this.#graph.list();
  }

  async load(source: string, scope: Scope): Promise<Image> {
    this.#startOverIfDamaged(scope);
    let last: Image | undefined;
    for (const { source: from, name } of await imagesIn(source, scope)) {
      try {
        await this.#skopeo.copy(from, `containers-storage:${name}`, {}, scope);
      } catch (error) {
        throw new PeapodError(
          "BadRequest",
          `cannot load ${source}: ${explain(pullError(name, errorOutput(error), error))}`,
          { cause: error },
        );
      }
      last = this.#graph.findByName(name);
    }
    if (last === undefined) throw new PeapodError("InternalError", `${source} was loaded but is not listed`);
    return last;
  }

  async remove(reference: string, scope: Scope): Promise<void> {
    const image = this.#find(reference);
    if (image === undefined) throw new PeapodError("NotFound", `image "${reference}" not found`);
    const user = this.#rootfs.list().find((id) => this.#rootfs.read(id)?.imageID === image.id);
    if (user !== undefined) {
      throw new PeapodError("Conflict", `image "${reference}" is in use by container ${user}`);
    }
    await this.#delete(image, scope);
  }

  async collectGarbage(inUse: ReadonlySet<string>, scope: Scope): Promise<readonly string[]> {
    const used = new Set(this.#rootfs.list().map((id) => this.#rootfs.read(id)?.imageID));
    const unused = this.#graph.list().filter(({ id }) => !inUse.has(id) && !used.has(id));
    for (const image of unused) await this.#delete(image, scope);
    return unused.map(({ id }) => id);
  }

  async mountRootfs(
    containerID: string,
    image: Image,
    userNamespace: UserNamespace | undefined,
    scope: Scope,
  ): Promise<string> {
    const owned = userNamespace === undefined ? {} : { userNamespace };
    const known = this.#rootfs.read(containerID);
    if (known !== undefined) return this.#rootfs.mount(containerID, { ...known, ...owned }, scope);
    if (image.id === hostImage.id) {
      const hostLayers = await this.#hostImage.layers(() => this.#allLayers(), scope);
      return this.#rootfs.mount(containerID, { ...hostLayers, ...owned }, scope);
    }
    if (this.#removing.has(image.id) || this.#graph.findByID(image.id) === undefined) {
      throw new PeapodError("CreateContainerError", `image ${image.id} is not on this machine any more`);
    }
    const layers = { imageID: image.id, lower: this.#graph.layerFolders(image.id), inside: {}, ...owned };
    return this.#rootfs.mount(containerID, layers, scope);
  }

  writableFolder(containerID: string): string {
    return this.#rootfs.writableFolder(containerID);
  }

  removeRootfs(containerID: string, scope: Scope): Promise<void> {
    return this.#rootfs.remove(containerID, scope);
  }

  listRootfs(): readonly string[] {
    return this.#rootfs.list();
  }

  async #pull(
    name: string,
    credentials: readonly RegistryCredentials[],
    tell: (progress: PullProgress) => void,
    scope: Scope,
  ): Promise<{ milliseconds: number }> {
    const start = performance.now();
    this.#startOverIfDamaged(scope);
    const copy = (authFile?: string) =>
      this.#skopeo.copy(
        `docker://${name}`,
        `containers-storage:${name}`,
        { onLine: (line) => tell({ message: line }), authFile },
        scope,
      );
    try {
      await this.#withCredentials(name, credentials, copy);
    } catch (error) {
      throw pullError(name, errorOutput(error), error);
    }
    return { milliseconds: Math.round(performance.now() - start) };
  }

  /** Tries the credentials that cover the image, then the machine's. What the first says is why it failed. */
  async #withCredentials(
    name: string,
    credentials: readonly RegistryCredentials[],
    copy: (authFile?: string) => Promise<unknown>,
  ): Promise<void> {
    const failures: unknown[] = [];
    for (const own of matchingCredentials(name, credentials)) {
      // In the run folder, which is in memory on most machines, and only for as long as it is needed.
      mkdirSync(this.#runDir, { recursive: true, mode: 0o700 });
      const authFile = join(this.#runDir, `${pullFile}${randomUUID()}.json`);
      try {
        writeFileSync(authFile, authFileContent(name, own, credentials), { mode: 0o600 });
        await copy(authFile);
        return;
      } catch (error) {
        // Anything else would fail with other credentials too.
        if (!refusal.test(errorOutput(error))) throw error;
        failures.push(error);
      } finally {
        rmSync(authFile, { force: true });
      }
    }
    await copy().catch((error) => {
      throw failures[0] ?? error;
    });
  }

  #startOverIfDamaged(scope: Scope): void {
    if (this.#graph.isIntact()) return;
    scope.log.error(
      { folder: this.#skopeo.graphRoot },
      "list of images is damaged, starting with an empty one",
    );
    this.#skopeo.setGraphAside();
  }

  async #delete(image: Image, scope: Scope): Promise<void> {
    this.#removing.add(image.id);
    try {
      await this.#skopeo.delete(image.id.replace(/^sha256:/, ""), scope);
    } catch (error) {
      // Somebody else was faster: that is what was wanted.
      if (!errorOutput(error).includes("image not known")) throw error;
    } finally {
      this.#removing.delete(image.id);
    }
  }

  #find(reference: string): Image | undefined {
    const id = reference.startsWith("sha256:") ? reference : `sha256:${reference}`;
    if (/^sha256:[a-f0-9]{12,64}$/.test(id)) {
      const matches = this.#graph.list().filter((image) => image.id.startsWith(id));
      if (matches.length === 1) return matches[0];
    }
    return this.#graph.findByName(fullName(parseReference(reference)));
  }

  #allLayers() {
    return this.#rootfs.list().flatMap((id) => this.#rootfs.read(id) ?? []);
  }
}

function isHostImage(image: string): boolean {
  return image === hostImageName || image === `${hostImageName}:latest`;
}
