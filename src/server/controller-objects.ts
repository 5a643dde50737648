import { ifFound, isConflict, isNotFound, PeapodError } from "../base/errors.ts";
import type { ControllerObjects } from "../controllers/types.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { ObjectKey } from "../store/types.ts";
import { authenticatedGroup, mastersGroup } from "./access/user.ts";
import { deleteObject } from "./deletion.ts";
import { recordManagers } from "./field-manager.ts";
import { applyMergePatch } from "./patch/merge-patch.ts";
import type { ApiContext, ApiRequest } from "./request.ts";
import { resourceName } from "./resource.ts";
import { createObject } from "./verbs/create.ts";
import { writeObject } from "./write-object.ts";

/** The name under which fields that controllers set are kept, and by which they are known on a cluster. */
const manager = "kube-controller-manager";

/** The API for controllers in this process: what they write goes through the same steps as a client's request. */
export function controllerObjects(context: ApiContext): ControllerObjects {
  const { store } = context;
  const requestFor = (key: ObjectKey): ApiRequest => ({
    context,
    resource: resourceNamed(context, key.resource),
    user: { name: `system:${manager}`, groups: [mastersGroup, authenticatedGroup] },
    namespace: key.namespace,
    name: key.name,
    query: new URLSearchParams(),
    contentType: "",
    userAgent: manager,
    body: new Uint8Array(),
    representation: { as: "Object" },
    scope: context.scope,
  });
  return {
    list: (resource, filter) => store.list(resource, filter),
    watch: (resource, options) => store.watch(resource, options),
    get: (key) => ifFound(() => store.get(key)),
    create: (resource, namespace, object) => {
      const request = requestFor({ resource, namespace, name: "" });
      const answer = createObject(request, object, (stored) =>
        recordManagers(request, "object", undefined, stored),
      );
      return (answer as { object: KubernetesObject }).object;
    },
    patch: (key, uid, patch) => {
      const answer = writeObject(requestFor(key), "object", (current) => {
        checkUID(key, current, uid);
        return applyMergePatch(current, patch);
      });
      return (answer as { object: KubernetesObject }).object;
    },
    updateStatus: (key, uid, status) => {
      const answer = writeObject(requestFor(key), "status", (current) => {
        checkUID(key, current, uid);
        return { ...current, status };
      });
      return (answer as { object: KubernetesObject }).object;
    },
    delete: (key, uid, options) => {
      try {
        deleteObject(requestFor(key), { ...options, preconditions: { uid } }, false);
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    },
  };
}

function resourceNamed({ resources }: ApiContext, name: string) {
  const found = resources.find((resource) => resourceName(resource) === name);
  if (found === undefined) throw new TypeError(`there is no resource ${name}`);
  return found;
}

function checkUID({ resource, name }: ObjectKey, current: KubernetesObject, uid: string): void {
  if (current.metadata.uid === uid) return;
  throw new PeapodError("Conflict", `${resource} ${JSON.stringify(name)} is another object now`);
}
