import { childPath, itemPath } from "../../kube/field-path.ts";
import type { Container, Probe } from "../../kube/types.ts";
import { forbidden, invalid, type Problem, required } from "../problems.ts";
import { oneOf, portNumber, portNumberOrName } from "./values.ts";

type LifecycleHandler = NonNullable<NonNullable<Container["lifecycle"]>["preStop"]>;
type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

const kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

/** Rules for what a probe or a lifecycle hook does: exactly one kind of action, and its fields. */
export function validateHandler(path: string, handler: Handler): Problem[] {
  const [first, ...others] = kinds.filter((kind) => handler[kind] !== undefined);
  if (first === undefined) return [required(path, "must specify a handler type")];
  return [
    ...others.map((kind) => forbidden(childPath(path, kind), "may not specify more than 1 handler type")),
    ...validateActions(path, handler),
  ];
}

function validateActions(path: string, { exec, httpGet, tcpSocket, grpc }: Handler): Problem[] {
  const problems: Problem[] = [];
  if (exec !== undefined && !exec.command?.length) problems.push(required(`${path}.exec.command`));
  if (httpGet !== undefined) problems.push(...validateHTTPGet(`${path}.httpGet`, httpGet));
  if (tcpSocket !== undefined) problems.push(...portNumberOrName(`${path}.tcpSocket.port`, tcpSocket.port));
  if (grpc !== undefined) {
    const field = `${path}.grpc.port`;
    problems.push(...(grpc.port === undefined ? [required(field)] : portNumber(field, grpc.port)));
  }
  return problems;
}

function validateHTTPGet(path: string, action: NonNullable<Handler["httpGet"]>): Problem[] {
  const problems: Problem[] = [...portNumberOrName(childPath(path, "port"), action.port)];
  problems.push(...oneOf(childPath(path, "scheme"), action.scheme, ["HTTP", "HTTPS"]));
  for (const [index, { name }] of (action.httpHeaders ?? []).entries()) {
    if (/^[-A-Za-z0-9]+$/.test(name ?? "")) continue;
    const form =
      "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
    problems.push(
      invalid(childPath(itemPath(childPath(path, "httpHeaders"), index), "name"), name ?? "", form),
    );
  }
  return problems;
}
