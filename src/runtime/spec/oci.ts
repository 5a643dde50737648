/**
 * The parts of an OCI runtime configuration (config.json) that Peapod writes.
 * https://github.com/opencontainers/runtime-spec/blob/main/config.md and config-linux.md
 */
export interface OCISpec {
  readonly ociVersion: string;
  readonly process: OCIProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly mounts: readonly OCIMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: OCILinux;
}

export interface OCIProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: OCIUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OCICapabilities;
  readonly rlimits: readonly OCIRlimit[];
  readonly noNewPrivileges: boolean;
  /** Name of a profile that is loaded. */
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: number;
}

export interface OCIUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

export interface OCICapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
}

export interface OCIRlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface OCIMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OCILinux {
  readonly namespaces: readonly OCINamespace[];
  readonly uidMappings?: readonly OCIIDMapping[];
  readonly gidMappings?: readonly OCIIDMapping[];
  readonly cgroupsPath: string;
  readonly resources: OCIResources;
  readonly devices?: readonly OCIDevice[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly rootfsPropagation?: string;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly seccomp?: OCISeccomp;
}

export interface OCINamespace {
  readonly type: "pid" | "network" | "mount" | "ipc" | "uts" | "cgroup" | "user";
  readonly path?: string;
}

export interface OCIIDMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface OCIDevice {
  readonly type: "c" | "b" | "p";
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface OCIDeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "c" | "b";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface OCIResources {
  readonly devices: readonly OCIDeviceRule[];
  readonly cpu?: { readonly shares?: number; readonly quota?: number; readonly period?: number };
  readonly memory?: { readonly limit?: number; readonly swap?: number };
  readonly pids?: { readonly limit: number };
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  /** Files of cgroup version 2 by name. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface OCISeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly syscalls: readonly OCISeccompRule[];
}

export interface OCISeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly OCISeccompArgument[];
}

export interface OCISeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}
