import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

/**
 * Who may import whom. `value` folders may be imported freely, `type` folders by `import type` only; nothing
 * else under src may be imported. A folder may always import itself.
 */
const rules: Record<string, { value: string[]; type: string[] }> = {
  base: { value: [], type: [] },
  kube: { value: ["base"], type: [] },
  host: { value: ["base"], type: [] },
  spdy: { value: [], type: [] },
  manifest: { value: ["base", "kube"], type: [] },
  store: { value: ["base", "kube"], type: [] },
  images: { value: ["base", "kube", "host"], type: [] },
  runtime: { value: ["base", "kube", "host"], type: [] },
  network: { value: ["base", "kube", "host"], type: [] },
  volumes: { value: ["base", "kube", "host"], type: [] },
  node: { value: ["base", "kube"], type: ["store", "images", "runtime", "network", "volumes", "channels"] },
  channels: { value: ["base", "kube", "host"], type: [] },
  diagnose: { value: ["base", "kube"], type: ["manifest", "channels"] },
  controllers: { value: ["base", "kube"], type: ["store"] },
  server: {
    value: ["base", "kube", "manifest", "diagnose", "spdy"],
    type: ["store", "channels", "node", "runtime", "controllers"],
  },
  client: { value: ["base", "spdy"], type: ["kube", "channels"] },
  measure: { value: ["base", "host"], type: [] },
  cli: { value: ["base", "kube", "manifest", "client", "diagnose"], type: ["channels", "measure"] },
  daemon: {
    value: [
      "base",
      "kube",
      "host",
      "manifest",
      "store",
      "images",
      "runtime",
      "network",
      "volumes",
      "node",
      "channels",
      "diagnose",
      "controllers",
      "server",
    ],
    type: [],
  },
};

/** Modules of Node.js that open a door to the system, and the only folders that may go through it. */
const doors: Record<string, string[]> = {
  "node:child_process": ["host", "cli"],
  koffi: ["host"],
  "@lydell/node-pty": ["host"],
  "node:sqlite": ["store"],
  fastify: ["server"],
  pino: ["daemon"],
};

const root = join(import.meta.dirname, "..");
const files = globSync("src/**/*.ts", { cwd: root }).filter((file) => !file.endsWith(".test.ts"));
const importLine = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\("([^"]+)"\)/gm;

function importsOf(file: string): { specifier: string; typeOnly: boolean }[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(importLine)].map((match) => ({
    specifier: match[2] ?? match[3] ?? "",
    typeOnly: match[1] !== undefined,
  }));
}

describe("who imports whom", () => {
  test.each(files)("%s", (file) => {
    const folder = file.split("/")[1] ?? "";
    const rule = rules[folder];
    expect(rule, `folder ${folder} has no rule`).toBeDefined();
    for (const { specifier, typeOnly } of importsOf(file)) {
      if (specifier === "../../package.json") {
        expect(file).toBe("src/base/version.ts");
      } else if (specifier.startsWith(".")) {
        const target = relative("src", normalize(join(dirname(file), specifier))).split("/")[0] ?? "";
        const allowed = [folder, ...(rule?.value ?? []), ...(typeOnly ? (rule?.type ?? []) : [])];
        expect(allowed, `${file} imports ${specifier}${typeOnly ? " as a type" : ""}`).toContain(target);
      } else if (doors[specifier] !== undefined) {
        expect(typeOnly || doors[specifier].includes(folder), `${file} imports ${specifier}`).toBe(true);
      }
    }
  });

  test("no barrel files", () => {
    expect(files.filter((file) => file.endsWith("/index.ts"))).toEqual([]);
  });

  test("no module is replaced in tests", () => {
    const tests = globSync("{src,test}/**/*.test.ts", { cwd: root });
    const word = ["vi", "mock"].join(".");
    expect(tests.filter((file) => readFileSync(join(root, file), "utf8").includes(word))).toEqual([]);
  });
});
