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
  readonly digest?: string;
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

  list(): readonly Image[] {
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
      const id = `sha256:${record.id}`;
      const config = this.#readConfig(record);
      if (config === undefined) continue;
      this.#topLayers.set(id, record.layer ?? "");
      const names = record.names ?? [];
      images.set(id, {
        id,
        names: names.filter((name) => !name.includes("@")),
        digests: repositoryDigests(record),
        size: this.#sizeOf(record.layer),
        config,
      });
    }
    return images;
  }

  /** Undefined when the image was removed while its list was being read. */
  #readConfig(record: ImageRecord): Image["config"] | undefined {
    const folder = join(this.#graphRoot, "overlay-images", record.id);
    try {
      const manifest = JSON.parse(readFileSync(join(folder, "manifest"), "utf8")) as {
        config?: { digest?: string };
      };
      const digest = manifest.config?.digest;
      if (digest === undefined) return undefined;
      return parseImageConfig(JSON.parse(readFileSync(join(folder, dataFileName(digest)), "utf8")));
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
function repositoryDigests(record: ImageRecord): readonly string[] {
  const keys = (record["big-data-names"] ?? []).filter((key) => key.startsWith(manifestKey));
  const digests = keys.map((key) => key.slice(manifestKey.length));
  digests.sort((a, b) => Number(a === record.digest) - Number(b === record.digest));
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
