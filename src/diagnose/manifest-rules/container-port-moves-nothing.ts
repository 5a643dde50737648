import { declaredPorts } from "../declared-ports.ts";
import { defaultPorts } from "../image.ts";
import { pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";

export const containerPortMovesNothing: ManifestRule = {
  id: "container-port-moves-nothing",
  severity: "warning",
  title: "containerPort does not move a server to another port",
  reality:
    "`containerPort` is documentation: it opens nothing, closes nothing and is not told to the program. A server " +
    "listens where its own configuration says. Services, probes and neighbours that use the declared port find " +
    "nobody there (connection refused).",
  fix:
    "Declare the port on which the server really listens, or tell the server the port: by a flag in `args`, a " +
    "variable in `env` or a mounted configuration file.",
  scope:
    "An official server image (nginx, httpd, caddy, redis, valkey, memcached, postgres, mysql, mariadb, mongo) runs " +
    "with no command, arguments, environment or mounts that could change its port, and declares only TCP ports on " +
    "which it doesn't listen.",
  upstream: "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports",
  check({ running }) {
    return running.flatMap((view) => {
      const { command, args, env, envFrom, volumeMounts, image } = view.container;
      if ([command, args, env, envFrom, volumeMounts].some((list) => (list ?? []).length > 0)) return [];
      const listening = defaultPorts(view.container);
      const declared = declaredPorts(view).filter(({ protocol }) => protocol === "TCP");
      if (listening === undefined || declared.length === 0) return [];
      if (declared.some(({ number }) => listening.includes(number))) return [];
      const numbers = declared.map(({ number }) => number).join(", ");
      return [
        {
          field: declared.length === 1 ? (declared[0]?.path ?? view.path) : pathIn(view, "ports"),
          message:
            `container "${view.name}" declares port ${numbers}, but ${image} listens on ${listening[0]} and nothing ` +
            "in its manifest tells it otherwise",
        },
      ];
    });
  },
};
