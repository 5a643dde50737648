import { expect, test } from "vitest";
import { isSecretInEtc } from "./host-image-rules.ts";

test.each([
  "shadow",
  "shadow-",
  "gshadow",
  "ssh",
  "ssl/private",
  "sudoers.d",
  "machine-id",
  "kubernetes",
  "nginx/site.key",
  "krb5.keytab",
  "app/.env",
  "skel/.ssh",
])("/etc/%s stays out", (path) => {
  expect(isSecretInEtc(path)).toBe(true);
});

test.each([
  "passwd",
  "group",
  "ssl/certs",
  "nsswitch.conf",
  "alternatives",
  "os-release",
  "ld.so.conf.d",
  "hosts",
])("/etc/%s is copied", (path) => {
  expect(isSecretInEtc(path)).toBe(false);
});
