import { spawnSync } from "node:child_process";

const patienceMilliseconds = 8_000;

/**
 * Whether the examples' images can be pulled: asks for one small manifest, through the same tool and the same
 * configuration (mirrors, proxies, certificates) as a real pull. A registry that stays silent counts as absent.
 */
export function registryAnswers(): boolean {
  const args = ["inspect", "--raw", "docker://docker.io/library/alpine:latest"];
  return spawnSync("skopeo", args, { stdio: "ignore", timeout: patienceMilliseconds }).status === 0;
}
