import { defaultPorts, officialImage, repositoryOf } from "./image.ts";
import type { ContainerView } from "./pod-view.ts";
import { commandLine, commandsOf, shellScript } from "./shell.ts";

/** Helpers that serve or ship until somebody stops them: the last part of the image's name. */
const helpers =
  /(?:^|\/)(?:envoy|proxyv2|cloud-sql-proxy|cloudsql-proxy|gce-proxy|fluent-bit|fluentd|filebeat|promtail|vector|telegraf|oauth2-proxy|pgbouncer|opentelemetry-collector(?:-contrib)?|daprd)$/;

/** Proxies through which an app reaches others. */
const proxies = /(?:^|\/)(?:envoy|proxyv2|cloud-sql-proxy|cloudsql-proxy|gce-proxy|pgbouncer|daprd)$/;

/** Why a container never ends by itself, as far as its manifest tells; undefined when it may well end. */
export function neverEnds({ container }: ContainerView): string | undefined {
  const commands = commandsOf(container);
  const script = shellScript(commandLine(container));
  if (
    script !== undefined &&
    /\bwhile\s+(?:true|:|\[ 1 \])\s*(?:;|\n)/.test(script) &&
    !/\b(?:break|exit|return|kill)\b/.test(script)
  ) {
    return "its script loops for ever";
  }
  const last = commands.at(-1) ?? [];
  if (script === undefined || commands.length === 1) {
    if (last[0] === "sleep" && /^(?:inf|infinity)$/.test(last[1] ?? "")) return "it sleeps for ever";
    const follows = last[0] === "tail" && last.some((word) => /^-[^-]*[fF]|^--follow/.test(word));
    if (follows && !last.some((word) => word.startsWith("--pid"))) return "it follows a file for ever";
  }
  if (commands.length > 0 && (container.command ?? []).length > 0) return undefined;
  const server = defaultPorts(container) !== undefined && (container.args ?? []).length === 0;
  if (server) return `${officialImage(container)} serves until it is stopped`;
  const helper = helpers.exec(repositoryOf(container.image ?? ""));
  return helper === null ? undefined : `${helper[0].replace("/", "")} runs until it is stopped`;
}

/** Whether the container runs a proxy that others need for their connections, by its image's name. */
export function isProxy({ container }: ContainerView): boolean {
  return proxies.test(repositoryOf(container.image ?? ""));
}
