import { isAbsolute } from "node:path";
import { parseArgs } from "node:util";
import { explain, PeapodError } from "../base/errors.ts";
import { defaultRunDir, defaultStateDir, type Layout, layoutFor } from "../host/layout.ts";
import { keptFlagsFile, type NodeFlags, readKeptFlags } from "./kept-flags.ts";

/** How a node daemon was asked to run. */
export interface DaemonConfig {
  readonly layout: Layout;
  /** `crun`, `runc` or an absolute path; undefined: crun where it works, else runc. */
  readonly runtime: string | undefined;
  /** Folder of the user's CNI configuration; undefined: Peapod's own bridge. */
  readonly cniConfDir: string | undefined;
  /** Addresses for pods, e.g. `10.244.7.0/24`; undefined: the first free one of a fixed list. */
  readonly podCIDR: string | undefined;
  /** containers-registries.conf(5) to use instead of the machine's. */
  readonly registriesConf: string | undefined;
  /** Kernel parameters that pods may set although they are not safe, e.g. `net.core.*`. */
  readonly allowedUnsafeSysctls: readonly string[];
  /** Most processes and threads of one pod (the kubelet's podPidsLimit); undefined: as many as the machine allows. */
  readonly podMaxPIDs: number | undefined;
  /** Where the API listens with TLS; undefined: not at all over TCP. Port 0: the one used last, else a free one. */
  readonly apiAddress: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: string;
  /** The flags that say all this but the folders, as they were given now or are kept: `{"pod-cidr": "10.9.0.0/24"}`. */
  readonly flags: NodeFlags;
}

const logLevels = ["debug", "info", "warn", "error", "silent"];

/**
 * Reads the daemon's own command line. One that says nothing but the folders means the flags that the last start kept,
 * unless it says `--defaults`. Throws Usage.
 */
export function parseDaemonArguments(args: readonly string[], env: NodeJS.ProcessEnv): DaemonConfig {
  const given = parse(args);
  const stateDir = given["state-dir"] ?? env.PEAPOD_STATE_DIR ?? defaultStateDir;
  const runDir = given["run-dir"] ?? env.PEAPOD_RUN_DIR ?? defaultRunDir;
  const kept =
    given.defaults === true || Object.keys(flagsOf(given)).length > 0 ? {} : readKeptFlags(stateDir);
  const values = { ...given, ...checkKept(kept, stateDir) };
  for (const [flag, value] of Object.entries({ "--state-dir": stateDir, "--run-dir": runDir })) {
    if (!isAbsolute(value)) throw new PeapodError("Usage", `${flag} must be an absolute path, got ${value}`);
  }
  const logLevel = values["log-level"] ?? "info";
  if (!logLevels.includes(logLevel)) {
    throw new PeapodError("Usage", `--log-level must be one of ${logLevels.join(", ")}, got ${logLevel}`);
  }
  return {
    layout: layoutFor(stateDir, runDir),
    runtime: values.runtime,
    cniConfDir: values["cni-conf-dir"],
    podCIDR: values["pod-cidr"],
    registriesConf: values["registries-conf"],
    allowedUnsafeSysctls: (values["allowed-unsafe-sysctls"] ?? "").split(",").filter((name) => name !== ""),
    podMaxPIDs: podMaxPIDs(values["pod-max-pids"] ?? "-1"),
    apiAddress: apiAddress(values["api-address"] ?? "127.0.0.1:0"),
    logLevel,
    flags: flagsOf(values),
  };
}

function flagsOf(values: ReturnType<typeof parse>): NodeFlags {
  const { "state-dir": _state, "run-dir": _run, defaults: _defaults, ...flags } = values;
  return flags;
}

function checkKept(kept: NodeFlags, stateDir: string): ReturnType<typeof parse> {
  try {
    return flagsOf(parse(Object.entries(kept).map(([name, value]) => `--${name}=${value}`)));
  } catch (error) {
    throw new PeapodError("Usage", `${keptFlagsFile(stateDir)}: ${explain(error)}`);
  }
}

/** As the kubelet reads it: what is not positive is no limit. */
function podMaxPIDs(text: string): number | undefined {
  if (!/^-?\d{1,9}$/.test(text)) {
    throw new PeapodError("Usage", `--pod-max-pids must be a whole number, got ${text}`);
  }
  const limit = Number(text);
  return limit > 0 ? limit : undefined;
}

function apiAddress(text: string): DaemonConfig["apiAddress"] {
  if (text === "none") return undefined;
  const match = /^(?<host>[^:]+|\[[0-9a-f:]+\]):(?<port>\d{1,5})$/i.exec(text);
  const port = Number(match?.groups?.port);
  if (match?.groups?.host === undefined || port > 65_535) {
    throw new PeapodError("Usage", `--api-address must be HOST:PORT or none, got ${text}`);
  }
  return { host: match.groups.host.replace(/^\[|\]$/g, ""), port };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        "state-dir": { type: "string" },
        "run-dir": { type: "string" },
        runtime: { type: "string" },
        "cni-conf-dir": { type: "string" },
        "pod-cidr": { type: "string" },
        "registries-conf": { type: "string" },
        "allowed-unsafe-sysctls": { type: "string" },
        "api-address": { type: "string" },
        "pod-max-pids": { type: "string" },
        "log-level": { type: "string" },
        defaults: { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    throw new PeapodError("Usage", error instanceof Error ? error.message : String(error));
  }
}
