import { isLatestImage } from "../kube/image-name.ts";
import type { Container, Pod, PodSpec, Probe, Volume } from "../kube/types.ts";

type HTTPGet = NonNullable<Probe["httpGet"]>;
type LifecycleHandler = NonNullable<NonNullable<Container["lifecycle"]>["preStop"]>;

const defaultGraceSeconds = 30;
const defaultFileMode = 0o644;
const defaultTokenSeconds = 3600;

/**
 * Fills in what the API server fills in when a Pod is created, in place; a second call changes nothing.
 * Rules: SetDefaults_* of https://pkg.go.dev/k8s.io/kubernetes/pkg/apis/core/v1.
 */
export function defaultPod(pod: Pod): void {
  const spec = pod.spec;
  if (spec === undefined) return;
  spec.enableServiceLinks ??= true;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.restartPolicy ??= "Always";
  spec.securityContext ??= {};
  spec.schedulerName ??= "default-scheduler";
  spec.terminationGracePeriodSeconds ??= defaultGraceSeconds;
  // The API server reads a negative period as the shortest one that still is a grace period.
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  mirrorServiceAccount(spec);
  if (spec.resources?.limits !== undefined) {
    spec.resources.requests = { ...spec.resources.limits, ...spec.resources.requests };
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec;
  for (const container of [...initContainers, ...containers, ...ephemeralContainers]) {
    defaultContainer(container, spec.hostNetwork === true);
  }
}

/** `serviceAccount` is the old name of `serviceAccountName`; the API keeps both equal. */
function mirrorServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName ?? spec.serviceAccount;
  if (name === undefined) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

function defaultContainer(container: Container, hostNetwork: boolean): void {
  container.imagePullPolicy ??= isLatestImage(container.image ?? "") ? "Always" : "IfNotPresent";
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  const { limits } = container.resources;
  if (limits !== undefined) container.resources.requests = { ...limits, ...container.resources.requests };
  for (const port of container.ports ?? []) {
    port.protocol ??= "TCP";
    if (hostNetwork && !port.hostPort) port.hostPort = port.containerPort;
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ??= "v1";
    if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= "0";
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

/** Zero means "not set" for all of these. */
function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet !== undefined) defaultHTTPGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}

function defaultHandler(handler: LifecycleHandler | undefined): void {
  if (handler?.httpGet !== undefined) defaultHTTPGet(handler.httpGet);
}

function defaultHTTPGet(action: HTTPGet): void {
  action.path ||= "/";
  action.scheme ??= "HTTP";
}

/** A volume that names no source is an empty directory. */
function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((field) => field === "name")) volume.emptyDir = {};
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "" as never;
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) {
    if (source !== undefined) source.defaultMode ??= defaultFileMode;
  }
  const projections = volume.projected?.sources ?? [];
  for (const item of [volume.downwardAPI, ...projections.map(({ downwardAPI }) => downwardAPI)]) {
    for (const { fieldRef, resourceFieldRef } of item?.items ?? []) {
      if (fieldRef !== undefined) fieldRef.apiVersion ??= "v1";
      if (resourceFieldRef !== undefined) resourceFieldRef.divisor ??= "0";
    }
  }
  for (const { serviceAccountToken } of projections) {
    if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= defaultTokenSeconds;
  }
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim !== undefined) claim.volumeMode ??= "Filesystem";
}
