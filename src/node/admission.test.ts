import { expect, test } from "vitest";
import type { PodSpec, StoredPod } from "../kube/types.ts";
import { rejectionOf } from "./admission.ts";

const nothing = { allowedUnsafeSysctls: [], hugePages: {}, appArmor: false };

function rejection(name: string, spec: Partial<PodSpec> = {}, allowedUnsafeSysctls: string[] = []) {
  const sysctls = [{ name, value: "1" }];
  const pod = { spec: { containers: [], securityContext: { sysctls }, ...spec } } as unknown as StoredPod;
  return rejectionOf(pod, [], { ...nothing, allowedUnsafeSysctls });
}

test.each(["kernel.shm_rmid_forced", "net/ipv4/tcp_syncookies", "net.ipv4.ip_local_port_range"])(
  "%s is safe",
  (name) => expect(rejection(name)).toBeUndefined(),
);

test("an unsafe one is refused unless the node allows it", () => {
  const refused = { reason: "SysctlForbidden", message: 'forbidden sysctl: "kernel.msgmax" not allowlisted' };
  expect(rejection("kernel.msgmax")).toEqual(refused);
  expect(rejection("kernel.msgmax", {}, ["kernel.msg*"])).toBeUndefined();
  expect(rejection("kernel.msgmax", {}, ["net.*"])).toEqual(refused);
});

test("one of the machine's own is never allowed", () => {
  expect(rejection("vm.swappiness", {}, ["vm.swappiness", "*"])?.message).toMatch("not allowlisted");
});

test("the host's namespaces are not the pod's to change", () => {
  expect(rejection("net.ipv4.tcp_syncookies", { hostNetwork: true })?.message).toBe(
    'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  );
  expect(rejection("kernel.shm_rmid_forced", { hostIPC: true })?.message).toBe(
    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
  );
});

test("huge pages are there or the pod is refused, what others have counted in", () => {
  const limits = { cpu: "1", "hugepages-2Mi": "4Mi" };
  const pod = {
    spec: { containers: [{ name: "a", resources: { limits, requests: limits } }] },
  } as unknown as StoredPod;
  const settings = (bytes: number) => ({ ...nothing, hugePages: { "hugepages-2Mi": bytes } });
  const mebibyte = 1024 * 1024;
  expect(rejectionOf(pod, [], settings(4 * mebibyte))).toBeUndefined();
  expect(rejectionOf(pod, [pod], settings(8 * mebibyte))).toBeUndefined();
  expect(rejectionOf(pod, [pod], settings(4 * mebibyte))).toEqual({
    reason: "OutOfhugepages-2Mi",
    message:
      "Node didn't have enough resource: hugepages-2Mi, requested: 4194304, used: 4194304, capacity: 4194304",
  });
  expect(rejectionOf(pod, [], nothing)?.reason).toBe("OutOfhugepages-2Mi");
});

test("an AppArmor profile needs AppArmor", () => {
  const securityContext = { appArmorProfile: { type: "Localhost", localhostProfile: "mine" } };
  const pod = (spec: object) => ({ spec: { containers: [{ name: "a" }], ...spec } }) as unknown as StoredPod;
  const refused = {
    reason: "AppArmor",
    message: "Cannot enforce AppArmor: AppArmor is not enabled on the host",
  };
  expect(rejectionOf(pod({ securityContext }), [], nothing)).toEqual(refused);
  expect(rejectionOf(pod({ initContainers: [{ name: "b", securityContext }] }), [], nothing)).toEqual(
    refused,
  );
  expect(rejectionOf(pod({ securityContext }), [], { ...nothing, appArmor: true })).toBeUndefined();
  expect(rejectionOf(pod({}), [], nothing)).toBeUndefined();
});
