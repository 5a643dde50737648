import type { ContainerEvidence, PathEvidence } from "../../channels/evidence-types.ts";

export type FileAccess = NonNullable<PathEvidence["file"]>;
export type ProcessCredentials = NonNullable<ContainerEvidence["credentials"]>;
