import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesClients } from "../../tools/kubernetes-clients/kubernetes-clients.ts";
import { type CommandOutput, runCommand, type TestNode } from "./peapod.ts";

/** One of the real clients, pointed at a test's node. */
export interface Client {
  /** Runs it to its end; never throws for its exit code. */
  run(args: readonly string[], options?: { input?: string; env?: NodeJS.ProcessEnv }): Promise<CommandOutput>;
  /** The same, and throws with both outputs when it does not exit with 0. */
  ok(args: readonly string[], options?: { input?: string; env?: NodeJS.ProcessEnv }): Promise<string>;
}

/**
 * kubectl 1.35 and Helm 4 with the node's own kubeconfig, and a home folder of their own for what they cache. The
 * files go with the node's.
 */
export async function clientsOf(node: TestNode): Promise<{
  kubectl: Client;
  /** Another program with the same surroundings. */
  client(program: string): Client;
  helm: Client;
  env: NodeJS.ProcessEnv;
  programs: { kubectl: string; helm: string };
}> {
  const kubeconfig = join(node.runDir, "kubeconfig");
  writeFileSync(kubeconfig, await node.ok(["kubeconfig"]), { mode: 0o600 });
  const { PATH = "" } = process.env;
  const env: NodeJS.ProcessEnv = { PATH, HOME: node.runDir, KUBECONFIG: kubeconfig, TZ: "UTC", LANG: "C" };
  const programs = kubernetesClients();
  const client = (program: string): Client => {
    const run: Client["run"] = (args, options = {}) =>
      runCommand(program, args, { ...options, env: { ...env, ...options.env } });
    return {
      run,
      async ok(args, options) {
        const { exitCode, stdout, stderr } = await run(args, options);
        if (exitCode === 0) return stdout;
        // What did not come about in time: why, only the node can tell.
        const why = args[0] === "wait" || args[0] === "rollout" ? await node.lastWords() : "";
        throw new Error(`${program} ${args.join(" ")}: exit code ${exitCode}\n${stdout}${stderr}${why}`);
      },
    };
  };
  return { client, kubectl: client(programs.kubectl), helm: client(programs.helm), env, programs };
}
