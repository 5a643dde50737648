import packageJson from "../../package.json" with { type: "json" };

/** Peapod's version. */
export const version: string = packageJson.version;

/** The Kubernetes version whose API and kubelet semantics this version follows. */
export const kubernetesVersion = "v1.36.0";
