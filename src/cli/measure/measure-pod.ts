import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { hostImageName } from "../../kube/peapod-names.ts";
import type { Pod } from "../../kube/types.ts";
import { packageRoot, programFile } from "../node/program-file.ts";

/** The pod's containers: one serves, one measures. */
export const roles = ["server", "client"] as const;

/**
 * A pod of two containers that run the measuring program of this installation, by this installation's Node.js, on a
 * view of this machine's own root file system: no image has to be pulled. They share a volume for sockets and FIFOs.
 * After `deadlineSeconds` it ends by itself, should nobody be left to delete it.
 */
export function measurePod(name: string, deadlineSeconds: number): Pod {
  const root = realpathSync(packageRoot());
  const program = realpathSync(programFile("measure"));
  const from = relative(root, program).split("/")[0] ?? "";
  const koffi = realpathSync(createRequire(join(root, "package.json")).resolve("koffi"));
  const modules = koffi.slice(0, koffi.lastIndexOf("/node_modules/") + "/node_modules".length);
  const shown: Record<
    string,
    { readonly path: string; readonly type: "File" | "Directory"; readonly at: string }
  > = {
    node: { path: process.execPath, type: "File", at: "/peapod/node" },
    program: { path: join(root, from), type: "Directory", at: `/peapod/${from}` },
    package: { path: join(root, "package.json"), type: "File", at: "/peapod/package.json" },
    modules: { path: modules, type: "Directory", at: "/peapod/node_modules" },
  };
  const words = (role: string) => [
    "/peapod/node",
    join("/peapod", relative(root, program)),
    role,
    "/meet",
    "/dev/shm/peapod-measure",
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { "app.kubernetes.io/managed-by": "peapod-measure" } },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      activeDeadlineSeconds: deadlineSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      volumes: [
        { name: "meet", emptyDir: {} },
        ...Object.entries(shown).map(([volume, { path, type }]) => ({
          name: volume,
          hostPath: { path, type },
        })),
      ],
      containers: roles.map((role) => ({
        name: role,
        image: hostImageName,
        command: words(role),
        // Without a request a container gets next to no CPU as soon as others want some (BestEffort).
        resources: { requests: { cpu: "500m" } },
        stdin: true,
        stdinOnce: true,
        volumeMounts: [
          { name: "meet", mountPath: "/meet" },
          ...Object.entries(shown).map(([volume, { at }]) => ({
            name: volume,
            mountPath: at,
            readOnly: true,
          })),
        ],
      })),
    },
  };
}
