import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./command.ts";

export const imageName = "localhost/peapod-bench:1";

/**
 * Makes the benchmark's image: a static busybox, and `date` of this machine with its libraries, since busybox'
 * own has no nanoseconds. Resolves with its root file system and with a docker-archive that both sides load.
 */
export async function makeImage(workDir: string): Promise<{ rootfs: string; archive: string }> {
  const rootfs = join(workDir, "rootfs");
  const busybox = "/usr/bin/busybox";
  for (const folder of ["bin", "stamps", "etc", "proc", "sys", "dev", "run", "tmp", "var"]) {
    mkdirSync(join(rootfs, folder), { recursive: true });
  }
  for (const applet of ["sh", "sleep", "true"]) copyFileSync(busybox, join(rootfs, "bin", applet));
  const libraries = (await run("ldd", ["/bin/date"])).match(/\/\S+/g) ?? [];
  for (const file of ["/bin/date", ...libraries]) {
    mkdirSync(join(rootfs, dirname(file)), { recursive: true });
    copyFileSync(file, join(rootfs, file));
    chmodSync(join(rootfs, file), 0o755);
  }

  const archive = join(workDir, "image.tar");
  const storage = ["--root", join(workDir, "buildah"), "--runroot", join(workDir, "buildah-run")];
  const buildah = (...args: string[]) => run("buildah", [...storage, "--storage-driver", "vfs", ...args]);
  const container = (await buildah("from", "scratch")).trim();
  await buildah("copy", "--quiet", container, rootfs, "/");
  await buildah("config", "--env", "PATH=/bin", "--cmd", "/bin/sh", container);
  await buildah("commit", "--quiet", container, `docker-archive:${archive}:${imageName}`);
  await buildah("rm", container);
  return { rootfs, archive };
}
