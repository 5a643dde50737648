import fc from "fast-check";
import { expect, test } from "vitest";
import type { KubernetesObject } from "../kube/types.ts";
import { ListPages } from "./list-pages.ts";

function objects(count: number): KubernetesObject[] {
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${index}`, uid: "", resourceVersion: "1", creationTimestamp: "" },
  }));
}

function pagesAt(time: { now: number }): ListPages {
  return new ListPages({ now: () => time.now, sleep: () => Promise.reject(new Error("unused")) });
}

test("the parts together are the list, whatever the limits", () => {
  fc.assert(
    fc.property(fc.nat(30), fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (count, limits) => {
      const pages = pagesAt({ now: 0 });
      const items = objects(count);
      let page = pages.first("5", items, limits[0] ?? 1);
      const seen = [...page.items];
      for (let turn = 1; page.continueToken !== undefined; turn += 1) {
        expect(page.remaining).toBe(count - seen.length);
        page = pages.next(page.continueToken, limits[turn % limits.length] ?? 1);
        expect(page.resourceVersion).toBe("5");
        seen.push(...page.items);
      }
      expect(seen).toEqual(items);
    }),
  );
});

test("a token works again, but not for ever, and only a few are kept", () => {
  const time = { now: 0 };
  const pages = pagesAt(time);
  const token = pages.first("1", objects(3), 1).continueToken ?? "";
  expect(pages.next(token, 1)).toEqual(pages.next(token, 1));
  time.now = 301_000;
  expect(() => pages.next(token, 1)).toThrow(expect.objectContaining({ code: "Expired" }));

  const first = pages.first("1", objects(3), 1).continueToken ?? "";
  for (let index = 0; index < 16; index += 1) pages.first("1", objects(3), 1);
  expect(() => pages.next(first, 1)).toThrow(expect.objectContaining({ code: "Expired" }));
});
