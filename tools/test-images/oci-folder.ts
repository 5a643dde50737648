import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import type { Scope } from "../../src/base/scope.ts";
import { runCommand } from "../../src/host/command.ts";

/** A blob of an OCI folder (https://github.com/opencontainers/image-spec/blob/main/descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar file. */
  readonly diffID: string;
}

/** This machine's architecture as Go and the image specification call it. */
export const architecture = arch() === "x64" ? "amd64" : arch();

const mediaTypes = "application/vnd.oci.image";

/** An OCI folder being written: layers out of folders, images out of layers, one index with names. */
export class OCIFolder {
  readonly path: string;
  readonly #manifests: Descriptor[] = [];

  constructor(path: string) {
    this.path = path;
    mkdirSync(join(path, "blobs/sha256"), { recursive: true });
    writeFileSync(join(path, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    this.#writeIndex();
  }

  /** Packs a folder as a layer, owners, modes and extended attributes kept, times dropped: the same every time. */
  async addLayer(folder: string, scope: Scope): Promise<Layer> {
    const tar = join(this.path, "layer.tar");
    const pack = [
      "--create",
      "--file",
      tar,
      "--directory",
      folder,
      "--sort=name",
      "--numeric-owner",
      "--mtime=@0",
    ];
    await runCommand("tar", [...pack, "--xattrs", "--xattrs-include=*", "."], {}, scope);
    const diffID = await digestOf(tar);
    await runCommand("gzip", ["--force", "--no-name", "-6", tar], {}, scope);
    const descriptor = await this.#takeFile(`${tar}.gz`, `${mediaTypes}.layer.v1.tar+gzip`);
    return { descriptor, diffID };
  }

  /** Adds an image under each of `names` (none: it is only reachable through an index of several). */
  addImage(
    layers: readonly Layer[],
    config: object,
    names: readonly string[],
    platform = { architecture, os: "linux" },
  ): Descriptor {
    const configDescriptor = this.#putJSON(`${mediaTypes}.config.v1+json`, {
      ...platform,
      config,
      rootfs: { type: "layers", diff_ids: layers.map(({ diffID }) => diffID) },
    });
    const manifest = this.#putJSON(`${mediaTypes}.manifest.v1+json`, {
      schemaVersion: 2,
      mediaType: `${mediaTypes}.manifest.v1+json`,
      config: configDescriptor,
      layers: layers.map(({ descriptor }) => descriptor),
    });
    for (const name of names) this.#name(manifest, name);
    return { ...manifest, platform };
  }

  /** Adds an image of several architectures. */
  addIndex(manifests: readonly Descriptor[], name: string): Descriptor {
    const mediaType = `${mediaTypes}.index.v1+json`;
    const index = this.#putJSON(mediaType, { schemaVersion: 2, mediaType, manifests });
    this.#name(index, name);
    return index;
  }

  #name(descriptor: Descriptor, name: string): void {
    this.#manifests.push({ ...descriptor, annotations: { "org.opencontainers.image.ref.name": name } });
    this.#writeIndex();
  }

  #writeIndex(): void {
    const index = { schemaVersion: 2, mediaType: `${mediaTypes}.index.v1+json`, manifests: this.#manifests };
    writeFileSync(join(this.path, "index.json"), JSON.stringify(index));
  }

  #putJSON(mediaType: string, value: object): Descriptor {
    const content = Buffer.from(JSON.stringify(value));
    const digest = createHash("sha256").update(content).digest("hex");
    writeFileSync(this.#blob(digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  }

  async #takeFile(file: string, mediaType: string): Promise<Descriptor> {
    const digest = await digestOf(file);
    renameSync(file, this.#blob(digest.slice("sha256:".length)));
    return { mediaType, digest, size: statSync(this.#blob(digest.slice("sha256:".length))).size };
  }

  #blob(digest: string): string {
    return join(this.path, "blobs/sha256", digest);
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}
