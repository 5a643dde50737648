import { type ContainerView, pathIn } from "./pod-view.ts";

/** One entry of a container's `ports`, defaulted. */
export interface DeclaredPort {
  readonly view: ContainerView;
  /** `spec.containers[0].ports[0]` */
  readonly path: string;
  readonly name: string | undefined;
  readonly number: number;
  readonly protocol: string;
  readonly hostPort: number | undefined;
  readonly hostIP: string;
}

/** The ports that a container declares; entries without a number are left to validation. */
export function declaredPorts(view: ContainerView): DeclaredPort[] {
  return (view.container.ports ?? []).flatMap(({ containerPort, protocol, name, hostPort, hostIP }, index) =>
    containerPort
      ? [
          {
            view,
            path: pathIn(view, "ports", index),
            name: name || undefined,
            number: containerPort,
            protocol: protocol ?? "TCP",
            hostPort: hostPort || undefined,
            hostIP: hostIP ?? "",
          },
        ]
      : [],
  );
}

/** `8080/TCP` */
export function portText({ number, protocol }: Pick<DeclaredPort, "number" | "protocol">): string {
  return `${number}/${protocol}`;
}
