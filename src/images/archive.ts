import { readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "../host/command.ts";
import { isGone } from "../host/files.ts";
import { fullName, parseReference } from "./reference.ts";

/** One image in an archive or folder: where skopeo finds it and what it is to be called. */
export interface ArchivedImage {
  readonly source: string;
  readonly name: string;
}

type Transport = "docker-archive" | "oci-archive" | "oci";

/**
 * The images in `docker-archive:FILE`, `oci-archive:FILE`, `oci:FOLDER`, or a file or folder of one of these kinds.
 * An image that the archive gives no name is called `localhost/FILE-NAME:latest`. Throws NotFound when there
 * is no such file, BadRequest when it is none of the three kinds or holds no image.
 */
export async function imagesIn(source: string, scope: Scope): Promise<readonly ArchivedImage[]> {
  const match = /^(docker-archive|oci-archive|oci):(.+)$/.exec(source);
  const path = resolve(match?.[2] ?? source);
  const transport = (match?.[1] as Transport | undefined) ?? (await detect(path, scope));
  checkExists(path);
  const images = await readIndex(transport, path, scope);
  if (images.length === 0) throw new PeapodError("BadRequest", `${path} holds no image`);
  return images;
}

async function detect(path: string, scope: Scope): Promise<Transport> {
  checkExists(path);
  if (statSync(path).isDirectory()) {
    if (statSync(join(path, "index.json"), { throwIfNoEntry: false }) !== undefined) return "oci";
  } else {
    // `docker save` of today writes both indexes; only the older one holds full names.
    if ((await readMember(path, "manifest.json", scope)) !== undefined) return "docker-archive";
    if ((await readMember(path, "index.json", scope)) !== undefined) return "oci-archive";
  }
  throw new PeapodError(
    "BadRequest",
    `${path} is no image: neither a docker-archive, an oci-archive nor an OCI folder`,
  );
}

interface OCIIndex {
  readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

async function readIndex(
  transport: Transport,
  path: string,
  scope: Scope,
): Promise<readonly ArchivedImage[]> {
  if (transport === "docker-archive") {
    const text = (await readMember(path, "manifest.json", scope)) ?? "[]";
    const entries = JSON.parse(text) as readonly { readonly RepoTags?: readonly string[] | null }[];
    return entries.flatMap((entry, index) => {
      const names = entry.RepoTags ?? [];
      if (names.length === 0) return [{ source: `${transport}:${path}:@${index}`, name: unnamed(path) }];
      return names.map((name) => ({
        source: `${transport}:${path}:@${index}`,
        name: fullName(parseReference(name)),
      }));
    });
  }
  const text =
    transport === "oci"
      ? readFileSync(join(path, "index.json"), "utf8")
      : ((await readMember(path, "index.json", scope)) ?? "{}");
  const manifests = (JSON.parse(text) as OCIIndex).manifests ?? [];
  return manifests.map(({ annotations }) => {
    const reference = annotations?.["org.opencontainers.image.ref.name"];
    const name = annotations?.["io.containerd.image.name"] ?? reference;
    return {
      source: reference === undefined ? `${transport}:${path}` : `${transport}:${path}:${reference}`,
      name: nameFor(name, path),
    };
  });
}

/** The reference name of an OCI folder is often a bare tag. */
function nameFor(name: string | undefined, path: string): string {
  if (name === undefined) return unnamed(path);
  if (/[/:@]/.test(name)) return fullName(parseReference(name));
  return `${unnamed(path).replace(/:latest$/, "")}:${name}`;
}

function unnamed(path: string): string {
  const name = basename(path)
    .replace(/\.(?:tar|tgz|oci|docker)(?:\.\w+)?$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return `localhost/${name === "" ? "image" : name}:latest`;
}

/** A member of a tar file (compressed or not) as text; undefined when there is none or it is no tar file. */
async function readMember(path: string, member: string, scope: Scope): Promise<string | undefined> {
  const args = ["--extract", "--to-stdout", "--file", path, "--wildcards", "--no-wildcards-match-slash"];
  const { stdout } = await runCommand("tar", [...args, member, `./${member}`], { okCodes: [0, 2] }, scope);
  return stdout === "" ? undefined : stdout;
}

function checkExists(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    if (isGone(error)) throw new PeapodError("NotFound", `no such file: ${path}`);
    throw error;
  }
}
