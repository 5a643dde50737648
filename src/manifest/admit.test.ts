import { describe, expect, test } from "vitest";
import { admitObject, admitPod } from "./admit.ts";

const container = { name: "a", image: "busybox:1" };

function lines(problems: readonly { field: string; message: string; severity: string }[]): string[] {
  return problems.map(({ field, message, severity }) => `${severity} ${field}: ${message}`);
}

/** All that is said of a pod with that spec, beside one good container. */
function ofSpec(spec: object): string[] {
  return lines(admitPod({ metadata: { name: "p" }, spec: { containers: [container], ...spec } }).problems);
}

function ofContainer(fields: object): string[] {
  return ofSpec({ containers: [{ ...container, ...fields }] }).map((line) =>
    line.replace("spec.containers[0].", ""),
  );
}

test("a good pod comes out defaulted, and the caller's stays as it was", () => {
  const value = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [container] } };
  const before = structuredClone(value);
  const { pod, problems } = admitPod(value);
  expect(problems).toEqual([]);
  expect(pod.spec.restartPolicy).toBe("Always");
  expect(pod.spec.containers[0]?.imagePullPolicy).toBe("IfNotPresent");
  expect(value).toEqual(before);
});

test("a pod that was admitted is admitted again, unchanged", () => {
  const { pod } = admitPod({ metadata: { name: "p" }, spec: { containers: [container] } });
  expect(admitPod(pod)).toEqual({ pod, problems: [] });
});

test.each([null, undefined, 5, "pod", [], {}, { spec: null }, { spec: { containers: [null] } }])(
  "%j is refused without a crash",
  (value) => {
    expect(admitPod(value).problems.some(({ severity }) => severity === "error")).toBe(true);
  },
);

test("a field of the wrong type is one problem, not two", () => {
  expect(lines(admitPod({ metadata: { name: "p" }, spec: { containers: "x" } }).problems)).toEqual([
    'error spec.containers: Invalid value: "x": expected list, got string',
  ]);
});

test("problems come in the order of the fields", () => {
  const { problems } = admitPod({
    spec: { restartPolicy: "x", containers: [] },
    metadata: { name: "X", y: 1 },
  });
  expect(problems.map(({ field }) => field)).toEqual([
    "spec.restartPolicy",
    "spec.containers",
    "metadata.name",
    "metadata.y",
  ]);
});

describe("pods that Kubernetes refuses", () => {
  test.each<[object, string]>([
    [
      { hostPID: true, shareProcessNamespace: true },
      "error spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
    ],
    [
      { ephemeralContainers: [{ name: "debug", image: "x" }] },
      "error spec.ephemeralContainers: Forbidden: cannot be set on create",
    ],
    [
      { tolerations: [{ value: "x" }] },
      'error spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
    [
      { dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"] } },
      'error spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
    ],
    [
      { volumes: [{ name: "v", emptyDir: { sizeLimit: "-1" } }] },
      "error spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
    ],
    [
      { volumes: [{ name: "v", emptyDir: { medium: "memory" } }] },
      'error spec.volumes[0].emptyDir.medium: Unsupported value: "memory": supported values: "", "HugePages", "Memory", did you mean "Memory"?',
    ],
    [
      {
        securityContext: {
          sysctls: [
            { name: "a", value: "1" },
            { name: "a", value: "2" },
          ],
        },
      },
      'error spec.securityContext.sysctls[1].name: Duplicate value: "a"',
    ],
    [
      { securityContext: { supplementalGroups: [-1] } },
      "error spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ],
  ])("%j", (spec, expected) => {
    expect(ofSpec(spec)).toContain(expected);
  });

  test.each<[object, string]>([
    [{ image: " x" }, 'error image: Invalid value: " x": must not have leading or trailing whitespace'],
    [
      { imagePullPolicy: "always" },
      'error imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never", did you mean "Always"?',
    ],
    [
      { terminationMessagePolicy: "Log" },
      "error terminationMessagePolicy: Invalid value: \"Log\": must be 'File' or 'FallbackToLogsOnError'",
    ],
    [
      { ports: [{ containerPort: 80, hostIP: "x" }] },
      'error ports[0].hostIP: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      { resources: { limits: { "example.com/gpu": "500m" } } },
      'error resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
    ],
    [
      { resources: { requests: { "example.com/gpu": 1 } } },
      "error resources.limits: Required value: Limit must be set for non overcommitable resources",
    ],
    [
      { resources: { limits: { "hugepages-2Mi": "4Mi" } } },
      "error resources: Forbidden: HugePages require cpu or memory",
    ],
    [
      { securityContext: { procMount: "Unmasked" } },
      'error securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
    ],
    [
      { securityContext: { seccompProfile: {} } },
      "error securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set",
    ],
    [
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      "error lifecycle.preStop.sleep.seconds: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
    ],
    [{ readinessProbe: {} }, "error readinessProbe: Required value: must specify a handler type"],
  ])("a container with %j", (fields, expected) => {
    expect(ofContainer(fields)).toContain(expected);
  });

  test("two containers want one port of the host, on one network", () => {
    const ports = [{ containerPort: 80 }];
    const containers = [
      { ...container, ports },
      { ...container, name: "b", ports },
    ];
    expect(ofSpec({ containers, hostNetwork: true })).toEqual([
      'error spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"',
    ]);
    expect(ofSpec({ containers })).toEqual([]);
  });
});

describe("users of a pod's own", () => {
  test.each(["hostNetwork", "hostPID", "hostIPC"])("exclude %s", (field) => {
    expect(ofSpec({ hostUsers: false, [field]: true })).toEqual([
      `error spec.${field}: Forbidden: when \`hostUsers\` is false`,
    ]);
    expect(ofSpec({ hostUsers: true, [field]: true })).toEqual([]);
  });

  test("allow an unmasked /proc", () => {
    const containers = [{ ...container, securityContext: { procMount: "Unmasked" } }];
    expect(ofSpec({ hostUsers: false, containers })).toEqual([]);
    expect(ofSpec({ containers })).toEqual([expect.stringContaining("`hostUsers` must be false")]);
  });
});

describe("what this version does not honour", () => {
  test.each<[object, string[]]>([
    [
      { tolerations: [{ operator: "Exists" }] },
      ["warning spec.tolerations: not honoured by this version of Peapod: not applicable on one machine"],
    ],
    [
      {
        schedulerName: "default-scheduler",
        serviceAccountName: "default",
        nodeSelector: {},
        hostUsers: true,
      },
      [],
    ],
    [{ hostUsers: false }, []],
    [{ runtimeClassName: "gvisor", overhead: { cpu: "10m" } }, []],
  ])("%j", (spec, expected) => {
    expect(ofSpec(spec)).toEqual(expected);
  });

  test("in init containers too, and false asks for nothing", () => {
    const initContainers = [
      { ...container, name: "init", volumeDevices: [{ name: "a", devicePath: "/dev/a" }] },
    ];
    expect(ofSpec({ initContainers: [{ ...container, name: "init", volumeDevices: [] }] })).toEqual([]);
    expect(ofSpec({ initContainers })).toEqual([
      "error spec.initContainers[0].volumeDevices: not honoured by this version of Peapod: there are no block devices",
    ]);
  });
});

test("namespaces have names that fit into host names", () => {
  expect(admitObject("v1/Namespace", { metadata: { name: "team-a" } }).problems).toEqual([]);
  expect(lines(admitObject("v1/Namespace", { metadata: { name: "team.a" } }).problems)[0]).toMatch(
    /^error metadata\.name: Invalid value: "team\.a": a lowercase RFC 1123 label/,
  );
});

test("events stand in the namespace of what they are about", () => {
  const event = (namespace: string, about: object) =>
    lines(admitObject("v1/Event", { metadata: { name: "e", namespace }, involvedObject: about }).problems);
  expect(event("a", { namespace: "a" })).toEqual([]);
  expect(event("default", { kind: "Node", name: "n" })).toEqual([]);
  expect(event("a", { namespace: "b" })).toEqual([
    'error involvedObject.namespace: Invalid value: "b": does not match event.namespace',
  ]);
});
