import { isAbsolute } from "node:path";
import { PeapodError } from "../../base/errors.ts";
import { localAppArmorProfile } from "../../kube/apparmor.ts";
import { hasMountAttributes, type Machine } from "../machine.ts";
import type { ContainerConfig, Sandbox } from "../types.ts";
import { capabilities } from "./capabilities.ts";
import { devices } from "./devices.ts";
import { mounts, rootfsPropagation } from "./mounts.ts";
import { idMappings, namespaces } from "./namespaces.ts";
import type { OCIDevice, OCIProcess, OCISpec } from "./oci.ts";
import { outOfMemoryScore } from "./out-of-memory-score.ts";
import { protectedPaths } from "./paths.ts";
import { resources } from "./resources.ts";
import { rlimits } from "./rlimits.ts";
import { sysctls } from "./sysctls.ts";
import { type UserFiles, user } from "./user.ts";

/** What the configuration is made of beside pod and container; the impure parts come as values or functions. */
export interface SpecParts {
  readonly sandbox: Sandbox;
  readonly config: ContainerConfig;
  readonly machine: Machine;
  readonly userFiles: UserFiles;
  readonly hostDevices: () => readonly OCIDevice[];
  /** Host file for the termination message. */
  readonly terminationMessageFile: string;
}

/** The cgroup of one instance of a container below every hierarchy's mount. */
export function containerCgroup(sandbox: Sandbox, config: ContainerConfig): string {
  return `${sandbox.cgroup}/${config.container.name}/${config.attempt}`;
}

/**
 * The OCI configuration of a container, without seccomp (which is added in the form the runtime takes fastest).
 * Pure. Throws CreateContainerConfigError for what cannot be honoured.
 */
export function ociSpec(parts: SpecParts): OCISpec {
  const { sandbox, config, machine } = parts;
  const { container, pod } = config;
  const context = container.securityContext;
  const privileged = context?.privileged === true;
  const propagation = rootfsPropagation(config.mounts);
  const extraDevices = devices(privileged, parts.hostDevices);
  const sysctl = sysctls(pod.spec, sandbox);
  return {
    ociVersion: "1.0.2",
    process: processOf(parts),
    root: { path: config.rootfs, readonly: context?.readOnlyRootFilesystem === true },
    mounts: mounts(sandbox, config.mounts, {
      privileged,
      recursiveReadOnly: hasMountAttributes(machine),
      terminationMessage: {
        hostPath: parts.terminationMessageFile,
        mountPath: container.terminationMessagePath ?? "/dev/termination-log",
      },
    }),
    annotations: {
      "io.kubernetes.pod.namespace": pod.metadata.namespace,
      "io.kubernetes.pod.name": pod.metadata.name,
      "io.kubernetes.pod.uid": pod.metadata.uid,
      "io.kubernetes.container.name": container.name,
    },
    linux: {
      namespaces: namespaces(sandbox, {
        hostPID: pod.spec.hostPID === true,
        privileged,
        targetPID: config.targetPID,
      }),
      ...idMappings(sandbox.userNamespace),
      cgroupsPath: containerCgroup(sandbox, config),
      resources: resources(container, {
        privileged,
        cgroupMode: machine.cgroupMode,
        swapAccounting: machine.swapAccounting,
        hugePageSizes: machine.hugePageSizes,
      }),
      ...(extraDevices.length === 0 ? {} : { devices: extraDevices }),
      ...protectedPaths(context),
      ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
      ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    },
  };
}

function processOf({ config, machine, userFiles }: SpecParts): OCIProcess {
  const { container, pod } = config;
  const context = container.securityContext;
  const cwd = container.workingDir || config.image.workingDir || "/";
  if (!isAbsolute(cwd)) {
    throw new PeapodError("CreateContainerConfigError", `working directory ${cwd} is not an absolute path`);
  }
  const appArmor = localAppArmorProfile(pod.spec, container);
  const hasTerminalType = config.env.some((entry) => entry.startsWith("TERM="));
  return {
    terminal: container.tty === true,
    user: user(pod, container, config.image.user, userFiles),
    args: config.command,
    env: container.tty === true && !hasTerminalType ? ["TERM=xterm", ...config.env] : config.env,
    cwd,
    capabilities: capabilities(context, machine.capabilities),
    rlimits: rlimits(machine),
    noNewPrivileges: context?.allowPrivilegeEscalation === false,
    ...(appArmor === undefined ? {} : { apparmorProfile: appArmor }),
    oomScoreAdj: outOfMemoryScore(pod, container, machine.memoryBytes, lowestScore(machine)),
  };
}

function lowestScore(machine: Machine): number {
  return machine.capabilities.includes("CAP_SYS_RESOURCE") ? -1000 : machine.oomScoreAdj;
}
