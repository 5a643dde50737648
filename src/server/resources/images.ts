import { kubernetesTime } from "../../base/clock.ts";
import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { isJSONObject } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import type { LibraryImage } from "../image-library.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import type { Resource } from "../resource.ts";
import { successStatus } from "../status.ts";
import { textColumn } from "../table/columns.ts";

interface ImageObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly names: readonly string[];
    readonly digests: readonly string[];
    readonly size: number;
  };
}

/**
 * The images on this machine. Creating one loads it from `spec.source`, a file or folder of this machine, or pulls
 * `spec.pull`, a name as a manifest has it;
 * deleting one takes any of its names, digests or its id.
 */
export const images: Resource = {
  group: "peapod.dev",
  version: "v1alpha1",
  kind: "Image",
  plural: "images",
  singular: "image",
  shortNames: [],
  namespaced: false,
  verbs: ["get", "list", "create", "delete"],
  subresources: {},
  listElsewhere: async ({ context, scope }) => ({
    items: (await context.images.list(scope)).map(imageObject),
  }),
  handlers: { create: obtain, delete: remove },
  selectableFields: {},
  columns: [
    textColumn<ImageObject>("Name", "Names with tag.", ({ status }) => status.names.join(",") || "<none>"),
    textColumn<ImageObject>("ID", "Digest of the image's configuration.", ({ metadata }) =>
      shortID(metadata.name),
    ),
    textColumn<ImageObject>("Size", "Space on disk.", ({ status }) => `${(status.size / 1e6).toFixed(1)}MB`),
    textColumn<ImageObject>(
      "Digests",
      "Names with digest.",
      ({ status }) => status.digests.join(",") || "<none>",
      { wide: true },
    ),
  ],
};

async function obtain({ context, scope, ...request }: ApiRequest): Promise<ApiAnswer> {
  const sent = decodeBody({ ...request, context, scope });
  const spec = isJSONObject(sent) && isJSONObject(sent.spec) ? sent.spec : {};
  const { source, pull } = spec;
  if (isText(source) === isText(pull)) {
    throw new PeapodError(
      "BadRequest",
      "spec: Required value: either source, the archive or folder to load, or pull, the name of the image",
    );
  }
  const image = isText(source)
    ? await context.images.load(source, scope)
    : await context.images.pull(pull as string, scope);
  return { object: imageObject(image), code: 201 };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

async function remove({ context, name, scope }: ApiRequest): Promise<ApiAnswer> {
  await context.images.remove(name, scope);
  return { object: successStatus({ name, group: "peapod.dev", kind: "images" }) };
}

function imageObject({ id, names, digests, size }: LibraryImage): KubernetesObject {
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "Image",
    // An image is what its id says, on whatever machine and since whenever.
    metadata: { name: id, uid: id, resourceVersion: "", creationTimestamp: kubernetesTime(0) },
    status: { names, digests, size },
  };
}

function shortID(id: string): string {
  return id.replace("sha256:", "").slice(0, 12);
}
