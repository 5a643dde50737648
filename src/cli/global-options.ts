import type { OptionSpecs } from "./command.ts";

/** Flags that every command has, before or after the verb. */
export const globalOptions = {
  namespace: {
    type: "string",
    short: "n",
    value: "NAMESPACE",
    summary: "Namespace of the objects (default: the manifest's, else `default`)",
  },
  context: {
    type: "string",
    value: "NAME",
    summary: "Talk to the Kubernetes cluster of this context of a kubeconfig instead of this machine's node",
  },
  kubeconfig: {
    type: "string",
    value: "FILE",
    summary:
      "The kubeconfig to take a cluster from (default with --context: $KUBECONFIG, else ~/.kube/config)",
  },
  "state-dir": {
    type: "string",
    value: "DIR",
    summary: "Where the node keeps what outlives a reboot (env PEAPOD_STATE_DIR; default /var/lib/peapod)",
  },
  "run-dir": {
    type: "string",
    value: "DIR",
    summary: "Where the node's socket and mounts are (env PEAPOD_RUN_DIR; default /run/peapod)",
  },
  "no-color": { type: "boolean", summary: "Print no colours (also: env NO_COLOR)" },
  help: { type: "boolean", short: "h", summary: "Print help" },
} as const satisfies OptionSpecs;
