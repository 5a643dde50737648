import { execFileSync } from "node:child_process";

/** Version of the Go modules that declare Kubernetes' API: the one that kubernetes-models is made from. */
export const version = "v0.36.0";

/** Packages in the order of the field table's roots, so that names fall out alike. */
const packages = [
  ["k8s.io/apimachinery", "pkg/apis/meta/v1"],
  ["k8s.io/api", "core/v1"],
  ["k8s.io/api", "apps/v1"],
  ["k8s.io/api", "batch/v1"],
  ["k8s.io/api", "autoscaling/v2"],
  ["k8s.io/api", "autoscaling/v1"],
  ["k8s.io/api", "authentication/v1"],
  ["k8s.io/api", "authorization/v1"],
  ["k8s.io/api", "coordination/v1"],
  ["k8s.io/api", "discovery/v1"],
  ["k8s.io/api", "events/v1"],
  ["k8s.io/api", "networking/v1"],
  ["k8s.io/api", "node/v1"],
  ["k8s.io/api", "policy/v1"],
  ["k8s.io/api", "rbac/v1"],
  ["k8s.io/api", "scheduling/v1"],
  ["k8s.io/api", "storage/v1"],
] as const;

function moduleFolder(module: string): string {
  const answer = execFileSync("go", ["mod", "download", "-json", `${module}@${version}`], {
    encoding: "utf8",
    cwd: "/",
  });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

/** Folders of the packages, in order. Downloads the modules. */
export function packageFolders(): { folder: string; path: string }[] {
  const folders = new Map(
    [...new Set(packages.map(([module]) => module))].map((module) => [module, moduleFolder(module)]),
  );
  return packages.map(([module, path]) => ({ folder: folders.get(module) ?? "", path }));
}

/** Names types as the field table does, when asked in the order of the packages: a name taken before gets its group. */
export function typeNames(): (path: string, type: string) => string {
  const owners = new Map<string, string>();
  return (path, type) => {
    const owner = owners.get(type) ?? path;
    owners.set(type, owner);
    return owner === path ? type : `${path.split("/")[0]}.${type}`;
  };
}
