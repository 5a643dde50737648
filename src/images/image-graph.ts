import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { isGone } from "../host/files.ts";
import { CachedFile } from "./cached-file.ts";
import { parseImageConfig } from "./image-config.ts";
import { parseReference, repositoryName } from "./reference.ts";
import type { Image } from "./types.ts";

/** What containers/storage writes of an image (images.json); only what is read here. */
interface ImageRecord {
  readonly id: string;
  readonly names?: readonly string[];
  readonly layer?: string;
  readonly "big-data-names"?: readonly string[];
}

/** The same of a layer (layers.json). */
interface LayerRecord {
  readonly id: string;
  readonly parent?: string;
  readonly "diff-size"?: number;
}

const manifestKey = "manifest-";

/**
 * Reads a containers/storage graph, which skopeo writes: the JSON files that list images and layers, the
 * configurations, and the folders into which layers were unpacked. Reads again only when a list was replaced, so
 * a look-up costs one stat(2). Never writes.
 */
export class ImageGraph {
  readonly #graphRoot: string;
  readonly #images: CachedFile<ReadonlyMap<string, Image>>;
  readonly #layers: CachedFile<ReadonlyMap<string, LayerRecord>>;
  readonly #topLayers = new Map<string, string>();

  constructor(graphRoot: string) {
    this.#graphRoot = graphRoot;
    this.#layers = new CachedFile(join(graphRoot, "overlay-layers", "layers.json"), (records) =>
      byID(records as LayerRecord[]),
    );
    this.#images = new CachedFile(join(graphRoot, "overlay-images", "images.json"), (records) =>
      this.#readImages(records as ImageRecord[]),
    );
  }

  /** Whether the lists are whole. A loss of power can leave them otherwise, and no tool repairs them. */
  isIntact(): boolean {
    try {
      this.#images.read();
      this.#layers.read();
      return true;
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  }

  /** None when the lists are damaged: see {@link isIntact}. */
  list(): readonly Image[] {
    if (!this.isIntact()) return [];
    return [...(this.#images.read()?.values() ?? [])];
  }

  /** By full name with tag or digest (`docker.io/library/alpine:latest`). */
  findByName(fullName: string): Image | undefined {
    return this.list().find((image) => image.names.includes(fullName) || image.digests.includes(fullName));
  }

  /** By id, `sha256:` and 64 hexadecimal digits. */
  findByID(id: string): Image | undefined {
    return this.#images.read()?.get(id);
  }

  /**
   * The image's unpacked layers, topmost first, as overlayfs wants them. Throws CreateContainerError when a
   * layer is not on disk.
   */
  layerFolders(id: string): readonly string[] {
    const layers = this.#images.read() === undefined ? undefined : this.#layers.read();
    const folders: string[] = [];
    for (let layer = this.#topLayers.get(id); layer !== undefined && layer !== ""; ) {
      const record = layers?.get(layer);
      if (record === undefined) {
        throw new PeapodError("CreateContainerError", `image ${id}: layer ${layer} is not on this machine`);
      }
      folders.push(join(this.#graphRoot, "overlay", layer, "diff"));
      layer = record.parent;
    }
    return folders;
  }

  #readImages(records: readonly ImageRecord[]): ReadonlyMap<string, Image> {
    const images = new Map<string, Image>();
    this.#topLayers.clear();
    for (const record of records) {
      const image = this.#readImage(record);
      if (image === undefined) continue;
      this.#topLayers.set(image.id, record.layer ?? "");
      images.set(image.id, image);
    }
    return images;
  }

  /** Undefined when the image was removed while its list was being read. */
  #readImage(record: ImageRecord): Image | undefined {
    const folder = join(this.#graphRoot, "overlay-images", record.id);
    try {
      const manifest = readFileSync(join(folder, "manifest"));
      const { config } = JSON.parse(manifest.toString()) as { config?: { digest?: string } };
      if (config?.digest === undefined) return undefined;
      return {
        id: `sha256:${record.id}`,
        names: (record.names ?? []).filter((name) => !name.includes("@")),
        digests: repositoryDigests(record, manifest),
        size: this.#sizeOf(record.layer),
        config: parseImageConfig(JSON.parse(readFileSync(join(folder, dataFileName(config.digest)), "utf8"))),
      };
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  #sizeOf(topLayer: string | undefined): number {
    const layers = this.#layers.read();
    let size = 0;
    for (let layer = topLayer; layer !== undefined && layer !== ""; ) {
      const record = layers?.get(layer);
      size += record?.["diff-size"] ?? 0;
      layer = record?.parent;
    }
    return size;
  }
}

/**
 * Every digest by which a registry knows the image, under each repository it was pulled from: that of its own
 * manifest and, for one of several architectures, that of the list it was chosen from, which comes first.
 */
function repositoryDigests(record: ImageRecord, manifest: Uint8Array): readonly string[] {
  const own = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
  const keys = (record["big-data-names"] ?? []).filter((key) => key.startsWith(manifestKey));
  const digests = keys.map((key) => key.slice(manifestKey.length));
  digests.sort((a, b) => Number(a === own) - Number(b === own));
  const names = record.names ?? [];
  const repositories = new Set(names.map((name) => repositoryName(parseReference(name))));
  const known = [...repositories].flatMap((repository) => digests.map((digest) => `${repository}@${digest}`));
  return [...new Set([...known, ...names.filter((name) => name.includes("@"))])];
}

/** containers/storage writes a key that is no plain file name as `=` and its base64. */
function dataFileName(key: string): string {
  return `=${Buffer.from(key).toString("base64")}`;
}

function byID<T extends { readonly id: string }>(records: readonly T[]): ReadonlyMap<string, T> {
  return new Map(records.map((record) => [record.id, record]));
}
