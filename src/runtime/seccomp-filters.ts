import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { isGone, readFileIfExists, writeFileAtomically } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import type { Container, PodSpec } from "../kube/types.ts";
import { type OCIRuntime, stateFolder } from "./oci-runtime.ts";
import type { OCISeccomp, OCISpec } from "./spec/oci.ts";
import { defaultSeccomp } from "./spec/seccomp.ts";

/** crun's annotation for a filter that is compiled already (crun(1), `run.oci.seccomp_bpf_data`). */
const compiledAnnotation = "run.oci.seccomp_bpf_data";

/**
 * Seccomp filters of containers. Compiling a profile is more than half of what crun does to create a container,
 * so the result for each profile is kept in the state folder and handed to crun ready-made; other runtimes, and
 * the first container with a profile, get the profile itself.
 */
export class SeccompFilters {
  readonly #layout: Layout;
  readonly #runtime: OCIRuntime;
  readonly #architecture: string;
  /** Base64 of compiled filters by key. */
  readonly #compiled = new Map<string, string>();
  #takesCompiled: boolean;

  constructor(layout: Layout, runtime: OCIRuntime, architecture: string) {
    this.#layout = layout;
    this.#runtime = runtime;
    this.#architecture = architecture;
    this.#takesCompiled = runtime.takesCompiledSeccomp;
  }

  /**
   * The container's profile: the default one unless securityContext (the container's before the pod's) asks for
   * `Unconfined` or for a file below `seccomp-profiles` in the state folder; none when privileged. Throws
   * CreateContainerConfigError for a file that is missing or no profile.
   */
  profileFor(spec: PodSpec, container: Container, capabilities: readonly string[]): OCISeccomp | undefined {
    if (container.securityContext?.privileged === true) return undefined;
    const asked = container.securityContext?.seccompProfile ?? spec.securityContext?.seccompProfile;
    if (asked?.type === "Unconfined") return undefined;
    if (asked?.type === "Localhost") return this.#localProfile(asked.localhostProfile ?? "");
    return defaultSeccomp(capabilities, this.#architecture);
  }

  /** The configuration with the profile in it, compiled where that is known and understood. */
  addTo(spec: OCISpec, profile: OCISeccomp | undefined): OCISpec {
    if (profile === undefined) return spec;
    const compiled = this.#takesCompiled ? this.#lookUp(this.#keyOf(profile)) : undefined;
    if (compiled === undefined) return { ...spec, linux: { ...spec.linux, seccomp: profile } };
    return { ...spec, annotations: { ...spec.annotations, [compiledAnnotation]: compiled } };
  }

  /**
   * To be called when the runtime has created a container with this profile: keeps the filter it compiled. Throws
   * CreateContainerError when it was given a compiled filter and did not take it, since the container would then
   * run without any; from then on it gets profiles only.
   */
  learnFrom(id: string, profile: OCISeccomp | undefined): void {
    if (profile === undefined || !this.#takesCompiled) return;
    const filter = readFilter(join(stateFolder(this.#runtime, id), "seccomp.bpf"));
    const given = this.#lookUp(this.#keyOf(profile));
    if (given !== undefined) {
      if (filter?.toString("base64") === given) return;
      this.#takesCompiled = false;
      throw new PeapodError(
        "CreateContainerError",
        `${this.#runtime.name} did not take its compiled seccomp filter`,
      );
    }
    if (filter === undefined) return;
    const key = this.#keyOf(profile);
    mkdirSync(join(this.#layout.stateDir, "seccomp"), { recursive: true, mode: 0o700 });
    writeFileAtomically(this.#path(key), filter);
    this.#compiled.set(key, filter.toString("base64"));
  }

  #lookUp(key: string): string | undefined {
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    try {
      const filter = readFileSync(this.#path(key)).toString("base64");
      this.#compiled.set(key, filter);
      return filter;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** Another version of the runtime may bring another compiler, so it has its own filters. */
  #keyOf(profile: OCISeccomp): string {
    const text = JSON.stringify([this.#runtime.name, this.#runtime.version, this.#architecture, profile]);
    return createHash("sha256").update(text).digest("hex");
  }

  #path(key: string): string {
    return join(this.#layout.stateDir, "seccomp", `${key}.bpf`);
  }

  #localProfile(name: string): OCISeccomp {
    const folder = join(this.#layout.stateDir, "seccomp-profiles");
    const path = join(folder, normalize(`/${name}`));
    const text = name === "" ? undefined : readFileIfExists(path);
    if (text === undefined) {
      throw new PeapodError("CreateContainerConfigError", `seccomp profile ${name} is not in ${folder}`);
    }
    try {
      const profile = JSON.parse(text) as OCISeccomp;
      if (typeof profile.defaultAction === "string") return { ...profile, syscalls: profile.syscalls ?? [] };
    } catch {
      // Answered below, as for JSON of another shape.
    }
    throw new PeapodError("CreateContainerConfigError", `seccomp profile ${path} is not a profile in JSON`);
  }
}

/** sizeof(struct sock_filter). */
const bytesOfInstruction = 8;

function readFilter(path: string): Buffer | undefined {
  try {
    const filter = readFileSync(path);
    return filter.length > 0 && filter.length % bytesOfInstruction === 0 ? filter : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
