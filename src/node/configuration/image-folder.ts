import type { Scope } from "../../base/scope.ts";
import type { PullPolicy } from "../../images/types.ts";
import { isLatestImage } from "../../kube/image-name.ts";
import type { StoredPod, Volume } from "../../kube/types.ts";
import type { Sandbox } from "../../runtime/types.ts";
import type { VolumeContent } from "../../volumes/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import { pullCredentials } from "./pull-secrets.ts";

const prefix = "volume-";
const uidLength = 36;

/**
 * The files of an `image` volume, pulled if need be and mounted like a container's root file system under a name of
 * its own; undefined for any other volume. Throws as `ImageService.ensure` does.
 */
export async function imageFolder(
  pod: StoredPod,
  volume: Volume,
  userNamespace: Sandbox["userNamespace"],
  dependencies: Pick<AgentDependencies, "images" | "store" | "events">,
  scope: Scope,
): Promise<VolumeContent | undefined> {
  if (volume.image === undefined) return undefined;
  const { reference = "", pullPolicy } = volume.image;
  const policy = pullPolicy ?? (isLatestImage(reference) ? "Always" : "IfNotPresent");
  const { images } = dependencies;
  const credentials = pullCredentials(pod, dependencies, scope);
  const { image } = await images.ensure(
    { image: reference, policy: policy as PullPolicy, credentials },
    scope,
  );
  const name = `${prefix}${pod.metadata.uid}-${volume.name}`;
  const folder = await images.mountRootfs(name, image, userNamespace, scope);
  return { folder, readOnly: true };
}

/** The UID of the pod whose image volume has this root file system; undefined for a container's. */
export function podOfImageFolder(rootfsID: string): string | undefined {
  return rootfsID.startsWith(prefix) ? rootfsID.slice(prefix.length, prefix.length + uidLength) : undefined;
}
