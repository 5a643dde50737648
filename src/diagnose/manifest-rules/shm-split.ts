import { resolvePath } from "../mounted-path.ts";
import { type ContainerView, pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";
import { findText } from "../texts.ts";

export const shmSplit: ManifestRule = {
  id: "shm-split",
  severity: "warning",
  title: "The containers of a pod have different /dev/shm",
  reality:
    "Without a volume there, all containers of a pod have the same `/dev/shm`: POSIX shared memory and semaphores " +
    "(`shm_open`, `sem_open`) are files in it. A volume mounted at `/dev/shm` in some containers only gives those another one: the same " +
    "name is then two different segments. System V shared memory is not concerned: it belongs to the IPC namespace.",
  fix: "Mount the same volume at `/dev/shm` in every container that shares memory.",
  scope:
    "A volume is mounted at `/dev/shm` in one container, and another one that runs at the same time has another volume or none " +
    "there. A warning when both do something with shared memory as far as the manifest shows (a volume of their own " +
    "there, or words such as `/dev/shm`, `shm_open`, `shared_memory`), else only information: a log shipper beside a " +
    "database needs no shared memory.",
  upstream: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
  check({ spec, running }) {
    const places = running.map((view) => ({ view, place: resolvePath(view, "/dev/shm", spec) }));
    const first = places.find(({ place }) => place.volume !== undefined);
    if (first === undefined) return [];
    return places
      .filter(({ view, place }) => view !== first.view && place.key !== first.place.key)
      .map(({ view, place }) => {
        const theirs = place.volume === undefined ? "the pod's own" : `volume "${place.volume}"`;
        const sharing = place.volume !== undefined || mentionsSharedMemory(view);
        return {
          field: place.volume === undefined ? view.path : pathIn(view, "volumeMounts"),
          severity: sharing ? ("warning" as const) : ("info" as const),
          message:
            `container "${first.view.name}" has volume "${first.place.volume}" at /dev/shm and container ` +
            `"${view.name}" has ${theirs}: they share no POSIX shared memory`,
          related: [pathIn(first.view, "volumeMounts")],
        };
      });
  },
};

function mentionsSharedMemory(view: ContainerView): boolean {
  return findText(view, /\/dev\/shm|\bshm_open\b|\bshared_memory\b|\bsem_open\b/) !== undefined;
}
