import type { Scope } from "../../base/scope.ts";
import { runCommand } from "../../host/command.ts";
import { readFileIfExists } from "../../host/files.ts";
import type { NftChain } from "../../host/nft.ts";

/** One of the two kinds of iptables(8): both may be on a machine, and a packet has to pass both. */
type Backend = "nf_tables" | "legacy";

/** Rules for one bridge. */
export interface BridgeRules {
  readonly bridge: string;
  /** In the comment of every rule: by it they are found again. */
  readonly instance: string;
}

const programs: Record<Backend, readonly string[]> = {
  nf_tables: ["iptables-nft", "iptables"],
  legacy: ["iptables-legacy", "iptables"],
};

/**
 * What has to be accepted in iptables' built-in chains: all that comes from or goes to pods; of what they say to the
 * host itself only answers, and what was asked of a Service (names and the API: the only ones that lead to the host).
 */
function wantedRules({ bridge, instance }: BridgeRules): readonly { chain: string; rule: string }[] {
  const rule = (chain: string, match: string, what: string) => ({
    chain,
    rule: `${chain} ${match} -m comment --comment "${instance}: ${what}" -j ACCEPT`,
  });
  return [
    rule("FORWARD", `-i ${bridge}`, "from pods"),
    rule("FORWARD", `-o ${bridge}`, "to pods"),
    rule("INPUT", `-i ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT`, "answers and Services"),
  ];
}

/**
 * Opens the bridge in iptables' tables, where somebody uses them: in chains that are there already and before all that
 * they hold. Idempotent. A machine without iptables, or on which nobody has used it, stays as it is.
 */
export async function openIptables(
  rules: BridgeRules,
  chains: readonly NftChain[],
  scope: Scope,
): Promise<void> {
  for (const { program, has } of await tablesInUse(chains, scope)) {
    const present = await listRules(program, scope);
    const missing = wantedRules(rules).filter(
      ({ chain, rule }) =>
        has(chain) &&
        !present.some((line) => line.startsWith(`-A ${chain} `) && line.includes(commentOf(rule))),
    );
    await change(
      program,
      missing.map(({ rule }) => `-I ${rule}`),
      scope,
    );
    if (missing.length > 0) scope.log.info({ program, bridge: rules.bridge }, "opened iptables for pods");
  }
}

/** Removes every rule of the instance. Idempotent. */
export async function closeIptables(
  instance: string,
  chains: readonly NftChain[],
  scope: Scope,
): Promise<void> {
  for (const { program } of await tablesInUse(chains, scope)) {
    const own = (await listRules(program, scope)).filter((line) => line.includes(`--comment "${instance}: `));
    await change(
      program,
      own.map((line) => line.replace(/^-A/, "-D")),
      scope,
    );
  }
}

/** Whether iptables can be asked about this chain of nftables, since it is one of its own. */
export async function isIptables(chain: NftChain, scope: Scope): Promise<boolean> {
  if (chain.family !== "ip" || chain.table !== "filter" || !/^(FORWARD|INPUT)$/.test(chain.name))
    return false;
  return (await programFor("nf_tables", scope)) !== undefined;
}

interface TableInUse {
  readonly program: string;
  /** Whether the chain is there. Asking iptables would say yes, and inserting a rule would make it. */
  has(chain: string): boolean;
}

async function tablesInUse(chains: readonly NftChain[], scope: Scope): Promise<readonly TableInUse[]> {
  const filter = chains.filter(({ family, table }) => family === "ip" && table === "filter");
  const isHooked = (name: string) => filter.some((chain) => chain.name === name && chain.hook !== undefined);
  // Asking for a legacy table makes it; this file says whether it is there.
  const legacy = (readFileIfExists("/proc/net/ip_tables_names") ?? "").split("\n").includes("filter");
  const nftProgram = filter.length === 0 ? undefined : await programFor("nf_tables", scope);
  const legacyProgram = legacy ? await programFor("legacy", scope) : undefined;
  return [
    ...(nftProgram === undefined ? [] : [{ program: nftProgram, has: isHooked }]),
    ...(legacyProgram === undefined ? [] : [{ program: legacyProgram, has: () => true }]),
  ];
}

const found = new Map<Backend, string>();

/** The program for these tables; undefined where it isn't installed. Looked for until it is found. */
async function programFor(backend: Backend, scope: Scope): Promise<string | undefined> {
  for (const program of found.has(backend) ? [] : programs[backend]) {
    const version = await runCommand(program, ["--version"], {}, scope).catch(() => undefined);
    // Those before 1.8 are legacy and don't say so.
    if (version !== undefined && version.stdout.includes("(nf_tables)") === (backend === "nf_tables")) {
      found.set(backend, program);
      break;
    }
  }
  return found.get(backend);
}

async function listRules(program: string, scope: Scope): Promise<readonly string[]> {
  const { stdout } = await runCommand(program, ["-w", "5", "-S"], {}, scope);
  return stdout.split("\n");
}

/** Several changes in one transaction. */
async function change(program: string, lines: readonly string[], scope: Scope): Promise<void> {
  if (lines.length === 0) return;
  const input = `*filter\n${lines.join("\n")}\nCOMMIT\n`;
  await runCommand(`${program}-restore`, ["-w", "5", "--noflush"], { input }, scope);
}

function commentOf(rule: string): string {
  return /--comment "[^"]*"/.exec(rule)?.[0] ?? rule;
}
