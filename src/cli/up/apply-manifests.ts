import { errorCode } from "../../base/errors.ts";
import { namespaces } from "../../client/resources.ts";
import type { Pod, StoredPod } from "../../kube/types.ts";
import type { ManifestedObject } from "../manifests.ts";
import { usageError } from "../parse-arguments.ts";
import { namespaceOf, type Session } from "../session.ts";
import { applyObject, supportingObjects } from "./apply-object.ts";
import { applyPod } from "./apply-pod.ts";
import { type AppliedWorkload, applyWorkload, workloadObjects } from "./workloads.ts";

/** A pod of the manifests, or what makes pods. */
export type Applied = { readonly pod: StoredPod } | { readonly workload: AppliedWorkload };

/**
 * Applies namespaces, then what pods use, then pods and what makes pods, in the manifests' order; says what it did and
 * yields the latter two.
 */
export async function* applyManifests(
  objects: readonly ManifestedObject[],
  replace: boolean,
  session: Session,
): AsyncGenerator<Applied, void, undefined> {
  const { client, terminal, scope } = session;
  for (const object of objects.filter(({ kind }) => kind === "Namespace")) {
    const name = object.metadata?.name;
    try {
      await client.create(namespaces, undefined, object, scope);
      terminal.out(`namespace/${name} created\n`);
    } catch (error) {
      if (errorCode(error) !== "AlreadyExists") throw error;
      terminal.out(`namespace/${name} unchanged\n`);
    }
  }
  for (const object of supportingObjects(objects)) {
    checkNamespace(object, session);
    await applyObject(object, session);
  }
  const workloads = workloadObjects(objects);
  for (const object of objects.filter((each) => each.kind === "Pod" || workloads.includes(each))) {
    if (object.kind !== "Pod") {
      checkNamespace(object, session);
      yield { workload: await applyWorkload(object, replace, session) };
      continue;
    }
    const namespace = checkNamespace(object, session);
    const onReplace = ({ metadata }: StoredPod, hasChanged: boolean) =>
      terminal.err(`pod/${metadata.name}${hasChanged ? " changed" : ""}: replacing it\n`);
    const { pod, change } = await applyPod(client, object as Pod, { namespace, replace, onReplace }, scope);
    terminal.out(`pod/${pod.metadata.name} ${change}\n`);
    yield { pod };
  }
}

/** The object's namespace. Throws Usage when it is another one than -n says. */
function checkNamespace({ kind, metadata }: ManifestedObject, session: Session): string {
  const namespace = metadata?.namespace ?? namespaceOf(session);
  if (session.namespace === undefined || namespace === session.namespace) return namespace;
  throw usageError(
    `the namespace of ${kind.toLowerCase()} "${metadata?.name}" is "${namespace}", not "${session.namespace}" as -n says`,
  );
}
