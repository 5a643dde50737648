import { closeSync, readFileSync, writeSync } from "node:fs";
import { libc } from "./libc.ts";

/** A copy of a program in memory that nobody can change any more. */
export interface SealedProgram extends Disposable {
  /** What to execute; valid, for other processes too, as long as this process runs and the copy is not disposed. */
  readonly path: string;
}

const closeOnExec = 1;
const allowSealing = 2;
const addSeals = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE. */
const allSeals = 0xf;

/**
 * Copies a program into a sealed memory file (memfd_create(2), F_ADD_SEALS of fcntl(2)). An OCI runtime guards
 * itself against being overwritten by a container through /proc/self/exe; started from a sealed file it sees that
 * it is safe already and spares itself a copy, a mount and a second start (docs/decisions/0004-container-start.md
 * has the figures). Undefined where the system calls cannot be made (no koffi for this platform, or
 * PEAPOD_NO_SYSTEM_CALLS=1): then execute the file itself.
 */
export async function sealProgram(file: string): Promise<SealedProgram | undefined> {
  const loaded = await libc();
  if (loaded === undefined) return undefined;
  const { func } = loaded;
  const createMemoryFile = func("int memfd_create(const char *name, unsigned int flags)");
  const control = func("int fcntl(int fd, int command, ...)");
  const fd: number = createMemoryFile(file, closeOnExec | allowSealing);
  if (fd === -1) return undefined;
  const content = readFileSync(file);
  for (let offset = 0; offset < content.length; ) offset += writeSync(fd, content, offset);
  if (control(fd, addSeals, "int", allSeals) === -1) {
    closeSync(fd);
    return undefined;
  }
  return { path: `/proc/${process.pid}/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}
