/**
 * What this version of Peapod does not do although Kubernetes does, as data: the one list that admission reads,
 * that `docs/reference/manifests.md` shows, and from which a line goes when its feature comes.
 */

/** A field of a Pod's spec that is valid but not honoured. */
export interface NotHonoured {
  /**
   * Path below `spec`; `[]` is every item of a list, and `containers[]` means init and ephemeral containers too.
   * A field that is absent, false or empty asks for nothing and is never reported.
   */
  readonly path: string;
  /** `refuse` where the pod would not be what it says, `warn` where it runs all the same. */
  readonly action: "refuse" | "warn";
  /** What Peapod does (or does not do) instead. */
  readonly instead: string;
  /** Which values are not honoured; absent: all. */
  readonly when?: (value: unknown) => boolean;
}

const refuse = (path: string, instead: string, when?: (value: unknown) => boolean): NotHonoured =>
  when === undefined ? { path, action: "refuse", instead } : { path, action: "refuse", instead, when };
const warn = (path: string, instead: string, when?: (value: unknown) => boolean): NotHonoured =>
  when === undefined ? { path, action: "warn", instead } : { path, action: "warn", instead, when };

const not =
  (...values: unknown[]) =>
  (value: unknown) =>
    !values.includes(value);
const is =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);
const hasKey = (test: (key: string) => boolean) => (value: unknown) =>
  Object.keys(value as object).some(test);

const volumeTypes = "volumes of this type cannot be mounted";
const noDefaultAppArmor = "there is no default AppArmor profile";
const oneMachine = "not applicable on one machine";

export const notHonoured: readonly NotHonoured[] = [
  refuse(
    "containers[].restartPolicyRules[].action",
    "a restart rule restarts its own container only",
    is("RestartAllContainers"),
  ),
  refuse("containers[].volumeDevices", "there are no block devices"),
  refuse("containers[].resources.claims", "there are no resource claims"),
  refuse("containers[].resources.limits", "there are no devices to give to containers", hasKey(isDevice)),
  warn("containers[].securityContext.appArmorProfile.type", noDefaultAppArmor, is("RuntimeDefault")),
  refuse("containers[].securityContext.seLinuxOptions", "SELinux labels are not applied"),
  refuse("containers[].securityContext.windowsOptions", "only Linux containers run"),

  refuse("volumes[].awsElasticBlockStore", volumeTypes),
  refuse("volumes[].azureDisk", volumeTypes),
  refuse("volumes[].azureFile", volumeTypes),
  refuse("volumes[].cephfs", volumeTypes),
  refuse("volumes[].cinder", volumeTypes),
  refuse("volumes[].csi", volumeTypes),
  refuse("volumes[].fc", volumeTypes),
  refuse("volumes[].flexVolume", volumeTypes),
  refuse("volumes[].flocker", volumeTypes),
  refuse("volumes[].gcePersistentDisk", volumeTypes),
  refuse("volumes[].gitRepo", volumeTypes),
  refuse("volumes[].glusterfs", volumeTypes),
  refuse("volumes[].iscsi", volumeTypes),
  refuse("volumes[].nfs", volumeTypes),
  refuse("volumes[].photonPersistentDisk", volumeTypes),
  refuse("volumes[].portworxVolume", volumeTypes),
  refuse("volumes[].projected.sources[].clusterTrustBundle", "there are no trust bundles"),
  refuse("volumes[].projected.sources[].podCertificate", "nobody signs certificates of pods"),
  refuse("volumes[].quobyte", volumeTypes),
  refuse("volumes[].rbd", volumeTypes),
  refuse("volumes[].scaleIO", volumeTypes),
  refuse("volumes[].storageos", volumeTypes),
  refuse("volumes[].vsphereVolume", volumeTypes),

  warn("securityContext.appArmorProfile.type", noDefaultAppArmor, is("RuntimeDefault")),
  refuse("securityContext.seLinuxOptions", "SELinux labels are not applied"),
  warn("securityContext.seLinuxChangePolicy", "SELinux labels are not applied"),
  refuse("securityContext.windowsOptions", "only Linux containers run"),

  refuse("os.name", "only Linux containers run", not("linux")),
  refuse("resourceClaims", "there are no resource claims"),

  warn("nodeSelector", oneMachine),
  warn("affinity", oneMachine),
  warn("tolerations", oneMachine),
  warn("topologySpreadConstraints", oneMachine),
  warn("preemptionPolicy", oneMachine, not("PreemptLowerPriority")),
  warn("schedulingGroup", oneMachine),
  warn("schedulerName", oneMachine, not("default-scheduler")),
];

function isDevice(name: string): boolean {
  return name.includes("/");
}
