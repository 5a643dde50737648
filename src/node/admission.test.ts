import { expect, test } from "vitest";
import type { PodSpec, StoredPod } from "../kube/types.ts";
import { rejectionOf } from "./admission.ts";

function rejection(name: string, spec: Partial<PodSpec> = {}, allowedUnsafeSysctls: string[] = []) {
  const sysctls = [{ name, value: "1" }];
  const pod = { spec: { containers: [], securityContext: { sysctls }, ...spec } } as unknown as StoredPod;
  return rejectionOf(pod, { allowedUnsafeSysctls });
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
