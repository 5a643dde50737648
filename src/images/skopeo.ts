import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { type CommandResult, runCommand } from "../host/command.ts";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";

/** Where a node's images are and how registries are reached. */
export interface SkopeoOptions {
  /** Holds the graph and skopeo's configuration files; survives a reboot. */
  readonly folder: string;
  readonly registriesConf: string | undefined;
  readonly authFile: string | undefined;
}

/**
 * skopeo with a store of this node's own: it talks to registries (mirrors, credentials, signatures), unpacks
 * layers once (whiteouts, extended attributes, compression) and deletes what no image uses any more. Several
 * commands may run at once; containers/storage locks between them.
 */
export class Skopeo {
  readonly graphRoot: string;
  readonly #options: SkopeoOptions;
  #prepared = false;

  constructor(options: SkopeoOptions) {
    this.#options = options;
    this.graphRoot = join(options.folder, "graph");
  }

  /**
   * Copies an image between two transports. `onLine` gets skopeo's progress lines; `authFile` (containers-auth.json(5))
   * takes the place of the machine's credentials.
   */
  copy(
    source: string,
    target: string,
    options: { onLine?: (line: string) => void; authFile?: string | undefined },
    scope: Scope,
  ): Promise<CommandResult> {
    const { onLine = () => {}, authFile } = options;
    return this.#run(["copy", "--remove-signatures", source, target], onLine, scope, authFile);
  }

  /** Deletes an image with all its names and the layers that only it had. `id` as 64 hexadecimal digits. */
  async delete(id: string, scope: Scope): Promise<void> {
    await this.#run(["delete", `containers-storage:@${id}`], () => {}, scope);
  }

  /**
   * Starts over with an empty graph: its images can all be pulled again. The old one is kept beside it until the next
   * time, since containers may stand on its layers.
   */
  setGraphAside(): void {
    const aside = `${this.graphRoot}.damaged`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(this.graphRoot, aside);
  }

  #run(
    args: readonly string[],
    onLine: (line: string) => void,
    scope: Scope,
    authFile = this.#options.authFile,
  ): Promise<CommandResult> {
    this.#prepare();
    const { registriesConf } = this.#options;
    const global = [
      ...(registriesConf === undefined ? [] : ["--registries-conf", registriesConf]),
      ...(hasPolicy() ? [] : ["--policy", join(this.#options.folder, "policy.json")]),
    ];
    const env = {
      CONTAINERS_STORAGE_CONF: join(this.#options.folder, "storage.conf"),
      STORAGE_DRIVER: undefined,
      STORAGE_OPTS: undefined,
      ...(authFile === undefined ? {} : { REGISTRY_AUTH_FILE: authFile }),
    };
    let partial = "";
    const onStdout = (chunk: Buffer) => {
      const lines = (partial + chunk.toString()).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    };
    return runCommand("skopeo", [...global, ...args], { env, onStdout }, scope);
  }

  #prepare(): void {
    if (this.#prepared) return;
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The run root counts mounts made by containers/storage itself. It makes none here, so the folder may outlive a
    // reboot, and nothing of it is left under the node's run directory.
    writeIfChanged(
      join(folder, "storage.conf"),
      [
        "[storage]",
        'driver = "overlay"',
        `graphroot = ${JSON.stringify(this.graphRoot)}`,
        `runroot = ${JSON.stringify(join(folder, "run"))}`,
        "[storage.options.overlay]",
        'skip_mount_home = "true"',
        "",
      ].join("\n"),
    );
    writeIfChanged(
      join(folder, "policy.json"),
      `${JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] })}\n`,
    );
    this.#prepared = true;
  }
}

/** What a failed skopeo wrote to standard error; empty for any other failure. */
export function errorOutput(error: unknown): string {
  if (!(error instanceof PeapodError)) return "";
  const { stderr } = (error.details ?? {}) as { stderr?: string };
  return stderr === undefined || stderr === "" ? error.message : stderr;
}

/** Whether the machine has a signature policy (containers-policy.json(5)); ours then stays out of the way. */
function hasPolicy(): boolean {
  return [join(homedir(), ".config/containers/policy.json"), "/etc/containers/policy.json"].some(existsSync);
}

function writeIfChanged(path: string, content: string): void {
  if (readFileIfExists(path) !== content) writeFileAtomically(path, content);
}
