import type { ImageConfig } from "./types.ts";

/** The `config` member of an OCI or Docker image configuration: every field may be absent or null. */
interface RawConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string | null;
  readonly User?: string | null;
  readonly StopSignal?: string | null;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
}

/** Reads an image configuration (https://github.com/opencontainers/image-spec/blob/main/config.md). */
export function parseImageConfig(json: unknown): ImageConfig {
  const raw = (json as { config?: RawConfig | null }).config ?? {};
  return {
    entrypoint: raw.Entrypoint ?? [],
    cmd: raw.Cmd ?? [],
    env: raw.Env ?? [],
    workingDir: raw.WorkingDir ?? "",
    user: raw.User ?? "",
    stopSignal: raw.StopSignal || undefined,
    exposedPorts: Object.keys(raw.ExposedPorts ?? {}),
    volumes: Object.keys(raw.Volumes ?? {}),
  };
}
