import { describe, expect, test } from "vitest";
import type { Container, PodSpec } from "../../kube/types.ts";
import { user } from "./user.ts";

const files = {
  passwd:
    "root:x:0:0:root:/root:/bin/sh\n# comment\nnode:x:1000:1000::/home/node:/bin/sh\n42:x:4242:43::/:/bin/sh\n",
  group: "root:x:0:\nnode:x:1000:\nvideo:x:44:node,other\naudio:x:45:node\n",
};

interface Case {
  name: string;
  image: string;
  pod?: PodSpec["securityContext"];
  own?: Container["securityContext"];
  expected: { uid: number; gid: number; additionalGids: number[] };
}

const cases: Case[] = [
  { name: "nothing said: root", image: "", expected: { uid: 0, gid: 0, additionalGids: [0] } },
  { name: "image's name", image: "node", expected: { uid: 1000, gid: 1000, additionalGids: [1000, 44, 45] } },
  {
    name: "image's number",
    image: "1000",
    expected: { uid: 1000, gid: 1000, additionalGids: [1000, 44, 45] },
  },
  { name: "a name that is a number", image: "42", expected: { uid: 4242, gid: 43, additionalGids: [43] } },
  {
    name: "image's user and group name",
    image: "node:video",
    expected: { uid: 1000, gid: 44, additionalGids: [44, 45] },
  },
  { name: "unknown number", image: "77:88", expected: { uid: 77, gid: 88, additionalGids: [88] } },
  {
    name: "pod's user",
    image: "node",
    pod: { runAsUser: 5 },
    expected: { uid: 5, gid: 0, additionalGids: [0] },
  },
  {
    name: "the container's user goes before the pod's, the image's group before neither",
    image: "node:video",
    pod: { runAsUser: 5, runAsGroup: 6 },
    own: { runAsUser: 1000 },
    expected: { uid: 1000, gid: 6, additionalGids: [6, 44, 45] },
  },
  {
    name: "more groups",
    image: "node",
    pod: { supplementalGroups: [7, 44], fsGroup: 9 },
    expected: { uid: 1000, gid: 1000, additionalGids: [1000, 44, 45, 7, 9] },
  },
  {
    name: "strict groups",
    image: "node",
    pod: { supplementalGroups: [7], supplementalGroupsPolicy: "Strict" },
    expected: { uid: 1000, gid: 1000, additionalGids: [1000, 7] },
  },
];

function resolve({ image, pod, own }: Pick<Case, "image" | "pod" | "own">) {
  const container = { name: "c", ...(own === undefined ? {} : { securityContext: own }) };
  const spec = { containers: [container], ...(pod === undefined ? {} : { securityContext: pod }) };
  return user({ metadata: { name: "p", namespace: "ns", uid: "u" }, spec } as never, container, image, files);
}

test.each(cases)("$name", (each) => {
  expect(resolve(each)).toEqual(each.expected);
});

describe("refuses", () => {
  test.each([
    {
      image: "",
      message: 'container has runAsNonRoot and image will run as root (pod: "p_ns(u)", container: c)',
    },
    { image: "root", message: "container has runAsNonRoot and image will run as root" },
    { image: "0:0", message: "container has runAsNonRoot and image will run as root" },
    {
      image: "node",
      message:
        "container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root",
    },
  ])("image user '$image' with runAsNonRoot", ({ image, message }) => {
    expect(() => resolve({ image, pod: { runAsNonRoot: true } })).toThrow(message);
  });

  test("runAsUser 0 with runAsNonRoot", () => {
    expect(() => resolve({ image: "", own: { runAsUser: 0, runAsNonRoot: true } })).toThrow(
      "container's runAsUser breaks non-root policy",
    );
  });

  test("names that the image does not know", () => {
    expect(() => resolve({ image: "nobody" })).toThrow("unable to find user nobody");
    expect(() => resolve({ image: "node:nogroup" })).toThrow("unable to find group nogroup");
  });
});

test("runAsNonRoot is content with another user", () => {
  expect(resolve({ image: "1000", pod: { runAsNonRoot: true } }).uid).toBe(1000);
  expect(resolve({ image: "root", pod: { runAsNonRoot: true, runAsUser: 8 } }).uid).toBe(8);
});
