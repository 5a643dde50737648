import { expect, test } from "vitest";
import { reachService } from "./reach-service.ts";
import type { KnownService } from "./view.ts";

const web: KnownService = {
  namespace: "shop",
  name: "web",
  address: "10.96.0.7",
  selector: "app=web",
  ports: [{ port: 80, protocol: "TCP", pods: ["web-0 (10.244.0.2:8080)"] }],
  pods: ["web-0 (10.244.0.2)"],
};
const idle: KnownService = {
  ...web,
  name: "idle",
  address: "10.96.0.8",
  ports: [{ port: 80, protocol: "TCP", pods: [] }],
  pods: [],
};
const group: KnownService = { ...web, name: "group", address: undefined, ports: [] };

test.each<[string, string, number, string | undefined, string]>([
  ["shop", "web", 80, "Yes", "through Service shop/web at 10.96.0.7:80, to web-0 (10.244.0.2:8080)"],
  ["shop", "10.96.0.7", 80, "Yes", "through Service shop/web at 10.96.0.7:80, to web-0 (10.244.0.2:8080)"],
  ["other", "web.shop", 80, "Yes", "through Service shop/web at 10.96.0.7:80, to web-0 (10.244.0.2:8080)"],
  [
    "other",
    "web.shop.svc.cluster.local",
    80,
    "Yes",
    "through Service shop/web at 10.96.0.7:80, to web-0 (10.244.0.2:8080)",
  ],
  ["other", "web", 80, undefined, ""],
  ["shop", "web", 8080, "No", "Service shop/web has no port 8080, so the connection is refused"],
  ["shop", "idle", 80, "No", "no ready pod stands behind Service shop/idle, so the connection is refused"],
  ["shop", "group", 8080, "Yes", "through Service shop/group, to web-0 (10.244.0.2)"],
])("from %s to %s:%d", (namespace, host, port, reachable, because) => {
  const answer = reachService([web, idle, group], namespace, host, port);
  expect(answer?.reachable).toBe(reachable);
  expect(answer?.because[0] ?? "").toBe(because);
});
