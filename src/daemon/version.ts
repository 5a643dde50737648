/** Peapod's version; a test keeps it equal to package.json's. */
export const version = "0.1.0";

/** The Kubernetes version whose API and kubelet semantics this version follows. */
export const kubernetesVersion = "v1.36.0";
