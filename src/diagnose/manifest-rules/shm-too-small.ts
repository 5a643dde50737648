import { repositoryOf } from "../image.ts";
import { canonicalPath } from "../mounted-path.ts";
import { pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";
import { findText } from "../texts.ts";

/** Programs that are known to fill more than the default /dev/shm, with what they then say. */
const hungry: readonly { image: RegExp; program: string; symptom: string; severity: "warning" | "info" }[] = [
  {
    image:
      /^(?:selenium\/(?:standalone|node)-(?:chrome|chromium|edge)|browserless\/chrome|ghcr\.io\/browserless\/chrom\w+|zenika\/alpine-chrome|chromedp\/headless-shell)$/,
    program: "Chrome",
    symptom: "its tabs crash (“Aw, Snap!”, session deleted because of page crash)",
    severity: "warning",
  },
  {
    image: /^(?:pytorch\/pytorch|nvcr\.io\/nvidia\/pytorch)$/,
    program: "PyTorch's data loader",
    symptom: "its workers die with a bus error (SIGBUS)",
    severity: "info",
  },
  {
    image: /^(?:(?:library\/)?postgres|postgis\/postgis|timescale\/timescaledb(?:-ha)?)$/,
    program: "PostgreSQL's parallel queries",
    symptom: "they fail with “could not resize shared memory segment: No space left on device”",
    severity: "info",
  },
];

export const shmTooSmall: ManifestRule = {
  id: "shm-too-small",
  severity: "warning",
  title: "A program that needs much shared memory has the default 64 MB of /dev/shm",
  reality:
    "Every pod gets one `/dev/shm` of 64 MB, which its containers share, and Kubernetes has no field to make it larger. A program that fills it gets " +
    "`No space left on device`, or is killed by SIGBUS when it touches memory that cannot be had.",
  fix:
    "Mount a volume with `emptyDir: {medium: Memory, sizeLimit: …}` at `/dev/shm`, in every container that shares " +
    "memory with it. It counts against the memory limit of the container that writes.",
  scope:
    "The image is one of a short list (Selenium's and other Chrome images, PyTorch; as mere information PostgreSQL " +
    "and its kin), nothing is mounted at `/dev/shm`, the pod doesn't use `hostIPC`, and Chrome isn't told " +
    "`--disable-dev-shm-usage`.",
  upstream: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
  check({ spec, running }) {
    if (spec.hostIPC === true) return [];
    return running.flatMap((view) => {
      const repository = repositoryOf(view.container.image ?? "");
      const known = hungry.find(({ image }) => image.test(repository));
      if (known === undefined || findText(view, /disable-dev-shm-usage/) !== undefined) return [];
      const mounts = view.container.volumeMounts ?? [];
      if (mounts.some(({ mountPath }) => canonicalPath(mountPath ?? "") === "/dev/shm")) return [];
      return [
        {
          field: pathIn(view, "image"),
          severity: known.severity,
          message: `container "${view.name}" has 64 MB of /dev/shm; when ${known.program} need more, ${known.symptom}`,
        },
      ];
    });
  },
};
