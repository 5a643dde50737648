import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PersistentVolumeClaim } from "../../kube/types.ts";
import { openStore } from "../../store/sqlite-store.ts";
import { bindClaim } from "./bind-claim.ts";

test("a volume whose daemon was killed before it was bound goes to no other claim", () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-claims-"));
  const store = openStore(join(folder, "peapod.db"));
  try {
    const claims = ["first", "second"].map(
      (name) =>
        store.create("persistentvolumeclaims", {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name, namespace: "default" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
        }) as unknown as PersistentVolumeClaim,
    );
    const [first, second] = claims as [PersistentVolumeClaim, PersistentVolumeClaim];
    const volumes = { makeClaimFolder: (name: string) => join(folder, name) };
    const killed = new Error("killed");
    const dying = {
      ...store,
      list: store.list.bind(store),
      create: store.create.bind(store),
      update() {
        throw killed;
      },
    } as unknown as typeof store;
    expect(() => bindClaim(first, { store: dying, volumes, nodeName: "node" })).toThrow(killed);

    const own = (claim: PersistentVolumeClaim) => `pvc-${claim.metadata?.uid}`;
    const bound = (claim: PersistentVolumeClaim) =>
      bindClaim(claim, { store, volumes, nodeName: "node" }).metadata?.name;
    expect(bound(second)).toBe(own(second));
    expect(bound(first)).toBe(own(first));
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
