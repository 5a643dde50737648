import { expect, test } from "vitest";
import { pullError } from "./pull-error.ts";

const fatal = (message: string) => `time="2026-11-23T12:23:09Z" level=fatal msg=${JSON.stringify(message)}\n`;

test.each([
  [
    'initializing source docker://127.0.0.1:1/a:latest: pinging container registry 127.0.0.1:1: Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    "connection refused by 127.0.0.1:1",
  ],
  [
    'pinging container registry registry-1.docker.io: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: no such host',
    "no such host: registry-1.docker.io",
  ],
  ["reading manifest latest in docker.io/library/nope: manifest unknown", "not found"],
  [
    "reading manifest latest in docker.io/library/nope: requested access to the resource is denied",
    "access denied: the repository does not exist or needs a login",
  ],
  [
    "reading manifest v1 in quay.io/a/b: unauthorized: authentication required",
    "unauthorized: the registry asks for (other) credentials",
  ],
  [
    'pinging container registry localhost:5000: Get "https://localhost:5000/v2/": http: server gave HTTP response to HTTPS client',
    "the registry speaks plain HTTP; allow it with `insecure = true` in registries.conf",
  ],
  [
    'choosing an image from manifest list docker://a: no image found in manifest list for architecture amd64, variant "", OS linux',
    "no image for this machine (linux/amd64)",
  ],
  ["something new under the sun", "something new under the sun"],
])("%s", (message, words) => {
  const error = pullError("a", fatal(message), undefined);
  expect(error.code).toBe("ErrImagePull");
  expect(error.message).toBe(`failed to pull image "a": ${words}`);
});
