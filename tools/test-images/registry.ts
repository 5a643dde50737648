import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scope } from "../../src/base/scope.ts";
import { startProcess } from "../../src/host/child-process.ts";

/** A registry that listens on this machine until it is closed. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** A registries.conf that sends everything of docker.io to it, and never asks docker.io itself. */
  readonly registriesConf: string;
  close(): Promise<void>;
}

/** Starts Debian's docker-registry over `storage` on a free port; resolves when it answers. */
export async function startRegistry(
  options: { storage: string; readOnly: boolean; port?: number },
  scope: Scope,
): Promise<Registry> {
  const address = `127.0.0.1:${options.port ?? (await freePort())}`;
  const folder = mkdtempSync(join(tmpdir(), "peapod-registry-"));
  const registriesConf = join(folder, "registries.conf");
  writeFileSync(registriesConf, remap(address));
  writeFileSync(join(folder, "config.yml"), configuration(address, options));
  // The registry ends with the process that started it, even if that is killed.
  const child = startProcess(
    "setpriv",
    ["--pdeathsig", "KILL", "docker-registry", "serve", join(folder, "config.yml")],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { OTEL_TRACES_EXPORTER: "none" },
    },
  );
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exited = once(child, "close");
  const close = async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    while (!(await answers(address))) {
      if (child.exitCode !== null) throw new Error(`docker-registry ended: ${output}`);
      await scope.clock.sleep(20, scope.signal);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { address, registriesConf, close, [Symbol.asyncDispose]: close };
}

function configuration(
  address: string,
  { storage, readOnly }: { storage: string; readOnly: boolean },
): string {
  return JSON.stringify({
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: readOnly } },
    },
    http: { addr: address },
  });
}

function remap(address: string): string {
  return [
    "[[registry]]",
    'prefix = "docker.io"',
    `location = "${address}"`,
    "insecure = true",
    "[[registry]]",
    `location = "${address}"`,
    "insecure = true",
    "",
  ].join("\n");
}

async function answers(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}/v2/`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
