import { expect, test } from "vitest";
import { localAppArmorProfile } from "./apparmor.ts";

const localhost = (localhostProfile: string) => ({
  appArmorProfile: { type: "Localhost" as const, localhostProfile },
});
const unconfined = { appArmorProfile: { type: "Unconfined" as const } };

test("a container's own setting goes before the pod's", () => {
  const container = { name: "a" };
  expect(localAppArmorProfile({ containers: [] }, container)).toBeUndefined();
  const spec = { containers: [], securityContext: localhost("of-pod") };
  expect(localAppArmorProfile(spec, container)).toBe("of-pod");
  expect(localAppArmorProfile(spec, { ...container, securityContext: localhost("own") })).toBe("own");
  expect(localAppArmorProfile(spec, { ...container, securityContext: unconfined })).toBeUndefined();
});
