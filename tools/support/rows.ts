/** What Peapod does with a field: as Kubernetes, refuses it, warns that it does nothing, or has no use for it. */
export type Support = "supported" | "refused" | "warned" | "not applicable";

/** What podman 6.0's `kube play` does with it: as its documentation and source say. */
export type PodmanSupport = "yes" | "partly" | "no" | "error" | "not applicable";

/**
 * One row of docs/support.md: a field below PodSpec, with all fields below it that have no row of their own.
 * `proof` names the tests: `FILE` below the repository, or `FILE: TITLE`. `note` says what "supported" leaves out.
 */
export interface Row {
  readonly path: string;
  readonly peapod: Support;
  readonly podman: PodmanSupport;
  readonly proof: readonly string[];
  readonly note?: string;
}

const conformance = (name: string, title?: string) =>
  `test/conformance/${name}.test.ts${title === undefined ? "" : `: ${title}`}`;
const node = (name: string, title?: string) =>
  `test/node/${name}.test.ts${title === undefined ? "" : `: ${title}`}`;
const unit = (path: string, title?: string) =>
  `src/${path}.test.ts${title === undefined ? "" : `: ${title}`}`;

const yes = (path: string, podman: PodmanSupport, proof: string | readonly string[], note?: string): Row => ({
  path,
  peapod: "supported",
  podman,
  proof: typeof proof === "string" ? [proof] : proof,
  ...(note === undefined ? {} : { note }),
});

const refusals = [unit("manifest/not-honoured"), unit("manifest/admit")];
const refused = (path: string, podman: PodmanSupport, note?: string): Row => ({
  path,
  peapod: "refused",
  podman,
  proof: refusals,
  ...(note === undefined ? {} : { note }),
});
const warned = (path: string, podman: PodmanSupport): Row => ({
  path,
  peapod: "warned",
  podman,
  proof: refusals,
});
const notApplicable = (path: string): Row => ({
  path,
  peapod: "not applicable",
  podman: "not applicable",
  proof: refusals,
});

const container = "containers[]";
const appArmor = [
  conformance("security-context", "an AppArmor profile where the machine has none to enforce it"),
  unit("kube/apparmor"),
];
const noDefaultAppArmor =
  "by the profile's name, on machines that have AppArmor; RuntimeDefault is warned of: there is no default profile";
const runtime = node("runtime", "runs as the user it asks for");

const pod: readonly Row[] = [
  yes(
    "activeDeadlineSeconds",
    "no",
    conformance("container-runtime", "should allow activeDeadlineSeconds to be updated"),
  ),
  notApplicable("affinity"),
  yes(
    "automountServiceAccountToken",
    "no",
    conformance("service-accounts", "should allow opting out of API token automount"),
  ),
  yes("containers", "yes", node("pod-from-end-to-end")),
  yes("dnsConfig", "yes", unit("kube/pod-files")),
  yes(
    "dnsPolicy",
    "no",
    [unit("kube/pod-files"), conformance("services", "names of Services")],
    "with a CNI network, or without dnsmasq on the host, ClusterFirst is the host's resolver",
  ),
  yes("enableServiceLinks", "no", conformance("services", "variables of Services")),
  yes("ephemeralContainers", "no", conformance("ephemeral-containers")),
  yes("hostAliases", "yes", conformance("kubelet", "should write entries to /etc/hosts")),
  yes("hostIPC", "yes", node("sandbox", "of a pod in the host's network and IPC are the host's")),
  yes("hostNetwork", "yes", node("sandbox", "of a pod in the host's network and IPC are the host's")),
  yes("hostPID", "yes", unit("runtime/spec/namespaces")),
  yes("hostUsers", "partly", conformance("user-namespaces"), "false needs Linux 5.19; volumes in memory 6.3"),
  yes("hostname", "yes", conformance("kubelet", "with-name")),
  yes("hostnameOverride", "no", conformance("kubelet", "overridden")),
  yes("imagePullSecrets", "no", [conformance("pull-secrets"), unit("images/pull-credentials")]),
  yes("initContainers", "partly", [conformance("init-containers"), conformance("sidecars")]),
  yes("nodeName", "not applicable", unit("server/http/app"), "this node's name is the only one that runs"),
  notApplicable("nodeSelector"),
  yes("os", "no", unit("manifest/admit"), "linux only"),
  yes("overhead", "no", conformance("runtime-class", "should be initialized from the RuntimeClass")),
  notApplicable("preemptionPolicy"),
  yes("priority", "no", conformance("quota", "the priority of a class"), "nothing is preempted"),
  yes("priorityClassName", "no", conformance("quota", "the priority of a class"), "nothing is preempted"),
  yes("readinessGates", "no", conformance("probes", "a readiness gate must be set to True by somebody else")),
  refused("resourceClaims", "no"),
  yes("resources", "no", [
    node("configuration", "a pod that is limited as a whole"),
    unit("runtime/sandbox/pod-cgroup"),
  ]),
  yes("restartPolicy", "yes", [unit("node/plan"), conformance("container-runtime")]),
  yes(
    "runtimeClassName",
    "no",
    conformance("runtime-class"),
    "handlers crun and runc, and the node's --runtime",
  ),
  notApplicable("schedulerName"),
  yes("schedulingGates", "no", conformance("pods", "scheduling gates hold a pod back until they are gone")),
  notApplicable("schedulingGroup"),
  yes("serviceAccount", "no", conformance("service-accounts")),
  yes("serviceAccountName", "no", conformance("service-accounts")),
  yes("setHostnameAsFQDN", "no", conformance("kubelet", "qualified")),
  yes(
    "shareProcessNamespace",
    "yes",
    node("runtime", "ends every process of the container in a shared PID namespace"),
  ),
  yes("subdomain", "no", conformance("services", "names of pods")),
  yes("terminationGracePeriodSeconds", "yes", node("runtime", "kills what ignores the signal")),
  notApplicable("tolerations"),
  notApplicable("topologySpreadConstraints"),
];

const podSecurity: readonly Row[] = [
  yes("securityContext.appArmorProfile", "no", appArmor, noDefaultAppArmor),
  yes("securityContext.fsGroup", "no", [
    conformance("security-context", "fsGroup owns an emptyDir"),
    conformance("secret"),
    node("configuration", "are bound on first use"),
  ]),
  yes("securityContext.fsGroupChangePolicy", "no", unit("volumes/ownership")),
  yes("securityContext.runAsGroup", "yes", conformance("security-context", "RunAsGroup")),
  yes("securityContext.runAsNonRoot", "no", conformance("security-context", "runAsNonRoot with")),
  yes("securityContext.runAsUser", "yes", conformance("security-context", "RunAsUser")),
  warned("securityContext.seLinuxChangePolicy", "no"),
  refused("securityContext.seLinuxOptions", "yes"),
  yes(
    "securityContext.seccompProfile",
    "no",
    conformance("security-context", "a seccomp profile of the node's own folder"),
  ),
  yes(
    "securityContext.supplementalGroups",
    "yes",
    conformance("security-context", "supplemental groups are merged"),
  ),
  yes(
    "securityContext.supplementalGroupsPolicy",
    "no",
    conformance("security-context", "supplemental groups alone when strict"),
  ),
  yes("securityContext.sysctls", "yes", conformance("sysctls")),
  refused("securityContext.windowsOptions", "no"),
];

const containers: readonly Row[] = [
  yes(`${container}.args`, "yes", [unit("node/container-config"), conformance("variable-expansion")]),
  yes(`${container}.command`, "yes", [unit("node/container-config"), conformance("variable-expansion")]),
  yes(`${container}.env`, "partly", conformance("variable-expansion", "should allow composing env vars")),
  yes(
    `${container}.env[].valueFrom.configMapKeyRef`,
    "yes",
    conformance("config-map", "should be consumable via environment variable"),
  ),
  yes(
    `${container}.env[].valueFrom.fieldRef`,
    "partly",
    conformance("downward-api", "should provide pod name, namespace and IP address as env vars"),
  ),
  yes(
    `${container}.env[].valueFrom.fileKeyRef`,
    "no",
    conformance("variable-expansion", "variables of a file in a volume"),
  ),
  yes(
    `${container}.env[].valueFrom.resourceFieldRef`,
    "partly",
    conformance("downward-api", "should provide default limits.cpu/memory from node allocatable"),
  ),
  yes(
    `${container}.env[].valueFrom.secretKeyRef`,
    "yes",
    conformance("secret", "should be consumable from pods in env vars"),
  ),
  yes(`${container}.envFrom`, "yes", [
    conformance("config-map", "should be consumable via the environment"),
    conformance("secret"),
  ]),
  yes(`${container}.envFrom[].prefix`, "no", conformance("config-map", "various prefixes")),
  yes(`${container}.image`, "yes", node("images")),
  yes(`${container}.imagePullPolicy`, "yes", node("images", "pull policies")),
  yes(`${container}.lifecycle.postStart`, "no", conformance("hooks")),
  yes(`${container}.lifecycle.preStop`, "no", conformance("hooks")),
  yes(`${container}.lifecycle.stopSignal`, "yes", conformance("hooks")),
  yes(`${container}.livenessProbe`, "partly", conformance("probes")),
  yes(`${container}.livenessProbe.grpc`, "no", conformance("probes", "GRPC liveness probe")),
  yes(`${container}.name`, "yes", unit("manifest/admit")),
  yes(`${container}.ports`, "yes", node("network", "a host port is reached")),
  yes(
    `${container}.readinessProbe`,
    "no",
    conformance("probes", "with readiness probe should not be ready before initial delay"),
  ),
  yes(`${container}.resizePolicy`, "no", conformance("resize", "restarts a container for the resource")),
  refused(`${container}.resources.claims`, "no"),
  yes(
    `${container}.resources.limits`,
    "partly",
    [
      node("configuration", "the pod's cgroup has the sums"),
      unit("runtime/spec/resources"),
      unit("node/ephemeral-storage"),
      conformance("huge-pages"),
    ],
    "cpu, memory, ephemeral-storage, huge pages; devices are refused",
  ),
  yes(`${container}.resources.requests`, "partly", [
    node("configuration", "the pod's cgroup has the sums"),
    unit("runtime/spec/resources"),
  ]),
  yes(`${container}.restartPolicy`, "no", [conformance("sidecars"), conformance("container-runtime")]),
  yes(
    `${container}.restartPolicyRules`,
    "no",
    conformance("init-containers", "an exit code that a rule names"),
  ),
  yes(
    `${container}.startupProbe`,
    "partly",
    conformance("probes", "holds the other probes back until it succeeds"),
  ),
  yes(`${container}.stdin`, "no", conformance("streams")),
  yes(`${container}.stdinOnce`, "no", conformance("streams")),
  yes(`${container}.terminationMessagePath`, "no", conformance("termination-message", "non-default path")),
  yes(`${container}.terminationMessagePolicy`, "no", conformance("termination-message")),
  yes(`${container}.tty`, "partly", conformance("streams", "terminal")),
  refused(`${container}.volumeDevices`, "no"),
  yes(`${container}.volumeMounts`, "yes", conformance("empty-dir")),
  yes(`${container}.volumeMounts[].mountPropagation`, "yes", unit("runtime/spec/mounts")),
  yes(`${container}.volumeMounts[].readOnly`, "yes", node("runtime", "a volume is read-only")),
  yes(`${container}.volumeMounts[].recursiveReadOnly`, "no", [
    node("runtime", "a volume is read-only"),
    unit("runtime/spec/mounts"),
  ]),
  yes(`${container}.volumeMounts[].subPath`, "yes", conformance("subpath")),
  yes(
    `${container}.volumeMounts[].subPathExpr`,
    "no",
    conformance("variable-expansion", "should allow substituting values in a volume subpath"),
  ),
  yes(`${container}.workingDir`, "yes", conformance("kubelet", "workingDir is where the command runs")),
];

const containerSecurity: readonly Row[] = [
  yes(
    `${container}.securityContext.allowPrivilegeEscalation`,
    "yes",
    conformance("security-context", "AllowPrivilegeEscalation"),
  ),
  yes(`${container}.securityContext.appArmorProfile`, "no", appArmor, noDefaultAppArmor),
  yes(
    `${container}.securityContext.capabilities`,
    "yes",
    conformance("security-context", "capabilities dropped and added"),
  ),
  yes(
    `${container}.securityContext.privileged`,
    "yes",
    conformance("security-context", "privileged sees every device"),
  ),
  yes(`${container}.securityContext.procMount`, "yes", [
    conformance("security-context", "kernel files are masked"),
    conformance("user-namespaces", "procMount: Unmasked shows all of /proc"),
  ]),
  yes(
    `${container}.securityContext.readOnlyRootFilesystem`,
    "yes",
    conformance("kubelet", "should not write to root filesystem"),
  ),
  yes(`${container}.securityContext.runAsGroup`, "yes", conformance("security-context", "RunAsGroup")),
  yes(
    `${container}.securityContext.runAsNonRoot`,
    "no",
    conformance("security-context", "runAsNonRoot with"),
  ),
  yes(`${container}.securityContext.runAsUser`, "yes", [
    conformance("security-context", "uid 65534"),
    runtime,
  ]),
  refused(`${container}.securityContext.seLinuxOptions`, "yes"),
  yes(
    `${container}.securityContext.seccompProfile`,
    "no",
    conformance("security-context", "a seccomp profile of the node's own folder"),
  ),
  refused(`${container}.securityContext.windowsOptions`, "no"),
];

const elsewhere = [
  "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk gitRepo",
  "glusterfs iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume",
].flatMap((line) => line.split(" "));

const volumes: readonly Row[] = [
  yes("volumes[].name", "yes", unit("manifest/admit")),
  yes("volumes[].configMap", "partly", conformance("config-map")),
  yes("volumes[].downwardAPI", "error", conformance("downward-api")),
  yes("volumes[].emptyDir", "partly", [
    conformance("empty-dir"),
    conformance("huge-pages"),
    node("volumes", "emptyDir"),
  ]),
  yes("volumes[].emptyDir.sizeLimit", "no", node("volumes", "use of a limited folder is measured")),
  yes(
    "volumes[].ephemeral",
    "error",
    node("configuration", "of an ephemeral volume come and go with the pod"),
  ),
  yes("volumes[].hostPath", "yes", node("volumes", "hostPath")),
  yes("volumes[].image", "yes", conformance("kubelet", "should succeed with pod and pull policy of Always")),
  yes(
    "volumes[].persistentVolumeClaim",
    "yes",
    node("configuration", "are bound on first use"),
    "a folder of this machine; its size is not enforced",
  ),
  yes("volumes[].projected", "error", conformance("projected")),
  refused("volumes[].projected.sources[].clusterTrustBundle", "error"),
  refused("volumes[].projected.sources[].podCertificate", "error"),
  yes(
    "volumes[].projected.sources[].serviceAccountToken",
    "error",
    conformance("projected", "should mount projected service account token"),
  ),
  yes("volumes[].secret", "partly", conformance("secret")),
  ...elsewhere.map((type) => refused(`volumes[].${type}`, "error")),
];

/** Every row, in the order in which the table shows them. */
export const rows: readonly Row[] = [...pod, ...podSecurity, ...volumes, ...containers, ...containerSecurity];
