import { describe, expect, test } from "vitest";
import { parseCNIConfig } from "./cni-config.ts";
import { type CNIAttachment, pluginInput } from "./cni-plugins.ts";

describe("configuration", () => {
  test("of a single plugin is a list of one", () => {
    const config = parseCNIConfig('{"cniVersion": "0.4.0", "name": "one", "type": "bridge"}');
    expect(config).toMatchObject({ name: "one", cniVersion: "0.4.0", plugins: [{ type: "bridge" }] });
  });
  test.each([
    ["{", "not JSON"],
    ['{"plugins": [{"type": "bridge"}]}', "name is missing"],
    ['{"name": "x", "plugins": []}', "plugins is empty"],
    ['{"name": "x", "plugins": [{"type": "../../bin/sh"}]}', "no program's name"],
    ['{"name": "x", "plugins": [{"type": ".."}]}', "no program's name"],
    ['{"name": "x", "plugins": [{}]}', "type is missing"],
  ])("%s: %s", (text, message) => {
    expect(() => parseCNIConfig(text)).toThrow(message);
  });
});

describe("what a plugin reads", () => {
  const attachment: CNIAttachment = {
    config: { cniVersion: "1.0.0", name: "net", disableCheck: false, plugins: [] },
    request: {
      podUID: "uid",
      namespace: "shop",
      name: "web",
      netns: "/run/net",
      hostPorts: [{ hostPort: 8080, containerPort: 80, protocol: "TCP", hostIP: "" }],
    },
    namespaceID: 1,
    added: 1,
    result: { ips: [{ address: "10.0.0.2/24" }] },
  };

  test("is its configuration with the network's name and the result so far", () => {
    expect(pluginInput({ type: "bridge", mtu: 1400 }, attachment)).toEqual({
      type: "bridge",
      mtu: 1400,
      cniVersion: "1.0.0",
      name: "net",
      prevResult: { ips: [{ address: "10.0.0.2/24" }] },
    });
  });

  test("has the host ports for a plugin that can publish them", () => {
    const input = pluginInput({ type: "portmap", capabilities: { portMappings: true } }, attachment);
    expect(input.runtimeConfig).toEqual({
      portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    });
    expect(input).not.toHaveProperty("capabilities");
  });

  test("has no result in versions before 0.3.0", () => {
    const old = { ...attachment, config: { ...attachment.config, cniVersion: "0.2.0" } };
    expect(pluginInput({ type: "bridge" }, old)).not.toHaveProperty("prevResult");
  });
});
