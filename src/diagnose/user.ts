import type { PodSpec } from "../kube/types.ts";
import { officialImage } from "./image.ts";
import type { ContainerView } from "./pod-view.ts";

/** The user id that the manifest gives a container; undefined when the image decides. */
export function userOf(view: ContainerView, spec: PodSpec): number | undefined {
  return view.container.securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
}

/** Official images of distributions: they run as root, and their own command is a shell. */
const baseImages = new Set([
  "busybox",
  "alpine",
  "debian",
  "ubuntu",
  "fedora",
  "centos",
  "rockylinux",
  "almalinux",
  "amazonlinux",
  "oraclelinux",
  "archlinux",
]);

/** Whether a container runs the bare image of a distribution. */
export function isBaseImage(view: ContainerView): boolean {
  return baseImages.has(officialImage(view.container) ?? "");
}
