import type { ListenerEvidence } from "../../channels/evidence-types.ts";
import type { Channel } from "../../channels/types.ts";
import {
  addressText,
  answers,
  isLoopback,
  listenerEvidence,
  listenersOn,
  noListenerEvidence,
} from "./addresses.ts";
import type { ReachAnswer, ReachQuestion } from "./diagnosis.ts";
import { accessText, credentialsOf, credentialsText, mayWrite } from "./permissions.ts";
import { reachService } from "./reach-service.ts";
import type { LiveEvidence, LiveView } from "./view.ts";
import { isRunning } from "./view.ts";

type Answer = Omit<ReachAnswer, "question">;

/** Whether and how `from` can reach `to`, as far as what was seen tells. Pure. */
export function answerReach(view: LiveView, question: ReachQuestion): ReachAnswer {
  const { from, to, address } = question;
  const down = [from, to].find((name) => name !== undefined && !isRunning(view, name));
  const answer =
    down !== undefined
      ? notRunning(view, down)
      : address === undefined
        ? anyWay(view, from, to)
        : byAddress(view, from, to, address);
  return { question, ...answer };
}

function notRunning(view: LiveView, name: string): Answer {
  const state = view.status(name)?.state;
  const reason = state?.waiting?.reason ?? state?.terminated?.reason ?? "it was never started";
  return no(`container "${name}" does not run (${reason})`, [
    { source: `status of container ${name}`, detail: state?.waiting?.message ?? reason },
  ]);
}

function byAddress(view: LiveView, from: string, to: string | undefined, address: string): Answer {
  if (address.startsWith("@")) return byAbstractName(view, from, to, address);
  if (/^shm:/.test(address) || address.startsWith("/dev/shm/"))
    return bySharedMemory(view, from, to, address);
  if (address.startsWith("/")) return byPath(view, from, to, address);
  const match = /^(?:\[([\da-f:.]+)\]|([^:]*)):(\d+)$/i.exec(/^\d+$/.test(address) ? `:${address}` : address);
  if (match === null) {
    return {
      reachable: "Unknown",
      because: [`"${address}" is no address: write HOST:PORT, a path, @NAME or shm:/NAME`],
      evidence: [],
    };
  }
  return byPort(view, from, to, match[1] ?? (match[2] || "localhost"), Number(match[3]));
}

function byPort(view: LiveView, from: string, to: string | undefined, host: string, port: number): Answer {
  const { pod, evidence } = view;
  const isOwnName = host === "localhost" || host === pod.metadata.name || host === pod.spec.hostname;
  const isAddress = /^[\d.]+$/.test(host) || host.includes(":");
  const service = isOwnName ? undefined : reachService(view.services, pod.metadata.namespace, host, port);
  if (service !== undefined) return service;
  if (!isOwnName && !isAddress) {
    const isNeighbour = view.view.containers.some(({ name }) => name === host);
    return isNeighbour
      ? no(
          `"${host}" is the name of a container and of no host`,
          [],
          `Use localhost:${port} instead of ${host}:${port}.`,
        )
      : { reachable: "Unknown", because: [`"${host}" is no address of the pod`], evidence: [] };
  }
  const asked = host === "localhost" ? ["127.0.0.1", "::1"] : isOwnName ? [...(evidence?.ips ?? [])] : [host];
  const isOfPod = asked.some((each) => isLoopback(each) || (evidence?.ips ?? []).includes(each));
  if (!isOfPod) {
    return { reachable: "Unknown", because: [`${host} is no address of this pod`], evidence: [] };
  }
  const there = listenersOn(view, port);
  if (there.length === 0) {
    const own = (evidence?.listeners ?? []).filter(
      (each) => each.protocol === "TCP" && (to === undefined || each.container === to),
    );
    const [only, ...more] = own;
    return no(
      `nothing in the pod listens on port ${port}`,
      [noListenerEvidence(view, port)],
      only !== undefined && more.length === 0
        ? `Use port ${only.port}: container "${only.container}" listens on ${addressText(only)}.`
        : undefined,
    );
  }
  const wanted = there.filter(({ container }) => to === undefined || container === to);
  const [other] = there;
  if (wanted.length === 0 && other !== undefined) {
    return no(`container "${other.container}" has port ${port}, not "${to}"`, there.map(listenerEvidence));
  }
  const hit = wanted.find((each) => asked.some((address) => answers(each, address)));
  const [first] = wanted;
  if (hit === undefined) {
    return no(
      `container "${first?.container}" listens on ${wanted.map(addressText).join(", ")} only`,
      wanted.map(listenerEvidence),
      `Use ${first === undefined ? "" : addressText(first)}, or bind the server to 0.0.0.0:${port}.`,
    );
  }
  const address = asked.find((each) => answers(hit, each)) ?? host;
  const misses = asked.filter((each) => !wanted.some((listener) => answers(listener, each)));
  return yes(
    [
      `over TCP ${addressText({ address, port })}${seen(view, from, hit.container, (channel) => channel.spec.type === "TCP" && channel.spec.port === port)}`,
      ...(host === "localhost" && misses.length > 0
        ? [`a program that takes localhost for ${misses.join(", ")} only is refused`]
        : []),
    ],
    [listenerEvidence(hit)],
  );
}

function byAbstractName(view: LiveView, from: string, to: string | undefined, name: string): Answer {
  const servers = (view.evidence?.unixServers ?? []).filter((each) => each.name === name);
  const server = servers.find(({ container }) => to === undefined || container === to);
  if (server === undefined) {
    const [other] = servers;
    return no(
      other === undefined
        ? `nobody in the pod is bound to ${name}`
        : `container "${other.container}" is bound to ${name}, not "${to}"`,
      [{ source: "sock_diag", detail: `abstract names in the pod: ${abstractNames(view) || "none"}` }],
    );
  }
  return yes(
    [
      `over the abstract Unix socket ${name}, which needs no volume${seen(view, from, server.container, ({ spec }) => spec.address === name)}`,
    ],
    [
      {
        source: "sock_diag",
        detail: `${server.process} of container ${server.container} is bound to ${name}`,
      },
    ],
  );
}

function abstractNames({ evidence }: LiveView): string {
  return (evidence?.unixServers ?? [])
    .filter(({ name }) => name.startsWith("@"))
    .map(({ name }) => name)
    .join(", ");
}

function byPath(view: LiveView, from: string, to: string | undefined, path: string): Answer {
  const here = view.at(from, path);
  if (here === undefined) return { reachable: "Unknown", because: ["nobody looked there"], evidence: [] };
  const stat = (detail: string): LiveEvidence => ({ source: `stat ${path} in container ${from}`, detail });
  const mounted = here.elsewhere.filter(({ container }) => to === undefined || container === to);
  const named = (view.evidence?.unixServers ?? []).find(
    ({ container, name }) => name === path && container !== from && (to === undefined || container === to),
  );
  if (here.file === undefined) {
    return no(
      named === undefined
        ? `nothing is at ${path} in container "${from}"`
        : `container "${named.container}" listens on ${path} in its own file system; in container "${from}" nothing is at that path`,
      [stat("no such file")],
      here.label === undefined
        ? `Mount one emptyDir at ${path.slice(0, path.lastIndexOf("/")) || "/"} in both containers.`
        : undefined,
    );
  }
  if (here.label === undefined || mounted.length === 0) {
    return no(
      here.label === undefined
        ? `${path} of container "${from}" is in its own file system, which no other container sees`
        : `volume ${here.label.slice(0, here.label.indexOf(":"))} is not mounted in container "${to}"`,
      [stat(`inode ${here.file.identity}`)],
      "Mount one emptyDir in both containers.",
    );
  }
  const shared = `in container "${mounted[0]?.container}" it is ${mounted[0]?.path}`;
  if (here.file.kind === "socket") return bySocketFile(view, from, to, path, shared);
  const who = credentialsOf(view, from);
  const what = here.file.kind === "fifo" ? "FIFO" : here.file.kind;
  if (who !== undefined && !mayWrite(here.file, who)) {
    return no(`container "${from}" (${credentialsText(who)}) may not write ${path}`, [
      stat(accessText(here.file)),
    ]);
  }
  const channel = view.channels.find(({ spec }) => spec.address === here.label);
  const blocked = channel?.status.state === "Blocked" ? `; now: ${channel.status.reason}` : "";
  return yes(
    [
      `by the ${what} ${here.label}: ${shared}${seen(view, from, to, ({ spec }) => spec.address === here.label)}${blocked}`,
    ],
    [stat(`${what}, ${accessText(here.file)}`)],
  );
}

function bySocketFile(
  view: LiveView,
  from: string,
  to: string | undefined,
  path: string,
  shared: string,
): Answer {
  const here = view.at(from, path);
  const file = here?.file;
  const server = (view.evidence?.unixServers ?? []).find((each) => each.file?.identity === file?.identity);
  const stat = {
    source: `stat ${path} in container ${from}`,
    detail: file === undefined ? "" : `socket, ${accessText(file)}`,
  };
  if (file === undefined || server === undefined) {
    return no(
      `the socket file ${path} is there, but nobody listens on it`,
      [stat, { source: "sock_diag", detail: "no socket is bound to the file" }],
      "Have the server remove the file before it binds, and start it.",
    );
  }
  if (to !== undefined && server.container !== to) {
    return no(`container "${server.container}" listens on ${path}, not "${to}"`, [stat]);
  }
  const who = credentialsOf(view, from);
  if (who !== undefined && !mayWrite(file, who)) {
    return no(
      `container "${from}" (${credentialsText(who)}) may not connect: the socket has ${accessText(file)}`,
      [stat],
      "Run both containers as the same user, or make the socket group-writable and set fsGroup.",
    );
  }
  return yes(
    [
      `over the Unix socket ${here?.label ?? path}: ${shared}${seen(view, from, server.container, ({ spec }) => spec.address === here?.label)}`,
    ],
    [
      stat,
      { source: "sock_diag", detail: `${server.process} of container ${server.container} listens on it` },
    ],
  );
}

function bySharedMemory(view: LiveView, from: string, to: string | undefined, address: string): Answer {
  const name = address.replace(/^shm:\/?|^\/dev\/shm\//, "");
  const of = (container: string) => view.evidence?.containers.find((each) => each.name === container);
  const mine = of(from);
  const partners = (view.evidence?.containers ?? []).filter(
    (each) => each.name !== from && (to === undefined || each.name === to),
  );
  const partner =
    partners.find((each) => each.sharedMemory?.device === mine?.sharedMemory?.device) ?? partners[0];
  if (mine?.sharedMemory === undefined || partner?.sharedMemory === undefined) {
    return { reachable: "Unknown", because: ["nobody could look at /dev/shm"], evidence: [] };
  }
  const evidence = [mine, partner].map((each) => ({
    source: `stat /proc/${each.hostPID}/root/dev/shm`,
    detail: `container ${each.name}: device ${each.sharedMemory?.device}, ${each.sharedMemory?.names.includes(name) ? "has" : "lacks"} ${name}`,
  }));
  if (mine.sharedMemory.device !== partner.sharedMemory.device) {
    return no(
      `the /dev/shm of "${from}" and of "${partner.name}" are different file systems`,
      evidence,
      "Mount the same volume at /dev/shm in both containers, or in none.",
    );
  }
  if (!mine.sharedMemory.names.includes(name)) {
    return no(`/dev/shm, which both share, has no ${name}`, evidence);
  }
  return yes(
    [
      `by POSIX shared memory /${name}${seen(view, from, partner.name, ({ spec }) => spec.address === `/${name}`)}`,
    ],
    evidence,
  );
}

/** Without an address: what is seen between the two, else what `to` serves. */
function anyWay(view: LiveView, from: string, to: string | undefined): Answer {
  const between = view.channels.filter((channel) => isBetween(channel, from, to));
  const open = between.filter(
    ({ status }) => status.state === "Active" || status.state === "Idle" || status.state === "Closed",
  );
  const blocked = between.filter(({ status }) => status.state === "Blocked");
  const offers = to === undefined ? [] : offered(view, to);
  const because = [
    ...open.map((channel) => `over ${channelText(channel)}${seenText(channel)}`),
    ...blocked.map((channel) => `over ${channelText(channel)}, which is blocked: ${channel.status.reason}`),
  ];
  const evidence = [...open, ...blocked].flatMap(({ status }) => status.evidence).slice(0, 8);
  if (open.length > 0) return yes(because, evidence);
  if (offers.length > 0) {
    return yes(
      [
        ...because,
        `nobody is seen to, but container "${to}" listens on ${offers.map(({ text }) => text).join(", ")}`,
      ],
      [...evidence, ...offers.map((offer) => offer.evidence)],
    );
  }
  const whom = to === undefined ? "any other container" : `container "${to}"`;
  return blocked.length > 0
    ? { reachable: "No", because, evidence }
    : {
        reachable: "Unknown",
        because: [
          `container "${from}" is not seen to talk with ${whom}${to === undefined ? "" : ", which listens on nothing"}`,
        ],
        evidence: [],
      };
}

function offered(view: LiveView, to: string): { text: string; evidence: LiveEvidence }[] {
  const { listeners = [], unixServers = [] } = view.evidence ?? {};
  const isHis = ({ container }: { container: string }) => container === to;
  return [
    ...listeners.filter(isHis).map((each: ListenerEvidence) => ({
      text: `${each.protocol} ${addressText(each)}`,
      evidence: listenerEvidence(each),
    })),
    ...unixServers
      .filter((each) => isHis(each) && (each.label !== undefined || each.name.startsWith("@")))
      .map(({ name, label, process }) => ({
        text: `Unix socket ${label ?? name}`,
        evidence: { source: "sock_diag", detail: `${process} of container ${to} listens on ${name}` },
      })),
  ];
}

function isBetween({ status }: Channel, from: string, to: string | undefined): boolean {
  const names = new Set(status.endpoints.map(({ container }) => container));
  return names.has(from) && (to === undefined ? names.size > 1 : names.has(to) && from !== to);
}

function channelText({ spec }: Channel): string {
  return `${spec.type} ${spec.address}`;
}

/** ` (seen 12 connections)`, or nothing where nothing was seen. */
function seen(
  view: LiveView,
  from: string,
  to: string | undefined,
  matches: (channel: Channel) => boolean,
): string {
  const channel = view.channels.find((each) => matches(each) && isBetween(each, from, to));
  return channel === undefined ? "" : seenText(channel);
}

function seenText({ status }: Channel): string {
  const total = status.connections?.total;
  if (total !== undefined) return ` (seen ${total} connection${total === 1 ? "" : "s"})`;
  const operations = status.traffic?.clientToServer?.operations;
  if (operations !== undefined) return ` (seen ${operations} messages)`;
  return ` (seen ${status.state === "Closed" ? "earlier" : "open now"})`;
}

function yes(because: readonly string[], evidence: readonly LiveEvidence[]): Answer {
  return { reachable: "Yes", because, evidence };
}

function no(because: string, evidence: readonly LiveEvidence[], fix?: string): Answer {
  return { reachable: "No", because: [because], evidence, ...(fix === undefined ? {} : { fix }) };
}
