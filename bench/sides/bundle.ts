import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { run, runDetached } from "../command.ts";
import { commandOf } from "../manifest.ts";
import type { BenchPod } from "../types.ts";

/** The part of an OCI runtime configuration that the floor changes; all else stays as Peapod wrote it. */
export interface OciConfig {
  process: { args: string[]; terminal?: boolean };
  root: { path: string; readonly?: boolean };
  hostname?: string;
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  annotations?: Record<string, string>;
  linux: {
    cgroupsPath?: string;
    namespaces: { type: string; path?: string }[];
    seccomp?: unknown;
  };
}

const stampsMount = "/stamps";
const compiledSeccomp = "run.oci.seccomp_bpf_data";

/**
 * Reads the configuration of a running container of Peapod's and makes it independent of its pod: the files that
 * it mounts are copied to `dir`, and so are its volumes. Where the seccomp profile is not compiled yet, crun compiles it once, here.
 */
export async function bundleTemplate(configFile: string, dir: string): Promise<OciConfig> {
  const config = JSON.parse(readFileSync(configFile, "utf8")) as OciConfig;
  mkdirSync(join(dir, "shm"), { recursive: true });
  for (const [index, mount] of config.mounts.entries()) {
    const source = mount.source;
    if (source === undefined || !source.startsWith("/") || !existsSync(source)) continue;
    if (mount.destination === "/dev/shm") mount.source = join(dir, "shm");
    else if (statSync(source).isFile()) {
      mount.source = join(dir, basename(source));
      copyFileSync(source, mount.source);
    } else if (mount.destination !== stampsMount) {
      // The service account's token: the pod's volume goes with the pod.
      mount.source = join(dir, `volume-${index}`);
      cpSync(source, mount.source, { recursive: true, verbatimSymlinks: true });
    }
  }
  if (config.linux.seccomp === undefined || config.annotations?.[compiledSeccomp] !== undefined)
    return config;

  const { seccomp, ...linux } = config.linux;
  const data = await compile({ ...config, linux: { ...linux, seccomp } }, dir);
  return { ...config, linux, annotations: { ...config.annotations, [compiledSeccomp]: data } };
}

/** crun leaves the compiled profile beside the state of each container that it creates. */
async function compile(config: OciConfig, dir: string): Promise<string> {
  const bundle = join(dir, "compile");
  const rootfs = join(bundle, "rootfs");
  mkdirSync(join(rootfs, "stamps"), { recursive: true });
  copyFileSync("/usr/bin/busybox", join(rootfs, "sh"));
  const namespaces = config.linux.namespaces.map(({ type }) => ({ type }));
  const plain: OciConfig = {
    ...config,
    process: { ...config.process, args: ["/sh"], terminal: false },
    root: { path: rootfs },
    linux: { ...config.linux, namespaces, cgroupsPath: "/peapod-bench/compile" },
  };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(plain));
  const state = join(dir, "compile-state");
  await runDetached("crun", ["--root", state, "create", "--bundle", bundle, "compile"]);
  const data = readFileSync(join(state, "compile/seccomp.bpf")).toString("base64");
  await run("crun", ["--root", state, "delete", "--force", "compile"]);
  return data;
}

/** The namespaces of one pod that the floor has ready before the clock starts, by their OCI names. */
export type PinnedNamespaces = Readonly<Record<"network" | "ipc" | "uts", string>>;

/** The template for one container of a pod, ready for `crun run`. */
export function bundleFor(
  template: OciConfig,
  pod: BenchPod,
  container: string,
  rootfs: string,
  pinned: PinnedNamespaces,
): OciConfig {
  const { hostname: _, ...rest } = template;
  return {
    ...rest,
    process: { ...template.process, args: commandOf(container), terminal: false },
    root: { path: rootfs },
    mounts: template.mounts.map((mount) =>
      mount.destination === stampsMount ? { ...mount, source: pod.stampsDir } : mount,
    ),
    linux: {
      ...template.linux,
      cgroupsPath: `/peapod-bench/${pod.name}-${container}`,
      namespaces: template.linux.namespaces.map(({ type }) => {
        const path = (pinned as Record<string, string | undefined>)[type];
        return path === undefined ? { type } : { type, path };
      }),
    },
  };
}
