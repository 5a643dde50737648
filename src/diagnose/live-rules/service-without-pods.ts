import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { KnownService, LiveRule } from "../live/view.ts";

const failed = new RegExp(`${errorPatterns.ECONNREFUSED.source}|${errorPatterns.resolve.source}`, "i");

export const serviceWithoutPods: LiveRule = {
  id: "service-without-pods",
  severity: "error",
  title: "No ready pod stands behind the Service that a container asks",
  reality:
    "A Service passes connections on to the pods that its selector selects and that are ready. While there are none, a " +
    "connection to its address is refused at once, and the name of a headless Service does not resolve.",
  fix: "Compare the Service's selector with the pods' labels (`peapod get pods --show-labels`), and see whether they are ready.",
  scope:
    "A container wrote that a connection was refused or a name could not be resolved, in a line that has the name or address of a " +
    "Service without ready endpoints.",
  upstream: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",
  check(view) {
    const { namespace } = view.pod.metadata;
    const empty = view.services.filter(({ pods }) => pods.length === 0);
    return view.view.containers.flatMap(({ name }) => {
      const lines = errorLines(view, name, failed);
      return empty.flatMap((service) => {
        const line = lines.find(({ text }) => names(service, namespace).test(text));
        if (line === undefined) return [];
        const called = `Service ${service.namespace}/${service.name}`;
        return [
          {
            containers: [name],
            message: `container "${name}" asks ${called}, behind which there is no ready pod`,
            evidence: [
              logEvidence(line),
              { source: `EndpointSlices of ${called}`, detail: "no ready endpoint" },
              { source: called, detail: `selector ${service.selector || "none"}` },
            ],
          },
        ];
      });
    });
  },
};

/** The Service as a pod of namespace `from` may write it, as a whole word. */
function names({ name, namespace, address }: KnownService, from: string): RegExp {
  const long = String.raw`${name}\.${namespace}(?:\.svc(?:\.cluster\.local)?)?`;
  const forms = [long, ...(namespace === from ? [name] : []), ...(address === undefined ? [] : [address])];
  return new RegExp(`(?<![\\w.-])(?:${forms.join("|").replaceAll(/\.(?=\d)/g, "\\.")})\\.?(?![\\w-]|\\.\\w)`);
}
