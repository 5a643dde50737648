import { PeapodError } from "../../base/errors.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import type { OCIUser } from "./oci.ts";

/** The user databases of the image (passwd(5), group(5)) as text; empty where the image has none. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/**
 * Who the container runs as: securityContext's runAsUser and runAsGroup (the container's before the pod's),
 * else the image's USER (`user`, `uid`, `user:group`), else root. Names are looked up in the image. Groups: the
 * ones that the image's /etc/group gives the user (not with `supplementalGroupsPolicy: Strict`), then the pod's
 * supplementalGroups and fsGroup, as containerd does it. Throws CreateContainerConfigError for a name that the
 * image does not know and, with the kubelet's words, for root where runAsNonRoot forbids it.
 */
export function user(
  { metadata, spec }: Pick<StoredPod, "metadata" | "spec">,
  container: Container,
  imageUser: string,
  files: UserFiles,
): OCIUser {
  const pod = spec.securityContext;
  const own = container.securityContext;
  const runAsUser = own?.runAsUser ?? pod?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? pod?.runAsGroup;
  const [imageUserPart = "", imageGroupPart = ""] = imageUser.split(":");
  if (own?.runAsNonRoot ?? pod?.runAsNonRoot ?? false) {
    const problem = rootProblem(runAsUser, imageUserPart);
    const where = `(pod: "${metadata.name}_${metadata.namespace}(${metadata.uid})", container: ${container.name})`;
    if (problem !== undefined) throw new PeapodError("CreateContainerConfigError", `${problem} ${where}`);
  }

  const account =
    runAsUser !== undefined ? accountOf(String(runAsUser), files) : accountOf(imageUserPart || "0", files);
  const imageGroup =
    runAsUser === undefined && imageGroupPart !== "" ? groupOf(imageGroupPart, files) : undefined;
  const gid = runAsGroup ?? imageGroup ?? account.gid;
  const extra = [...(pod?.supplementalGroups ?? []), ...(pod?.fsGroup === undefined ? [] : [pod.fsGroup])];
  const fromImage = pod?.supplementalGroupsPolicy === "Strict" ? [] : groupsOfUser(account.name, files);
  return { uid: account.uid, gid, additionalGids: [...new Set([gid, ...fromImage, ...extra])] };
}

/** Why the container would, or might, run as root; undefined when it certainly does not. */
function rootProblem(runAsUser: number | undefined, imageUser: string): string | undefined {
  if (runAsUser !== undefined) {
    return runAsUser === 0 ? "container's runAsUser breaks non-root policy" : undefined;
  }
  if (imageUser === "" || imageUser === "root" || Number(imageUser) === 0) {
    return "container has runAsNonRoot and image will run as root";
  }
  if (/^\d+$/.test(imageUser)) return undefined;
  return `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root`;
}

interface Account {
  readonly name: string | undefined;
  readonly uid: number;
  readonly gid: number;
}

function accountOf(nameOrUID: string, files: UserFiles): Account {
  const isNumber = /^\d+$/.test(nameOrUID);
  const entry =
    entries(files.passwd).find((fields) => fields[0] === nameOrUID) ??
    (isNumber ? entries(files.passwd).find((fields) => fields[2] === nameOrUID) : undefined);
  if (entry !== undefined) return { name: entry[0], uid: Number(entry[2]), gid: Number(entry[3]) };
  if (isNumber) return { name: undefined, uid: Number(nameOrUID), gid: 0 };
  // An image without /etc/passwd still has root.
  if (nameOrUID === "root") return { name: "root", uid: 0, gid: 0 };
  throw new PeapodError(
    "CreateContainerConfigError",
    `unable to find user ${nameOrUID}: no matching entries in the image's passwd file`,
  );
}

function groupOf(nameOrGID: string, files: UserFiles): number {
  const entry = entries(files.group).find((fields) => fields[0] === nameOrGID);
  if (entry !== undefined) return Number(entry[2]);
  if (/^\d+$/.test(nameOrGID)) return Number(nameOrGID);
  throw new PeapodError(
    "CreateContainerConfigError",
    `unable to find group ${nameOrGID}: no matching entries in the image's group file`,
  );
}

function groupsOfUser(name: string | undefined, files: UserFiles): readonly number[] {
  if (name === undefined) return [];
  return entries(files.group)
    .filter((fields) => (fields[3] ?? "").split(",").includes(name))
    .map((fields) => Number(fields[2]));
}

function entries(text: string): readonly string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
