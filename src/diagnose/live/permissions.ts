import type { FileAccess, ProcessCredentials } from "./permission-types.ts";
import type { LiveView } from "./view.ts";
import { containerNamed } from "./view.ts";

/** What inode(7) calls the classes: who may write. Access control lists (acl(5)) are not looked at. */
export function mayWrite(file: FileAccess, who: ProcessCredentials): boolean {
  if (who.overrides) return true;
  if (who.uid === file.uid) return (file.mode & 0o200) !== 0;
  if (who.gid === file.gid || who.groups.includes(file.gid)) return (file.mode & 0o020) !== 0;
  return (file.mode & 0o002) !== 0;
}

/**
 * As whom a container accesses files: as its first process does, or, of one that does not run, as its manifest says.
 * Undefined where the image decides, and for pods with users of their own, whose numbers are others.
 */
export function credentialsOf(view: LiveView, container: string): ProcessCredentials | undefined {
  const { pod, evidence } = view;
  const running = evidence?.containers.find(({ name }) => name === container)?.credentials;
  if (running !== undefined) return running;
  if (pod.spec.hostUsers === false) return undefined;
  const own = containerNamed(view, container)?.container.securityContext;
  const shared = pod.spec.securityContext;
  const uid = own?.runAsUser ?? shared?.runAsUser;
  if (uid === undefined) return undefined;
  const fsGroup = shared?.fsGroup;
  const groups = [...(shared?.supplementalGroups ?? []), ...(fsGroup === undefined ? [] : [fsGroup])];
  return { uid, gid: own?.runAsGroup ?? shared?.runAsGroup ?? 0, groups, overrides: uid === 0 };
}

/** `uid 1000, gid 1000, groups 2000` */
export function credentialsText({ uid, gid, groups }: ProcessCredentials): string {
  return `uid ${uid}, gid ${gid}${groups.length === 0 ? "" : `, groups ${groups.join(" ")}`}`;
}

/** `0755 owner 0:0` */
export function accessText({ mode, uid, gid }: FileAccess): string {
  return `mode 0${mode.toString(8).padStart(3, "0")}, owner ${uid}:${gid}`;
}
