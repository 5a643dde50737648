import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import { isGone } from "../host/files.ts";

/** One plugin of a network configuration; all but `type` and `capabilities` is the plugin's own business. */
export interface CNIPlugin {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}

/** A network configuration list (https://github.com/containernetworking/cni/blob/spec-v1.0.0/SPEC.md, section 1). */
export interface CNIConfig {
  readonly cniVersion: string;
  readonly name: string;
  readonly disableCheck: boolean;
  readonly plugins: readonly CNIPlugin[];
}

const extensions = [".conflist", ".conf", ".json"];

/**
 * The network configuration of a folder: the first file by name that ends in `.conflist`, `.conf` or `.json`, as
 * other runtimes choose it. Throws ServiceUnavailable, with the file's name, when there is none or it can't be read.
 */
export function loadCNIConfig(folder: string): CNIConfig {
  const name = listFolder(folder)
    .filter((file) => extensions.includes(extname(file)))
    .sort()[0];
  if (name === undefined) {
    throw new PeapodError("ServiceUnavailable", `pod network: no CNI configuration in ${folder}`);
  }
  const path = join(folder, name);
  try {
    return parseCNIConfig(readFileSync(path, "utf8"));
  } catch (error) {
    throw new PeapodError("ServiceUnavailable", `pod network: ${path}: ${explain(error)}`, { cause: error });
  }
}

/** Reads a configuration list, or a single plugin's configuration as a list of one. Throws Invalid. */
export function parseCNIConfig(text: string): CNIConfig {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new PeapodError("Invalid", `not JSON: ${explain(error)}`, { cause: error });
  }
  const plugins = Array.isArray(json.plugins) ? (json.plugins as CNIPlugin[]) : [json as CNIPlugin];
  if (typeof json.name !== "string" || json.name === "") throw new PeapodError("Invalid", "name is missing");
  if (plugins.length === 0) throw new PeapodError("Invalid", "plugins is empty");
  // A type is the name of a program in the plugin folders and must not lead out of them.
  if (plugins.some(({ type }) => typeof type !== "string" || !/^[^/]+$/.test(type) || type.startsWith("."))) {
    throw new PeapodError("Invalid", "a plugin's type is missing or no program's name");
  }
  return {
    cniVersion: typeof json.cniVersion === "string" ? json.cniVersion : "0.1.0",
    name: json.name,
    disableCheck: json.disableCheck === true,
    plugins,
  };
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}
