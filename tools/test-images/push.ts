import type { Scope } from "../../src/base/scope.ts";
import { runCommand } from "../../src/host/command.ts";

/** Pushes an image of an OCI folder, with all its architectures, to `ADDRESS/NAME`, by plain HTTP. */
export async function push(
  folder: string,
  image: string,
  address: string,
  name: string,
  scope: Scope,
): Promise<void> {
  const target = `docker://${address}/${name}`;
  const options = ["--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false"];
  await runCommand("skopeo", [...options, `oci:${folder}:${image}`, target], {}, scope);
}
