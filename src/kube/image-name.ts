/**
 * Whether an image name means "whatever is newest": its tag is `latest`, or it has neither tag nor digest.
 * Kubernetes then pulls always (https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting).
 */
export function isLatestImage(image: string): boolean {
  const [name = "", digest] = image.split("@");
  const tag = /:([^/:]*)$/.exec(name)?.[1];
  return tag === "latest" || (tag === undefined && digest === undefined);
}
