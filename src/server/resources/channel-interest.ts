import type { ChannelInterest } from "../../channels/types.ts";
import { flag } from "../request.ts";

/** Annotation of a list of channels: JSON list of `{layer, reason}`, the evidence that this machine can't give. */
export const missingEvidenceAnnotation = "peapod.dev/missing-evidence";

/** `?deep=true` asks for the deep look. */
export function channelInterest(query: URLSearchParams): ChannelInterest {
  return flag(query, "deep") ? { deep: true } : {};
}
