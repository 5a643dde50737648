import { describe, expect, test } from "vitest";
import { PeapodError } from "../base/errors.ts";
import { fullName, parseReference } from "./reference.ts";

const hex = "0123456789abcdef".repeat(4);

describe("image names are completed as Kubernetes' runtimes do it", () => {
  test.each([
    ["alpine", "docker.io/library/alpine:latest"],
    ["alpine:3.20", "docker.io/library/alpine:3.20"],
    ["alpine/curl", "docker.io/alpine/curl:latest"],
    ["docker.io/alpine", "docker.io/library/alpine:latest"],
    ["index.docker.io/library/alpine", "docker.io/library/alpine:latest"],
    ["localhost/app", "localhost/app:latest"],
    ["localhost:5000/app:v1", "localhost:5000/app:v1"],
    ["127.0.0.1:5000/team/app", "127.0.0.1:5000/team/app:latest"],
    ["registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"],
    ["[::1]:5000/app", "[::1]:5000/app:latest"],
    ["node:18-alpine", "docker.io/library/node:18-alpine"],
    [`alpine@sha256:${hex}`, `docker.io/library/alpine@sha256:${hex}`],
    [`quay.io/a/b:tag@sha256:${hex}`, `quay.io/a/b@sha256:${hex}`],
    ["a__b/c.d_e--f", "docker.io/a__b/c.d_e--f:latest"],
  ])("%s", (image, full) => {
    expect(fullName(parseReference(image))).toBe(full);
  });
});

describe("a name that cannot be one says why", () => {
  test.each([
    ["", "it is empty"],
    ["al pine", "it contains white space"],
    ["https://docker.io/alpine", "a scheme such as https:// does not belong to an image name"],
    ["MyImage", 'repository name "library/MyImage" must be lowercase'],
    ["quay.io/Team/app", 'repository name "Team/app" must be lowercase'],
    ["alpine:", 'tag "" must be 1 to 128'],
    ["alpine:.x", 'tag ".x" must be 1 to 128'],
    ["a//b", "a part between two slashes is empty"],
    ["alpine/", "a part between two slashes is empty"],
    ["-alpine", '"-alpine" may only hold lowercase'],
    ["alpine@sha256:abc", "must have 64 lowercase hexadecimal digits"],
    ["alpine@md5:abc", "must be sha256:, sha384: or sha512:"],
    [hex, "64 hexadecimal digits are an image ID, not a name"],
    ["a".repeat(256), "longer than 255 characters"],
    ["reg_istry.io/app", '"reg_istry.io" is no host name'],
  ])("%s", (image, reason) => {
    expect(() => parseReference(image)).toThrow(PeapodError);
    expect(() => parseReference(image)).toThrow(reason);
    expect(() => parseReference(image)).toThrow(`couldn't parse image name "${image}": `);
  });
});
