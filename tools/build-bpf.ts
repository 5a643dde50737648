import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachType } from "../src/host/bpf.ts";

/**
 * Compiles src/network/counters/traffic.bpf.c into a TypeScript module: `npm run build:bpf`, which needs clang, llvm
 * and libbpf-dev. The result is committed, so that nobody else needs them; traffic-program.test.ts says when it is
 * older than its source.
 */

const folder = join(import.meta.dirname, "../src/network/counters");
export const sourceFile = join(folder, "traffic.bpf.c");
const outputFile = join(folder, "traffic-program.ts");

/** Programs by their section in the object file. */
const sections: Readonly<Record<string, AttachType>> = {
  sockops: "sockOps",
  "cgroup/sendmsg4": "udp4SendMessage",
  "cgroup/sendmsg6": "udp6SendMessage",
  "cgroup/recvmsg4": "udp4ReceiveMessage",
  "cgroup/recvmsg6": "udp6ReceiveMessage",
  "cgroup/sock_release": "socketRelease",
};

const pseudoMapFD = 1;

/** What tells whether the module is of this source. */
export function digestOf(source: string): string {
  return createHash("sha256").update(source).digest("hex").slice(0, 16);
}

function main(): void {
  const scratch = mkdtempSync(join(tmpdir(), "peapod-bpf-"));
  try {
    const object = join(scratch, "traffic.o");
    const headers = `-I/usr/include/${execFileSync("uname", ["-m"], { encoding: "utf8" }).trim()}-linux-gnu`;
    execFileSync(
      "clang",
      ["-O2", "-Wall", "-Werror", "-target", "bpf", headers, "-c", sourceFile, "-o", object],
      {
        stdio: "inherit",
      },
    );
    const programs = Object.entries(sections).map(([section, attachType]) => {
      const file = join(scratch, "section");
      execFileSync("llvm-objcopy", ["--dump-section", `${section}=${file}`, object, "/dev/null"]);
      const code = readFileSync(file);
      for (const offset of mapReferences(object, section))
        code[offset + 1] = (code[offset + 1] ?? 0) | (pseudoMapFD << 4);
      return { attachType, base64: code.toString("base64") };
    });
    writeFileSync(outputFile, moduleOf(programs));
    execFileSync("npx", ["biome", "check", "--write", outputFile], { stdio: "inherit" });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Offsets of the instructions that load the map's address; it is the only thing that is relocated. */
function mapReferences(object: string, section: string): number[] {
  const listed = execFileSync("llvm-readelf", ["--relocations", object], { encoding: "utf8" });
  const [, table = ""] = listed.split(`'.rel${section}'`);
  const [own = ""] = table.split("Relocation section");
  return [...own.matchAll(/^([0-9a-f]{16}) .*R_BPF_64_64 .* peers$/gm)].map((match) =>
    Number.parseInt(match[1] ?? "", 16),
  );
}

function moduleOf(programs: readonly { attachType: AttachType; base64: string }[]): string {
  const lines = programs.map(
    ({ attachType, base64 }) =>
      `{ attachType: "${attachType}", instructions: Buffer.from("${base64}", "base64") },`,
  );
  return `// Made from traffic.bpf.c by npm run build:bpf.
import type { ProgramImage } from "../../host/bpf.ts";

/** Digest of the source that this was made from. */
export const sourceDigest = "${digestOf(readFileSync(sourceFile, "utf8"))}";

/** What counts the traffic of one container, one program for each place where it is attached. */
export const trafficPrograms: readonly ProgramImage[] = [
${lines.join("\n")}
];
`;
}

if (import.meta.main) main();
