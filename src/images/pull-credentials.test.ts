import { expect, test } from "vitest";
import { authFileContent, matchingCredentials } from "./pull-credentials.ts";

const keys = (image: string, ...registries: string[]) =>
  matchingCredentials(
    image,
    registries.map((registry) => ({ registry, auth: "x" })),
  ).map(({ registry }) => registry);

test.each([
  ["alpine", "https://index.docker.io/v1/"],
  ["alpine", "docker.io"],
  ["docker.io/library/alpine:3", "docker.io/library"],
  ["registry.example.com/team/app", "registry.example.com"],
  ["registry.example.com/team/app", "https://registry.example.com/v2/"],
  ["registry.example.com/team/app", "*.example.com"],
  ["registry.example.com:5000/team/app", "*.example.com:5000"],
  ["registry.example.com/team/app", "reg*.example.com/team"],
])("%s has the credentials of %s", (image, key) => expect(keys(image, key)).toEqual([key]));

test.each([
  ["alpine", "quay.io"],
  ["registry.example.com/team/app", "example.com"],
  ["registry.example.com/team/app", "*.com"],
  ["registry.example.com:5000/team/app", "registry.example.com"],
  ["registry.example.com/team/app", "registry.example.com/other"],
])("%s has not those of %s", (image, key) => expect(keys(image, key)).toEqual([]));

test("the nearest comes first", () => {
  expect(keys("r.io/team/app", "r.io", "r.io/team/app", "r.io/team")).toEqual([
    "r.io/team/app",
    "r.io/team",
    "r.io",
  ]);
});

test("the file names the image, and the registries of the others", () => {
  const [own, other, any] = [
    { registry: "*.io", auth: "own" },
    { registry: "https://mirror.example/v2/", auth: "other" },
    { registry: "*.example", auth: "any" },
  ];
  expect(JSON.parse(authFileContent("r.io/team/app:1", own, [own, other, any]))).toEqual({
    auths: { "r.io/team/app": { auth: "own" }, "mirror.example": { auth: "other" } },
  });
});
