import { defineCommand } from "../command.ts";
import { loadManifests } from "../manifests.ts";
import { usageError } from "../parse-arguments.ts";
import { applyManifests } from "../up/apply-manifests.ts";
import { withImageFallback } from "../up/image-fallback.ts";
import { reportAppliedUntilUp } from "../up/report-until-up.ts";

export const up = defineCommand({
  name: "up",
  summary: "Run the pods of manifests and wait until they are ready",
  description:
    "Reads all manifests first; if anything is wrong with any of them, prints every problem with its file, line " +
    "and column and applies nothing (exit code 3). A pod that already runs from an equal manifest is left as it is, " +
    "a changed one is replaced. Services, ConfigMaps, Roles and whatever else the manifests have are there " +
    "before the pods. Deployments, Jobs and whatever else makes pods are changed in place, and their newest pods waited " +
    "for.\n\n" +
    "Without -d, then prints the logs of all containers until the pods and Jobs end; Ctrl-C removes what " +
    "`down -f` removes, a second Ctrl-C without waiting for the processes.",
  usage: "-f FILE",
  args: { min: 0, max: 0 },
  options: {
    filename: {
      type: "strings",
      short: "f",
      value: "FILE",
      summary: "Manifest: a file, a folder, a URL, or - for standard input; may be repeated",
    },
    recursive: { type: "boolean", short: "R", summary: "Read the folders below a folder too" },
    detach: { type: "boolean", short: "d", summary: "Return once the pods are ready and leave them running" },
    "image-fallback": {
      type: "string",
      value: "host",
      choices: ["host"],
      summary:
        "Run containers whose image can't be pulled on a read-only view of this machine's root file system",
    },
    replace: { type: "boolean", summary: "Replace pods even if nothing changed" },
    timeout: {
      type: "duration",
      value: "DURATION",
      default: 600_000,
      summary: "How long to wait until the pods are ready, e.g. 90s or 5m; 0 for no limit (default 10m)",
    },
  },
  examples: [
    { text: "Run a pod, see its logs, stop it with Ctrl-C", command: "peapod up -f pod.yaml" },
    { text: "Run every manifest of a folder in the background", command: "peapod up -d -f manifests/" },
    {
      text: "Without a registry: on a view of this machine's own files",
      command: "peapod up -d --image-fallback=host -f pod.yaml",
    },
  ],
  async run({ options, session }) {
    if (options.filename.length === 0) throw usageError("up needs -f FILE");
    const manifests = await loadManifests(options.filename, options, session);
    if (manifests === undefined) return 3;
    const fallback = options["image-fallback"];
    const objects = manifests.map((object) =>
      fallback === undefined ? object : withImageFallback(object, fallback),
    );

    // What is made is not broken off; that a node has to be started for it is.
    await session.client.raw("/version", session.scope);
    if (!options.detach) {
      const { runAttached } = await import("../up/attached.ts");
      return runAttached(objects, options, session);
    }
    const applied = await Array.fromAsync(applyManifests(objects, options.replace, session));
    return (await reportAppliedUntilUp(applied, options.timeout, session)) === undefined ? 1 : 0;
  },
});
