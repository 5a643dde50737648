import { resolve } from "node:path";
import { images } from "../../client/resources.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { type CommandGroup, defineCommand } from "../command.ts";
import { formatColumns } from "../printers/columns.ts";
import { formatObjects } from "../printers/objects.ts";
import { tableHeader, tableRows } from "../printers/table.ts";
import { objectOutput } from "../shared-options.ts";

const list = defineCommand({
  name: "list",
  summary: "Show the images on this machine",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    output: objectOutput,
    "no-headers": { type: "boolean", summary: "Print no line of headings" },
  },
  examples: [{ text: "All images", command: "peapod image list" }],
  async run({ options, session: { client, scope, terminal } }) {
    const { output } = options;
    if (output === "json" || output === "yaml") {
      const { items } = await client.list<KubernetesObject>(images, {}, scope);
      terminal.out(await formatObjects(output, items, false));
      return 0;
    }
    const table = await client.table(images, {}, scope);
    if (output === "name") {
      for (const { object } of table.rows) terminal.out(`${object?.metadata?.name ?? ""}\n`);
      return 0;
    }
    const tableOptions = { wide: output === "wide", showNamespace: false, showLabels: false };
    const rows = tableRows(table, tableOptions);
    if (rows.length === 0) terminal.err("No images.\n");
    else
      terminal.out(formatColumns(options["no-headers"] ? rows : [tableHeader(table, tableOptions), ...rows]));
    return 0;
  },
});

const load = defineCommand({
  name: "load",
  summary: "Load an image from an archive or a folder",
  usage: "SOURCE",
  args: { min: 1, max: 1 },
  completes: "files",
  options: {},
  examples: [
    {
      text: "What `docker save` or `podman save` wrote",
      command: "peapod image load docker-archive:image.tar",
    },
    { text: "An OCI layout folder", command: "peapod image load oci:layout/" },
  ],
  async run({ args, session: { client, scope, terminal } }) {
    const image = await client.create(
      images,
      undefined,
      imageObject({ source: absoluteSource(args[0] ?? "") }),
      scope,
    );
    terminal.out(`${imageName(image)} loaded\n`);
    return 0;
  },
});

const pull = defineCommand({
  name: "pull",
  summary: "Pull an image from its registry",
  usage: "IMAGE",
  args: { min: 1, max: 1 },
  options: {},
  examples: [{ text: "By the name that a manifest uses", command: "peapod image pull nginx:1.29" }],
  async run({ args, session: { client, scope, terminal } }) {
    const image = await client.create(images, undefined, imageObject({ pull: args[0] ?? "" }), scope);
    terminal.out(`${imageName(image)} pulled\n`);
    return 0;
  },
});

const remove = defineCommand({
  name: "remove",
  summary: "Remove images from this machine",
  usage: "IMAGE...",
  args: { min: 1, max: 1000 },
  options: {},
  examples: [{ text: "By name", command: "peapod image remove nginx:1.29" }],
  async run({ args, session: { client, scope, terminal } }) {
    for (const name of args) {
      await client.delete(images, { name }, {}, scope);
      terminal.out(`image "${name}" deleted\n`);
    }
    return 0;
  },
});

export const image: CommandGroup = {
  name: "image",
  summary: "Images: list, load, pull, remove",
  commands: [list, load, pull, remove],
};

function imageObject(spec: object): object {
  return { apiVersion: images.apiVersion, kind: images.kind, metadata: {}, spec };
}

function imageName(object: KubernetesObject): string {
  const names = (object.status as { names?: readonly string[] } | undefined)?.names;
  return names?.[0] ?? object.metadata.name;
}

/** The daemon has its own working folder: a path must not depend on it (containers-transports(5)). */
function absoluteSource(source: string): string {
  const match = /^(docker-archive|oci|oci-archive|dir):(.*)$/.exec(source);
  return match === null ? resolve(source) : `${match[1]}:${resolve(match[2] ?? "")}`;
}
