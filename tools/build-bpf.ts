import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachType } from "../src/host/bpf.ts";

/**
 * Compiles the BPF programs of src/network/counters into TypeScript modules: `npm run build:bpf`, which needs clang, llvm
 * and libbpf-dev. The results are committed, so that nobody else needs them; bpf-programs.test.ts says when one is
 * older than its source.
 */

const folder = join(import.meta.dirname, "../src/network/counters");

/** What one file of C becomes. */
export interface BPFSource {
  readonly source: string;
  readonly module: string;
  /** What the module calls the programs. */
  readonly constant: string;
  readonly description: string;
  /** Programs by their section in the object file. */
  readonly sections: Readonly<Record<string, AttachType>>;
}

export const bpfSources: readonly BPFSource[] = [
  {
    source: join(folder, "traffic.bpf.c"),
    module: join(folder, "traffic-program.ts"),
    constant: "trafficPrograms",
    description: "What counts the traffic of one container, one program for each place where it is attached.",
    sections: {
      sockops: "sockOps",
      "cgroup/sendmsg4": "udp4SendMessage",
      "cgroup/sendmsg6": "udp6SendMessage",
      "cgroup/recvmsg4": "udp4ReceiveMessage",
      "cgroup/recvmsg6": "udp6ReceiveMessage",
      "cgroup/sock_release": "socketRelease",
    },
  },
  {
    source: join(folder, "unix.bpf.c"),
    module: join(folder, "unix-program.ts"),
    constant: "unixPrograms",
    description:
      "What counts which Unix sockets one container calls, one program for each place where it is attached.",
    sections: { "cgroup/connect_unix": "unixConnect", "cgroup/sendmsg_unix": "unixSendMessage" },
  },
];

const pseudoMapFD = 1;
const pseudoKernelCall = 2;

/** What tells whether a module is of this source. */
export function digestOf(source: string): string {
  return createHash("sha256").update(source).digest("hex").slice(0, 16);
}

function build({ source, module, constant, description, sections }: BPFSource): void {
  const scratch = mkdtempSync(join(tmpdir(), "peapod-bpf-"));
  try {
    const object = join(scratch, "program.o");
    const headers = `-I/usr/include/${execFileSync("uname", ["-m"], { encoding: "utf8" }).trim()}-linux-gnu`;
    execFileSync(
      "clang",
      ["-O2", "-Wall", "-Werror", "-target", "bpf", headers, "-c", source, "-o", object],
      { stdio: "inherit" },
    );
    const license = dump(object, "license", scratch).toString("latin1").replace(/\0.*$/s, "");
    const lines = Object.entries(sections).map(([section, attachType]) => {
      const code = dump(object, section, scratch);
      const relocations = relocationsOf(object, section);
      for (const { offset, isMap } of relocations) {
        // The second byte: the registers; who is told apart by the one that reads is what has to be filled in.
        code[offset + 1] = ((code[offset + 1] ?? 0) & 0x0f) | ((isMap ? pseudoMapFD : pseudoKernelCall) << 4);
      }
      const kernelFunction = relocations.find(({ isMap }) => !isMap)?.symbol;
      const more = kernelFunction === undefined ? "" : `, kernelFunction: "${kernelFunction}"`;
      return `{ attachType: "${attachType}", license: "${license}"${more}, instructions: Buffer.from("${code.toString("base64")}", "base64") },`;
    });
    const name = source.slice(folder.length + 1);
    writeFileSync(
      module,
      `// Made from ${name} by npm run build:bpf.
import type { ProgramImage } from "../../host/bpf.ts";

/** Digest of the source that this was made from. */
export const sourceDigest = "${digestOf(readFileSync(source, "utf8"))}";

/** ${description} */
export const ${constant}: readonly ProgramImage[] = [
${lines.join("\n")}
];
`,
    );
    execFileSync("npx", ["biome", "check", "--write", module], { stdio: "inherit" });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function dump(object: string, section: string, scratch: string): Buffer {
  const file = join(scratch, "section");
  execFileSync("llvm-objcopy", ["--dump-section", `${section}=${file}`, object, "/dev/null"]);
  return readFileSync(file);
}

/** What has to be filled in where the program is loaded: the addresses of its one map, and calls of one kernel function. */
function relocationsOf(
  object: string,
  section: string,
): { offset: number; isMap: boolean; symbol: string }[] {
  const listed = execFileSync("llvm-readelf", ["--relocations", object], { encoding: "utf8" });
  const [, table = ""] = listed.split(`'.rel${section}'`);
  const [own = ""] = table.split("Relocation section");
  return [...own.matchAll(/^([0-9a-f]{16}) .*(R_BPF_64_64|R_BPF_64_32) +[0-9a-f]+ +(\S+)$/gm)].map(
    ([, offset = "", type, symbol = ""]) => ({
      offset: Number.parseInt(offset, 16),
      isMap: type === "R_BPF_64_64",
      symbol,
    }),
  );
}

if (import.meta.main) for (const source of bpfSources) build(source);
