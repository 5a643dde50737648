import { expect, test } from "vitest";
import type { PodSpec } from "../kube/types.ts";
import { describeWays, waysToTalk } from "./ways-to-talk.ts";

function describePod(spec: PodSpec): string {
  return describeWays(waysToTalk({ apiVersion: "v1", kind: "Pod", spec }, "Pod"));
}

const a = { name: "a", image: "x" };
const b = { name: "b", image: "x" };
const namespaces =
  "a, b can talk through localhost (TCP, UDP, abstract Unix sockets); IPC (System V, POSIX message queues, /dev/shm)";

test.each<[string, PodSpec, string]>([
  ["one container", { containers: [a] }, "one container, a, with nobody to talk to inside the pod"],
  [
    "an init container is gone by then",
    { initContainers: [b], containers: [a] },
    "one container, a, with nobody to talk to inside the pod",
  ],
  ["two containers", { containers: [a, b] }, `${namespaces}. No port has to be declared`],
  [
    "a declared port",
    { containers: [a, { ...b, ports: [{ containerPort: 80 }] }] },
    `${namespaces}. No port has to be declared; containerPort 80/TCP (b) opens nothing, it is documentation`,
  ],
  [
    "shared processes",
    { shareProcessNamespace: true, containers: [a, b] },
    `${namespaces}; processes (signals, /proc/PID/root). No port has to be declared`,
  ],
  [
    "a shared volume, one of each alone, and one that nobody can change",
    {
      volumes: [
        { name: "work", emptyDir: {} },
        { name: "alone", emptyDir: {} },
        { name: "settings", configMap: { name: "settings" } },
      ],
      containers: [
        {
          ...a,
          volumeMounts: ["work", "alone", "settings"].map((name) => ({ name, mountPath: `/${name}` })),
        },
        { ...b, volumeMounts: ["work", "settings"].map((name) => ({ name, mountPath: `/in/${name}` })) },
      ],
    },
    `${namespaces}; volume work (Unix sockets, FIFOs, files). No port has to be declared`,
  ],
  [
    "a split /dev/shm, on the node's network",
    {
      hostNetwork: true,
      volumes: [{ name: "shm", emptyDir: { medium: "Memory" } }],
      containers: [{ ...a, volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }] }, b],
    },
    "a, b can talk through localhost of the node (TCP, UDP, abstract Unix sockets); IPC (System V, POSIX message queues). No port has to be declared",
  ],
])("%s", (_, spec, text) => {
  expect(describePod(spec)).toBe(text);
});
