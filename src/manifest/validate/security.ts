import { childPath, itemPath } from "../../kube/field-path.ts";
import type { Container, PodSpec } from "../../kube/types.ts";
import { duplicate, invalid, type Problem, required } from "../problems.ts";
import { descendingPath, oneOf, userID } from "./values.ts";

type PodSecurity = NonNullable<PodSpec["securityContext"]>;
type ContainerSecurity = NonNullable<Container["securityContext"]>;

const sysctlPattern = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?([\\./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const sysctlLength = 253;

/** Rules for the security settings that all containers of a pod share. */
export function validatePodSecurity(path: string, security: PodSecurity): Problem[] {
  const groups = security.supplementalGroups ?? [];
  return [
    ...userID(childPath(path, "runAsUser"), security.runAsUser),
    ...userID(childPath(path, "runAsGroup"), security.runAsGroup),
    ...userID(childPath(path, "fsGroup"), security.fsGroup),
    ...groups.flatMap((group, index) =>
      userID(itemPath(childPath(path, "supplementalGroups"), index), group),
    ),
    ...oneOf(childPath(path, "supplementalGroupsPolicy"), security.supplementalGroupsPolicy, [
      "Merge",
      "Strict",
    ]),
    ...oneOf(childPath(path, "fsGroupChangePolicy"), security.fsGroupChangePolicy, [
      "Always",
      "OnRootMismatch",
    ]),
    ...validateProfiles(path, security),
    ...validateSysctls(childPath(path, "sysctls"), security.sysctls ?? []),
  ];
}

/** Rules for the security settings of one container. */
export function validateContainerSecurity(
  path: string,
  security: ContainerSecurity | undefined,
  spec: PodSpec,
): Problem[] {
  if (security === undefined) return [];
  const problems: Problem[] = [
    ...userID(childPath(path, "runAsUser"), security.runAsUser),
    ...userID(childPath(path, "runAsGroup"), security.runAsGroup),
    ...oneOf(childPath(path, "procMount"), security.procMount, ["Default", "Unmasked"]),
    ...validateProfiles(path, security),
  ];
  if (security.procMount === "Unmasked" && spec.hostUsers !== false) {
    const detail = "`hostUsers` must be false to use `Unmasked`";
    problems.push(invalid(childPath(path, "procMount"), security.procMount, detail));
  }
  if (security.allowPrivilegeEscalation === false) {
    const head = "cannot set `allowPrivilegeEscalation` to false and";
    if (security.privileged === true)
      problems.push(invalid(path, security, `${head} \`privileged\` to true`));
    if (security.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      problems.push(invalid(path, security, `${head} \`capabilities.Add\` CAP_SYS_ADMIN`));
    }
  }
  return problems;
}

/** seccomp and AppArmor profiles have the same three kinds. */
function validateProfiles(path: string, security: PodSecurity | ContainerSecurity): Problem[] {
  const problems: Problem[] = [];
  const profiles = [
    ["seccompProfile", "seccomp", security.seccompProfile],
    ["appArmorProfile", "AppArmor", security.appArmorProfile],
  ] as const;
  for (const [name, word, profile] of profiles) {
    if (profile === undefined) continue;
    const profilePath = childPath(path, name);
    const localPath = childPath(profilePath, "localhostProfile");
    const { type, localhostProfile } = profile;
    if (!type)
      problems.push(required(childPath(profilePath, "type"), `type is required when ${name} is set`));
    else
      problems.push(
        ...oneOf(childPath(profilePath, "type"), type, ["Localhost", "RuntimeDefault", "Unconfined"]),
      );
    if (type === "Localhost" && !localhostProfile) {
      problems.push(required(localPath, `must be set when ${word} type is Localhost`));
    } else if (type === "Localhost" && localhostProfile && name === "seccompProfile") {
      problems.push(...descendingPath(localPath, localhostProfile));
    } else if (type !== "Localhost" && localhostProfile !== undefined) {
      problems.push(invalid(localPath, localhostProfile, `can only be set when ${word} type is Localhost`));
    }
  }
  return problems;
}

function validateSysctls(path: string, sysctls: NonNullable<PodSecurity["sysctls"]>): Problem[] {
  const seen = new Set<string>();
  return sysctls.flatMap(({ name }, index) => {
    const field = childPath(itemPath(path, index), "name");
    if (!name) return [required(field)];
    const plain = name.replaceAll("/", ".");
    if (seen.has(plain)) return [duplicate(field, name)];
    seen.add(plain);
    if (name.length <= sysctlLength && new RegExp(`^${sysctlPattern}$`).test(name)) return [];
    return [
      invalid(field, name, `must have at most ${sysctlLength} characters and match regex ^${sysctlPattern}$`),
    ];
  });
}
