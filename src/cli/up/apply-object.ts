import { errorCode, PeapodError } from "../../base/errors.ts";
import { type ResourceType, workloadTypes } from "../../client/resources.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ManifestedObject } from "../manifests.ts";
import { namespaceOf, type Session } from "../session.ts";

/** Kinds that are applied at a time of their own, or not at all. */
const apart = ["Namespace", "Event", "Pod", ...workloadTypes.map(({ kind }) => kind)];

/** What the manifests have beside pods, and what makes pods: it is there before the first pod starts. */
export function supportingObjects(objects: readonly ManifestedObject[]): readonly ManifestedObject[] {
  return objects.filter(({ kind }) => !apart.includes(kind));
}

/** Makes the object, or merges it into the one that is there; says what it did. */
export async function applyObject(object: ManifestedObject, session: Session): Promise<void> {
  const { client, terminal, scope } = session;
  const { type, namespace, name } = await referenceOf(object, session);
  const say = (change: string) => terminal.out(`${type.singular}/${name} ${change}\n`);
  try {
    await client.create(type, namespace, object, scope);
    say("created");
  } catch (error) {
    if (errorCode(error) !== "AlreadyExists") throw error;
    const before = await client.get<KubernetesObject>(type, { namespace, name }, scope);
    const after = await client.patch<KubernetesObject>(type, { namespace, name }, object, scope);
    const isSame = before.metadata.resourceVersion === after.metadata.resourceVersion;
    say(isSame ? "unchanged" : "configured");
  }
}

/** Deletes the object; one that is not there counts as deleted. Claims and volumes stay: their data would go with them. */
export async function removeObject(object: ManifestedObject, session: Session): Promise<void> {
  if (object.kind === "PersistentVolumeClaim" || object.kind === "PersistentVolume") return;
  const { client, terminal, scope } = session;
  const { type, namespace, name } = await referenceOf(object, session);
  try {
    await client.delete(type, { namespace, name }, {}, scope);
    terminal.out(`${type.singular} "${name}" deleted\n`);
  } catch (error) {
    if (errorCode(error) !== "NotFound") throw error;
  }
}

async function referenceOf(
  object: ManifestedObject,
  session: Session,
): Promise<{ type: ResourceType; namespace: string; name: string }> {
  const { apiVersion, kind, metadata } = object as unknown as KubernetesObject;
  const types = await session.client.types(session.scope);
  const type = types.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (type === undefined)
    throw new PeapodError("NotFound", `the server has no kind ${kind} in ${apiVersion}`);
  return { type, namespace: metadata.namespace ?? namespaceOf(session), name: metadata.name };
}
