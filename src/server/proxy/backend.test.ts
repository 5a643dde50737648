import { expect, test } from "vitest";
import { parseProxyName } from "./backend.ts";

test.each([
  ["web", "http", "web", ""],
  ["web:8080", "http", "web", "8080"],
  ["web:", "http", "web", ""],
  ["https:web:", "https", "web", ""],
  ["https:web:named", "https", "web", "named"],
  [":web:80", "http", "web", "80"],
])("%s", (text, scheme, name, port) => {
  expect(parseProxyName(text)).toEqual({ scheme, name, port });
});

test.each(["", ":80", "ftp:web:21", "http::80", "a:b:c:d"])("%j is refused", (text) => {
  expect(() => parseProxyName(text)).toThrow("invalid proxy request");
});
