import type { Container, PodSpec } from "./types.ts";

/**
 * The AppArmor profile of the machine's own under which a container is to run: its own setting goes before the pod's
 * (https://kubernetes.io/docs/tutorials/security/apparmor/). Undefined where none is asked for by name.
 */
export function localAppArmorProfile(spec: PodSpec, container: Container): string | undefined {
  const asked = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
  return asked?.type === "Localhost" ? asked.localhostProfile : undefined;
}
