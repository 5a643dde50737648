/** Reserved image name: a read-only view of this machine's own root file system, secrets masked. */
export const hostImageName = "peapod.dev/host";

/** Pod annotation that lets the host image stand in for images that can't be pulled; its only value is `host`. */
export const imageFallbackAnnotation = "peapod.dev/image-fallback";
