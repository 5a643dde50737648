/**
 * One behaviour that Kubernetes' conformance suite names
 * (https://github.com/kubernetes/kubernetes/blob/master/test/conformance/testdata/conformance.yaml), and the test of
 * ours that asks for it: `FILE: TITLE`, the title whole or in part. Or why there is none.
 */
export interface Behaviour {
  readonly name: string;
  readonly proof?: string;
  readonly missing?: string;
}

/** Behaviours of one subject. `core`: needs a node, pods and kubectl only. */
export interface Theme {
  readonly name: string;
  readonly scope: "core" | "beyond";
  readonly behaviours: readonly Behaviour[];
}

/** A name whose test has the same title, a name and its test's title, or a name and why it has no test. */
type Entry =
  | string
  | readonly [name: string, title: string]
  | { readonly name: string; readonly missing: string };

const theme = (name: string, scope: Theme["scope"], file: string, entries: readonly Entry[]): Theme => ({
  name,
  scope,
  behaviours: entries.map((entry) => {
    if (typeof entry === "string") return { name: entry, proof: `${pathOf(file)}: ${entry}` };
    if ("missing" in entry) return entry;
    const [behaviour, title] = entry;
    return { name: behaviour, proof: title.includes(".ts: ") ? title : `${pathOf(file)}: ${title}` };
  }),
});

const pathOf = (file: string) => `test/conformance/${file}.test.ts`;
const helper = (file: string, title: string) => `test/conformance/${file}.ts: ${title}`;

/** What volumes of keys are asked for, whichever kind they come from; every source runs the same table. */
const keyed = (title: string): [string, string] => [title, helper("file-volumes", title)];
const modeOfItem = (name: string): [string, string] => [
  name,
  helper("file-volumes", "should be consumable from pods in volume with mappings and Item mode set"),
];
const volumeOfConfigMap: readonly Entry[] = [
  keyed("should be consumable from pods in volume"),
  keyed("should be consumable from pods in volume as non-root"),
  keyed("should be consumable from pods in volume with defaultMode set"),
  keyed("should be consumable from pods in volume with mappings"),
  modeOfItem("should be consumable from pods in volume with mappings and Item mode set"),
  keyed("should be consumable from pods in volume with mappings as non-root"),
];
const volumeOfSecret: readonly Entry[] = [
  keyed("should be consumable from pods in volume"),
  keyed("should be consumable from pods in volume as non-root with defaultMode and fsGroup set"),
  keyed("should be consumable from pods in volume with defaultMode set"),
  keyed("should be consumable from pods in volume with mappings"),
  modeOfItem("should be consumable from pods in volume with mappings and Item Mode set"),
];
const downward: readonly Entry[] = [
  "should provide container's cpu limit",
  "should provide container's cpu request",
  "should provide container's memory limit",
  "should provide container's memory request",
  "should provide node allocatable (cpu) as default cpu limit if the limit is not set",
  "should provide node allocatable (memory) as default memory limit if the limit is not set",
  "should provide podname only",
  "should set DefaultMode on files",
  "should set mode on item file",
  "should update annotations on modification",
  "should update labels on modification",
].map((title) => [title, helper("downward-volumes", title)] as const);
const emptyDirs = ["default", "tmpfs"].flatMap((medium) =>
  ["root", "non-root"].flatMap((user) =>
    ["0644", "0666", "0777"].map(
      (mode) =>
        [`should support (${user},${mode},${medium})`, "should support ($user,$mode,$medium)"] as const,
    ),
  ),
);

const changedType = "src/server/resources/kinds.test.ts: a Service of another type has what that type has";

export const themes: readonly Theme[] = [
  theme("[sig-node] Pods", "core", "pods", [
    "should allow activeDeadlineSeconds to be updated",
    "should be submitted and removed",
    "should be updated",
    "should delete a collection of pods",
    "should get a host IP",
    "should patch a pod status",
    "should run through the lifecycle of Pods and PodStatus",
    "should support remote command execution over websockets",
    "should support retrieving logs from the container over websockets",
    [
      "should contain environment variables for services",
      `${pathOf("services")}: variables of Services: those of the namespace, and kubernetes always`,
    ],
  ]),
  theme("[sig-node] Pods Extended", "core", "pods", [
    "Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu",
    "Pod Generation custom-set generation on new pods and graceful delete",
    "Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge",
    "Pod Generation pod generation should start at 1 and increment per update",
  ]),
  theme("[sig-node] InitContainer", "core", "init-containers", [
    "should invoke init containers on a RestartAlways pod",
    "should invoke init containers on a RestartNever pod",
    "should not start app containers and fail the pod if init containers fail on a RestartNever pod",
    "should not start app containers if init containers fail on a RestartAlways pod",
  ]),
  theme("[sig-node] Probing container", "core", "probes", [
    "should *not* be restarted with a /healthz http liveness probe",
    "should *not* be restarted with a GRPC liveness probe",
    'should *not* be restarted with a exec "cat /tmp/health" liveness probe',
    "should *not* be restarted with a tcp:8080 liveness probe",
    "should be restarted with a /healthz http liveness probe",
    "should be restarted with a GRPC liveness probe",
    'should be restarted with a exec "cat /tmp/health" liveness probe',
    "should have monotonically increasing restart count",
    "with readiness probe should not be ready before initial delay and never restart",
    "with readiness probe that fails should never be ready and never restart",
  ]),
  theme("[sig-node] Container Lifecycle Hook", "core", "hooks", [
    "should execute poststart exec hook properly",
    "should execute poststart http hook properly",
    "should execute prestop exec hook properly",
    "should execute prestop http hook properly",
  ]),
  theme("[sig-node] PreStop", "core", "hooks", ["should call prestop when killing a pod"]),
  theme("[sig-node] Container Runtime", "core", "termination-message", [
    "should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set",
    "should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set",
    "should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set",
    "should report termination message if TerminationMessagePath is set as non-root user and at a non-default path",
    [
      "when starting a container that exits should run with the expected status",
      `${pathOf("container-runtime")}: should run with the expected status`,
    ],
  ]),
  theme("[sig-node] Containers", "core", "containers", [
    "should be able to override the image's default arguments (container cmd)",
    "should be able to override the image's default command (container entrypoint)",
    "should be able to override the image's default command and arguments",
    "should use the image defaults if command and args are blank",
  ]),
  theme("[sig-node] Downward API", "core", "downward-api", [
    "should provide container's limits.cpu/memory and requests.cpu/memory as env vars",
    "should provide default limits.cpu/memory from node allocatable",
    "should provide host IP as an env var",
    ["should provide hostIPs as an env var", "should provide hostIP and hostIPs as an env var"],
    "should provide pod UID as env vars",
    "should provide pod name, namespace and IP address as env vars",
  ]),
  theme("[sig-node] Ephemeral Containers", "core", "ephemeral-containers", [
    "will start an ephemeral container in an existing pod",
    "should update the ephemeral containers in an existing pod",
  ]),
  theme("[sig-node] ImageVolume", "core", "kubelet", ["should succeed with pod and pull policy of Always"]),
  theme("[sig-node] Kubelet", "core", "kubelet", [
    "when scheduling a busybox command in a pod should print the output to logs",
    "when scheduling a busybox command that always fails in a pod should be possible to delete",
    "when scheduling a busybox command that always fails in a pod should have an terminated reason",
    "when scheduling a read only busybox container should not write to root filesystem",
    "when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts",
  ]),
  theme("[sig-node] KubeletManagedEtcHosts", "core", "kubelet", [
    "should test kubelet managed /etc/hosts file",
  ]),
  theme("[sig-node] Pod InPlace Resize", "core", "resize", [
    "burstable: 6 containers - various operations",
    "burstable: resize with equivalents",
    "guaranteed: 3 containers - net increase",
    "guaranteed: 3 containers - net decrease",
    "guaranteed: 3 containers - increase CPU (c1,c3), memory (c2,c3)",
    "resize pod via the replace endpoint",
  ]),
  theme("[sig-node] Security Context", "core", "security-context", [
    "When creating a container with runAsUser should run the container with uid 65534",
    "When creating a pod with privileged should run the container as unprivileged when false",
    "When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false",
    "should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup",
    "should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup",
    "when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false",
  ]),
  theme("[sig-node] Sysctls", "core", "sysctls", ["should reject invalid sysctls", "should support sysctls"]),
  theme("[sig-node] Variable Expansion", "core", "variable-expansion", [
    "should allow composing env vars into new env vars",
    "should allow substituting values in a container's args",
    "should allow substituting values in a container's command",
    "should allow substituting values in a volume subpath",
    "should fail substituting values in a volume subpath with absolute path",
    "should fail substituting values in a volume subpath with backticks",
    "should succeed in writing subpaths in container",
    "should verify that a failing subpath expansion can be modified during the lifecycle of a container",
  ]),
  theme("[sig-node] ConfigMap", "core", "config-map", [
    "should be consumable as environment variable names with various prefixes",
    "should be consumable via environment variable",
    "should be consumable via the environment",
    "should fail to create ConfigMap with empty key",
    "should run through a ConfigMap lifecycle",
    "should update ConfigMap successfully",
  ]),
  theme("[sig-node] Secrets", "core", "secret", [
    "should be consumable as environment variable names with various prefixes",
    "should be consumable from pods in env vars",
    "should be consumable via the environment",
    "should fail to create secret due to empty secret key",
    "should patch a secret",
  ]),
  theme("[sig-storage] EmptyDir volumes", "core", "empty-dir", [
    "pod should support shared volumes between containers",
    ...emptyDirs,
    [
      "volume on default medium should have the correct mode",
      "volume on %s medium should have the correct mode",
    ],
    ["volume on tmpfs should have the correct mode", "volume on %s medium should have the correct mode"],
  ]),
  theme("[sig-storage] EmptyDir wrapper volumes", "core", "empty-dir", [
    "should not cause race condition when used for configmaps",
    "should not conflict",
  ]),
  theme("[sig-storage] ConfigMap", "core", "config-map", [
    "binary data should be reflected in volume",
    "optional updates should be reflected in volume",
    ...volumeOfConfigMap,
    "should be consumable in multiple volumes in the same pod",
    "should be immutable if `immutable` field is set",
    "updates should be reflected in volume",
  ]),
  theme("[sig-storage] Downward API volume", "core", "downward-api", downward),
  theme("[sig-storage] Secrets", "core", "secret", [
    "optional updates should be reflected in volume",
    "should be able to mount in a volume regardless of a different secret existing with same name in different namespace",
    ...volumeOfSecret,
    "should be consumable in multiple volumes in a pod",
    "should be immutable if `immutable` field is set",
  ]),
  theme("[sig-storage] Projected combined", "core", "projected", [
    "should project all components that make up the projection API",
  ]),
  theme("[sig-storage] Projected configMap", "core", "projected", [
    "optional updates should be reflected in volume",
    ...volumeOfConfigMap,
    "should be consumable in multiple volumes in the same pod",
    "updates should be reflected in volume",
  ]),
  theme("[sig-storage] Projected downwardAPI", "core", "downward-api", downward),
  theme("[sig-storage] Projected secret", "core", "projected", [
    "optional updates should be reflected in volume",
    ...volumeOfSecret,
    "should be consumable in multiple volumes in a pod",
  ]),
  theme("[sig-storage] Subpath Atomic writer volumes", "core", "subpath", [
    "should support subpaths with configmap pod",
    "should support subpaths with configmap pod with mountPath of existing file",
    "should support subpaths with downward pod",
    "should support subpaths with projected pod",
    "should support subpaths with secret pod",
  ]),
  theme("[sig-cli] Kubectl client", "core", "kubectl", [
    ["api-versions should check if v1 is in available api versions", "version, cluster-info, api-versions"],
    [
      "cluster-info should check if Kubernetes control plane services is included in cluster-info",
      "cluster-info",
    ],
    ["label should update the label on a resource", "label, annotate and three kinds of patch"],
    ["logs should be able to retrieve and filter logs", "logs and exec"],
    ["replace should update a single-container pod's image", "replace --force makes it anew"],
    [
      "run pod should create a pod from an image when restart is Never",
      "run --restart=Never runs to its end",
    ],
    [
      "server-side dry-run should check if kubectl can dry-run update Pods",
      "with --validate=warn an unknown field is only warned of, and dry runs write nothing",
    ],
    [
      "Proxy server should support proxy with --port 0",
      `${pathOf("kubectl-cluster")}: the proxy, on a port and on a Unix socket`,
    ],
    [
      "Proxy server should support --unix-socket=/path",
      `${pathOf("kubectl-cluster")}: the proxy, on a port and on a Unix socket`,
    ],
    ["version should check is all data is printed", "version, cluster-info, api-versions"],
  ]),
  theme("[sig-cli] Kubectl client, with controllers and Services", "beyond", "kubectl-controllers", [
    [
      "Update Demo should create and stop a replication controller",
      "should create and stop a replication controller",
    ],
    ["Update Demo should scale a replication controller", "should scale a replication controller"],
    [
      "describe should check if kubectl describe prints relevant information for rc and pods",
      "kubectl describe prints relevant information for rc and pods",
    ],
    ["expose should create services for rc", "expose should create services for rc"],
    ["patch should add annotations for pods in rc", "patch should add annotations for pods in rc"],
    [
      "diff should check if kubectl diff finds a difference for Deployments",
      "diff finds a difference for Deployments",
    ],
    [
      "Guestbook application should create and stop a working application",
      "Guestbook application should create and stop a working application",
    ],
  ]),
  theme("[sig-network] of pods", "beyond", "pod-network", [
    "Granular Checks: should function for intra-pod communication: http",
    "Granular Checks: should function for intra-pod communication: udp",
    "Granular Checks: should function for node-pod communication: http",
    "Granular Checks: should function for node-pod communication: udp",
    "validates that there is no conflict between pods with same hostPort but different hostIP and protocol",
    "should support configurable pod DNS nameservers",
    "version v1 A set of valid responses are returned for both pod and service Proxy",
    [
      "version v1 A set of valid responses are returned for both pod and service ProxyWithPath",
      "A set of valid responses are returned for both pod and service Proxy",
    ],
    "version v1 should proxy through a service and a pod",
  ]),
  theme("[sig-network] DNS", "beyond", "services", [
    ["should provide DNS for the cluster", "the API is behind the Service kubernetes"],
    ["should provide DNS for services", "ports as SRV, addresses as PTR"],
    ["should resolve DNS of partial qualified names for services", "kubectl expose"],
    ["should provide DNS for pods for Hostname", "names of pods"],
    ["should provide DNS for pods for Subdomain", "names of pods"],
    ["should provide DNS for ExternalName services", "an outside name as CNAME"],
  ]),
  theme("[sig-network] Services", "beyond", "services", [
    ["should provide secure master service", "the API is behind the Service kubernetes"],
    ["should serve a basic endpoint from pods", "its pods share the connections"],
    [
      "should be able to create a functioning NodePort service",
      "a NodePort is there on the host's addresses",
    ],
    [
      "should have session affinity work for service with type clusterIP",
      "the same client at the same pod with sessionAffinity",
    ],
    ["should be able to change the type from ExternalName to ClusterIP", changedType],
    ["should be able to change the type from ClusterIP to ExternalName", changedType],
  ]),
  theme("[sig-network] EndpointSlice", "beyond", "services", [
    [
      "should create Endpoints and EndpointSlices for Pods matching a Service",
      "its pods share the connections",
    ],
    [
      "should have Endpoints and EndpointSlices pointing to API Server",
      "the API is behind the Service kubernetes",
    ],
    [
      "EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete",
      "without selector it leads where Endpoints or EndpointSlices of somebody say",
    ],
  ]),
  theme("[sig-auth] ServiceAccounts", "beyond", "service-accounts", [
    "should mount an API token into pods",
    "should allow opting out of API token automount",
    [
      "should mount projected service account token",
      "test/conformance/projected.test.ts: should mount projected service account token",
    ],
    "should guarantee kube-root-ca.crt exist in any namespace",
    "should update a ServiceAccount",
    "should run through the lifecycle of a ServiceAccount",
    "ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer",
  ]),
  theme("[sig-auth] SubjectReview", "beyond", "authorization", [
    [
      "should support SubjectReview API operations",
      "SubjectReview should support SubjectReview API operations",
    ],
  ]),
  theme("[sig-node] RuntimeClass", "beyond", "runtime-class", [
    "should reject a Pod requesting a deleted RuntimeClass",
    "should reject a Pod requesting a non-existent RuntimeClass",
    [
      "should schedule a Pod requesting a RuntimeClass and initialize its Overhead",
      "should be initialized from the RuntimeClass and counted into the pod's limits",
    ],
    [
      "should schedule a Pod requesting a RuntimeClass without PodOverhead",
      "should run a Pod requesting a RuntimeClass with a configured handler",
    ],
    [
      "should support RuntimeClasses API operations",
      `${pathOf("api-machinery")}: RuntimeClass should support RuntimeClasses API operations`,
    ],
  ]),
  theme("[sig-node] Lease, Node and Taints", "beyond", "api-machinery", [
    "Lease lease API should be available",
    { name: "Node should run through the lifecycle of a node", missing: "this machine is the only node" },
    { name: "NoExecuteTaintManager evicts pods", missing: "taints do not evict: there is no other node" },
  ]),
  theme("[sig-instrumentation] Events", "beyond", "api-machinery", [
    "Events should manage the lifecycle of an event",
    "Events should delete a collection of events",
    "Events API should ensure that an event can be fetched, patched, deleted, and listed",
    "Events API should delete a collection of events",
  ]),
  theme("[sig-api-machinery] what kubectl needs", "beyond", "api-machinery", [
    "should be able to restart watching from the last resource version observed by the previous watch",
    "should be able to start watching from a specific resource version",
    "should observe add, update, and delete watch notifications on configmaps",
    "should observe an object deletion if it stops meeting the requirements of the selector",
    "should receive events on concurrent watches in same order",
    "should return chunks of results for list calls",
    "should find the server version",
    "should validate PreferredVersion for each APIGroup",
    "should locate the groupVersion and a resource within each APIGroup",
    "should detect unknown and duplicate fields of a typed object",
    "should detect unknown metadata fields of a typed object",
    "should not be blocked by dependency circle",
    "should ensure that all pods are removed when a namespace is deleted",
    "OrderedNamespaceDeletion namespace deletion should delete pod first",
    [
      "should return a 406 for a backend which does not implement metadata",
      "test/conformance/authorization.test.ts: should return a 406 for a backend which does not implement metadata",
    ],
  ]),
  theme("[sig-apps] ReplicaSet, Deployment, StatefulSet, DaemonSet", "beyond", "workloads", [
    [
      "ReplicaSet should adopt matching pods on creation and release no longer matching pods",
      "keeps as many pods as it is told, adopts one that it selects, and replaces one that is deleted",
    ],
    [
      "Deployment RollingUpdateDeployment should delete old pods and create new ones",
      "rolls out, back and on again, with its history",
    ],
    [
      "Deployment RecreateDeployment should delete old pods and create new ones",
      "Recreate: no old pod runs beside a new one",
    ],
    [
      "StatefulSet should perform rolling updates and roll backs of template modifications",
      "rolls out from the last pod to the first, and only above the partition",
    ],
    [
      "StatefulSet should perform canary updates and phased rolling updates of template modifications",
      "rolls out from the last pod to the first, and only above the partition",
    ],
    [
      "StatefulSet Burst scaling should run to completion even with unhealthy pods",
      "Parallel: does not wait for one before it makes the next",
    ],
    [
      "DaemonSet should update pod when spec was updated and update strategy is RollingUpdate",
      "has one pod on the one node, of the newest template, and history",
    ],
    ["DaemonSet should run and stop complex daemon", "has none where the node is not meant"],
  ]),
  theme("[sig-apps] Job and CronJob", "beyond", "workloads", [
    [
      "Job should run a job to completion when tasks sometimes fail and are locally restarted",
      "OnFailure: the container is restarted in its pod",
    ],
    [
      "Job should create pods for an Indexed job with completion indexes and specified hostname",
      "Indexed: every pod knows its number",
    ],
    [
      "CronJob should not schedule jobs when suspended",
      "runs by itself when its time has come, and not while it is suspended",
    ],
  ]),
  theme("[sig-node] PodTemplates", "beyond", "pods", [
    "should delete a collection of pod templates",
    "should replace a pod template",
    "should run the lifecycle of PodTemplates",
  ]),
  theme("[sig-node] Dynamic resource allocation", "beyond", "pods", [
    {
      name: "DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice",
      missing: "no device drivers on one machine",
    },
  ]),
];
