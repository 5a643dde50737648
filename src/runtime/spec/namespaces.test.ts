import { expect, test } from "vitest";
import { namespaces } from "./namespaces.ts";

const pinned = { netns: "/s/net", ipcns: "/s/ipc", utsns: "/s/uts", pid: undefined };
const host = { netns: undefined, ipcns: undefined, utsns: undefined, pid: undefined };
const plain = { hostPID: false, privileged: false };

test.each([
  {
    name: "an ordinary pod",
    sandbox: pinned,
    options: plain,
    expected: ["pid", "mount", "network=/s/net", "ipc=/s/ipc", "uts=/s/uts", "cgroup"],
  },
  {
    name: "everything of the host",
    sandbox: host,
    options: { ...plain, hostPID: true },
    expected: ["mount", "cgroup"],
  },
  {
    name: "shareProcessNamespace",
    sandbox: { ...pinned, pid: 42 },
    options: plain,
    expected: ["pid=/proc/42/ns/pid", "mount", "network=/s/net", "ipc=/s/ipc", "uts=/s/uts", "cgroup"],
  },
  { name: "privileged", sandbox: host, options: { ...plain, privileged: true }, expected: ["pid", "mount"] },
])("$name", ({ sandbox, options, expected }) => {
  const found = namespaces(sandbox, options).map(({ type, path }) =>
    path === undefined ? type : `${type}=${path}`,
  );
  expect(found).toEqual(expected);
});
