import { expect, test } from "vitest";
import type { Service, StoredPod } from "../kube/types.ts";
import { parsePortMapping } from "./port-mapping.ts";

const pod = {
  metadata: { name: "web-1" },
  spec: { containers: [{ name: "a", ports: [{ name: "web", containerPort: 8080 }] }] },
} as unknown as StoredPod;
const service = {
  metadata: { name: "web" },
  spec: {
    ports: [{ name: "http", port: 80, targetPort: "web" }, { port: 9000, targetPort: 9 }, { port: 70 }],
  },
} as unknown as Service;

test.each([
  ["8000:80", undefined, { local: 8000, remote: 80 }],
  ["web", undefined, { local: 8080, remote: 8080 }],
  ["80", service, { local: 80, remote: 8080 }],
  ["8000:http", service, { local: 8000, remote: 8080 }],
  [":9000", service, { local: 0, remote: 9 }],
  ["70", service, { local: 70, remote: 70 }],
])("%s", (text, behind, expected) => {
  expect(parsePortMapping(text, pod, behind)).toEqual(expected);
});

test("a port that the Service has not: those that it has are named", () => {
  expect(() => parsePortMapping("8080", pod, service)).toThrow(
    "Service 'web' does not have a service port 8080, but 80 (http), 9000, 70",
  );
});
