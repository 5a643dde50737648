import type { LiveRule } from "../live/view.ts";

export const imageNotThere: LiveRule = {
  id: "image-not-there",
  severity: "error",
  title: "A container's image cannot be had",
  reality:
    "The container waits until its image is there; the pull is tried again with longer and longer pauses (ImagePullBackOff).",
  fix: "Check the image's name and tag, and that this machine reaches the registry.",
  scope:
    "A container waits with the reason ErrImagePull, ImagePullBackOff, ErrImageNeverPull or InvalidImageName.",
  upstream: "https://kubernetes.io/docs/concepts/containers/images/",
  check(view) {
    return view.view.containers.flatMap(({ name, container }) => {
      const waiting = view.status(name)?.state?.waiting;
      if (
        !/^(?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName)$/.test(waiting?.reason ?? "")
      ) {
        return [];
      }
      const image = container.image ?? "";
      const said = view.warnings
        .filter(({ reason, message }) => /Pull|Failed|Inspect/.test(reason) && message.includes(image))
        .map(({ message }) => message)
        .at(-1);
      const text = `${waiting?.message ?? ""} ${said ?? ""}`;
      const fix = fixFor(waiting?.reason ?? "", text);
      return [
        {
          containers: [name],
          message: `the image ${image} of container "${name}" cannot be had: ${waiting?.reason}`,
          evidence: [
            {
              source: `status of container ${name}`,
              detail: `${waiting?.reason}: ${waiting?.message ?? ""}`,
            },
            ...(said === undefined ? [] : [{ source: "events of the pod", detail: said }]),
          ],
          ...(fix === undefined ? {} : { fix }),
        },
      ];
    });
  },
};

/** What the message of the registry or the network asks for, where it is clear. */
function fixFor(reason: string, text: string): string | undefined {
  if (reason === "InvalidImageName") return "Write the image as `[REGISTRY/]NAME[:TAG]`, in lower case.";
  if (reason === "ErrImageNeverPull")
    return "Load the image (`peapod image load`), or remove `imagePullPolicy: Never`.";
  if (/manifest unknown|not found|name unknown/i.test(text)) return "Name an image and tag that exist.";
  if (/unauthorized|authentication required|denied|forbidden/i.test(text))
    return "Check the name, or give credentials by `imagePullSecrets`.";
  if (/no such host|dial tcp|lookup|timeout|refused|unreachable/i.test(text))
    return "Check the registry's host name and that this machine reaches it.";
  return undefined;
}
