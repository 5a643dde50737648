import { imageName } from "./image.ts";
import type { BenchPod } from "./types.ts";

/**
 * What each container runs: it writes the stamp, and ends as soon as it is asked to. The trap comes first, since
 * a pod may be stopped right after its stamp was seen.
 */
const program = "trap 'exit 0' TERM; /bin/date +%s%N >/stamps/$0; sleep 1000000 & wait";

/** The command of one container of the benchmark. */
export function commandOf(container: string): string[] {
  return ["/bin/sh", "-c", program, container];
}

/** The same manifest for every side that reads manifests. */
export function podManifest(pod: BenchPod): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod.name, namespace: "default" },
    spec: {
      volumes: [{ name: "stamps", hostPath: { path: pod.stampsDir, type: "Directory" } }],
      containers: pod.containers.map((name) => ({
        name,
        image: imageName,
        imagePullPolicy: "IfNotPresent",
        command: commandOf(name),
        volumeMounts: [{ name: "stamps", mountPath: "/stamps" }],
      })),
    },
  };
}
