import { existsSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "../host/command.ts";
import type { CNIConfig, CNIPlugin } from "./cni-config.ts";
import type { PodNetworkRequest } from "./types.ts";

/** What ADD answers: the part of it that is read here; the rest is passed on to the next plugin. */
export interface CNIResult {
  readonly ips?: readonly { readonly address: string }[];
  readonly [key: string]: unknown;
}

/** A network configuration applied to one pod. */
export interface CNIAttachment {
  readonly config: CNIConfig;
  readonly request: PodNetworkRequest;
  /** Which namespace it was given to: its inode, which a path alone does not tell after a reboot. */
  readonly namespaceID: number | undefined;
  /** How many plugins' ADD have ended well, the first ones; all of them when the pod has its network. */
  readonly added: number;
  /** Of the last of these. */
  readonly result: CNIResult | undefined;
}

/**
 * Runs ADD of every plugin, each with the result of the one before, and calls `keep` after each. Throws
 * FailedCreatePodSandBox.
 */
export async function addNetwork(
  attachment: CNIAttachment,
  binDirs: readonly string[],
  keep: (attachment: CNIAttachment) => void,
  scope: Scope,
): Promise<CNIAttachment> {
  let current = attachment;
  for (const plugin of attachment.config.plugins) {
    const output = await runPlugin("ADD", plugin, current, binDirs, scope);
    current = { ...current, added: current.added + 1, result: parseResult(plugin, output) };
    keep(current);
  }
  return current;
}

/** Runs CHECK of every plugin where the configuration's version has it (0.4.0). Throws FailedCreatePodSandBox. */
export async function checkNetwork(
  attachment: CNIAttachment,
  binDirs: readonly string[],
  scope: Scope,
): Promise<void> {
  if (attachment.config.disableCheck || !hasPreviousResult(attachment.config)) return;
  for (const plugin of attachment.config.plugins)
    await runPlugin("CHECK", plugin, attachment, binDirs, scope);
}

/**
 * Runs DEL of every plugin, the last one first. Plugins succeed for what is not there; all are run even when one
 * fails, and the first failure is thrown, except for plugins whose ADD has not succeeded: one that can't read its
 * configuration fails at both and has nothing to give back.
 */
export async function deleteNetwork(
  attachment: CNIAttachment,
  binDirs: readonly string[],
  scope: Scope,
): Promise<void> {
  let failure: unknown;
  for (const [index, plugin] of [...attachment.config.plugins.entries()].toReversed()) {
    try {
      await runPlugin("DEL", plugin, attachment, binDirs, scope);
    } catch (error) {
      if (index < attachment.added) failure ??= error;
      else
        scope.log.debug(
          { plugin: plugin.type, error: explain(error) },
          "CNI DEL after a failed ADD failed too",
        );
    }
  }
  if (failure !== undefined) throw failure;
}

/** What a plugin reads on its standard input (SPEC.md, section 4: deriving its configuration from the list's). */
export function pluginInput(plugin: CNIPlugin, attachment: CNIAttachment): Record<string, unknown> {
  const { config, request, result } = attachment;
  const { capabilities, ...own } = plugin;
  const portMappings = request.hostPorts.map((port) => ({
    hostPort: port.hostPort,
    containerPort: port.containerPort,
    protocol: port.protocol.toLowerCase(),
    ...(port.hostIP === "" ? {} : { hostIP: port.hostIP }),
  }));
  return {
    ...own,
    cniVersion: config.cniVersion,
    name: config.name,
    ...(capabilities?.portMappings === true && portMappings.length > 0
      ? { runtimeConfig: { portMappings } }
      : {}),
    ...(result !== undefined && hasPreviousResult(config) ? { prevResult: result } : {}),
  };
}

/** Whether some plugin publishes host ports. */
export function canPublishPorts(config: CNIConfig): boolean {
  return config.plugins.some((plugin) => plugin.capabilities?.portMappings === true);
}

function hasPreviousResult(config: CNIConfig): boolean {
  const [major = 0, minor = 0] = config.cniVersion.split(".").map(Number);
  return major > 0 || minor >= 3;
}

async function runPlugin(
  command: "ADD" | "DEL" | "CHECK",
  plugin: CNIPlugin,
  attachment: CNIAttachment,
  binDirs: readonly string[],
  scope: Scope,
): Promise<string> {
  const { request } = attachment;
  const file = binDirs.map((folder) => join(folder, plugin.type)).find((path) => existsSync(path));
  if (file === undefined) {
    const where = binDirs.join(", ");
    throw new PeapodError("FailedCreatePodSandBox", `CNI plugin ${plugin.type} is in none of ${where}`);
  }
  const args = {
    IgnoreUnknown: "1",
    K8S_POD_NAMESPACE: request.namespace,
    K8S_POD_NAME: request.name,
    K8S_POD_INFRA_CONTAINER_ID: request.podUID,
    K8S_POD_UID: request.podUID,
  };
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: request.podUID,
    // A namespace that is gone already: the plugin releases what it keeps elsewhere (SPEC.md, DEL).
    CNI_NETNS: existsSync(request.netns) ? request.netns : "",
    CNI_IFNAME: "eth0",
    CNI_PATH: binDirs.join(":"),
    CNI_ARGS: Object.entries(args)
      .map(([key, value]) => `${key}=${value}`)
      .join(";"),
  };
  try {
    const input = JSON.stringify(pluginInput(plugin, attachment));
    return (await runCommand(file, [], { input, env }, scope)).stdout;
  } catch (error) {
    const reason = pluginMessage(error) ?? explain(error);
    throw new PeapodError("FailedCreatePodSandBox", `CNI ${command} ${plugin.type}: ${reason}`, {
      cause: error,
    });
  }
}

function parseResult(plugin: CNIPlugin, output: string): CNIResult {
  try {
    return JSON.parse(output) as CNIResult;
  } catch (error) {
    const message = `CNI ADD ${plugin.type}: the plugin's result is not JSON`;
    throw new PeapodError("FailedCreatePodSandBox", message, { cause: error });
  }
}

/** A failing plugin says why in JSON on its standard output (SPEC.md, section 5: error). */
function pluginMessage(error: unknown): string | undefined {
  const { stdout } = ((error as PeapodError).details ?? {}) as { stdout?: string };
  try {
    const { msg, details } = JSON.parse(stdout ?? "") as { msg?: string; details?: string };
    return [msg, details].filter((part) => part !== undefined && part !== "").join(": ") || undefined;
  } catch {
    return undefined;
  }
}
