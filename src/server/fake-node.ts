import { generateKeyPairSync } from "node:crypto";
import { type Duplex, PassThrough, type Readable, type Writable } from "node:stream";
import { PeapodError } from "../base/errors.ts";
import { quietScope, type Scope } from "../base/scope.ts";
import type { Channel, ChannelObserver, MissingEvidence } from "../channels/types.ts";
import { type TokenKey, tokenKey } from "../kube/service-account-token.ts";
import type { ContainerName, NodeStreams, PodName } from "../node/types.ts";
import type { AttachRequest, ExecRequest, ExecSession, LogOptions } from "../runtime/types.ts";
import type { Store } from "../store/types.ts";
import type { AccessControl } from "./access/access-control.ts";
import type { ImageLibrary, LibraryImage } from "./image-library.ts";
import { ListPages } from "./list-pages.ts";
import { ensureNamespaces } from "./permanent-namespaces.ts";
import type { ApiContext } from "./request.ts";
import { resources } from "./resources/registry.ts";
import { UsageMeter } from "./usage.ts";

/** A process that a test plays: it reads `input`, writes `stdout` and `stderr`, and calls `exit`. */
export class FakeSession implements ExecSession {
  readonly input = new PassThrough();
  readonly stdin: Writable | undefined;
  readonly stdout: PassThrough & Readable = new PassThrough();
  readonly stderr: PassThrough | undefined;
  readonly sizes: string[] = [];
  readonly exited: Promise<number>;
  /** Ends the process with this exit code. */
  exit: (code: number) => void = () => {};
  killed = false;

  constructor(request: ExecRequest) {
    this.stdin = request.stdin ? this.input : undefined;
    this.stderr = request.tty ? undefined : new PassThrough();
    this.exited = new Promise((resolve) => {
      this.exit = (code) => {
        this.stdout.end();
        this.stderr?.end();
        resolve(code);
      };
    });
  }

  resize(columns: number, rows: number): void {
    this.sizes.push(`${columns}x${rows}`);
  }

  kill(): void {
    if (this.killed) return;
    this.killed = true;
    this.exit(137);
  }
}

/** The node behind an API server, as a test plays it; it records what it was asked. */
export class FakeNode implements NodeStreams, ChannelObserver {
  readonly asked: { target: ContainerName; options: unknown }[] = [];
  log: (scope: Scope) => AsyncIterable<Uint8Array> = () => emptyLog();
  run: (session: FakeSession, request: ExecRequest) => void = (session) => session.exit(0);
  /** The pod's end of a connection to a port. */
  listener: (port: number) => Duplex = (port) => {
    throw new PeapodError("ServiceUnavailable", `connect to localhost:${port}: connection refused`);
  };
  observed: { channels: readonly Channel[]; missing: readonly MissingEvidence[] } = {
    channels: [],
    missing: [],
  };

  async readLog(target: ContainerName, options: LogOptions & { previous: boolean }, scope: Scope) {
    this.asked.push({ target, options });
    return this.log(scope);
  }

  async exec(target: ContainerName, request: ExecRequest): Promise<ExecSession> {
    this.asked.push({ target, options: request });
    const session = new FakeSession(request);
    this.run(session, request);
    return session;
  }

  async attach(target: ContainerName, request: AttachRequest): Promise<ExecSession> {
    this.asked.push({ target, options: request });
    const session = new FakeSession({ ...request, command: [], tty: false });
    this.run(session, { ...request, command: [], tty: false });
    return session;
  }

  async connectToPort(_target: PodName, port: number): Promise<Duplex> {
    return this.listener(port);
  }

  async list() {
    return this.observed;
  }

  start(): void {}
  async stop(): Promise<void> {}
}

/** Images that are only names. */
export class FakeImages implements ImageLibrary {
  readonly #images = new Map<string, LibraryImage>();

  async list(): Promise<readonly LibraryImage[]> {
    return [...this.#images.values()];
  }

  async load(source: string): Promise<LibraryImage> {
    const image = {
      id: `sha256:${"0".repeat(63)}1`,
      names: [`${source}:latest`],
      digests: [],
      size: 5_000_000,
    };
    this.#images.set(image.id, image);
    return image;
  }

  pull(name: string): Promise<LibraryImage> {
    return this.load(name);
  }

  async remove(reference: string): Promise<void> {
    if (this.#images.delete(reference)) return;
    throw new PeapodError("NotFound", `images.peapod.dev ${JSON.stringify(reference)} not found`);
  }
}

/** A key as good as a node's own. */
export function fakeTokenKey(): TokenKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return tokenKey(privateKey, publicKey);
}

const fakeAccess: AccessControl = {
  tokenKey: fakeTokenKey(),
  reviewToken: () => undefined,
  authority: "an authority",
};

/** What an API server needs, on a fake node. */
export function fakeContext(store: Store, node = new FakeNode(), scope = quietScope()): ApiContext {
  const context: ApiContext = {
    store,
    access: fakeAccess,
    streams: node,
    channels: node,
    images: new FakeImages(),
    usage: new UsageMeter({ sample: () => [] }),
    nodeName: "here",
    resources,
    pages: new ListPages(scope.clock),
    scope,
  };
  ensureNamespaces(context);
  return context;
}

async function* emptyLog(): AsyncGenerator<Uint8Array> {}
