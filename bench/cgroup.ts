import { run } from "./command.ts";

/** Removes a cgroup (a folder of one hierarchy) with all below it. Succeeds when it is not there. */
export async function removeCgroup(folder: string): Promise<void> {
  await run("find", [folder, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]).catch((error: Error) => {
    if (!error.message.includes("No such file")) throw error;
  });
}
