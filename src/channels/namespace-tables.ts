import { PeapodError } from "../base/errors.ts";
import { visitNamespace } from "../host/namespaces.ts";
import { type SocketDiagnosis, socketDiagnosis } from "../host/socket-diagnosis.ts";
import type { TcpCounters, UnixSocket } from "../host/sockets.ts";
import { lastOperators, type SemaphoreSet, SystemVReader, type SystemVTables } from "../host/sysvipc.ts";
import type { ObservedPod } from "./types.ts";

/** What was asked of a pod's namespaces. */
export interface NamespaceAnswers extends SystemVTables {
  readonly tcpCounters: readonly TcpCounters[];
  readonly unix: readonly UnixSocket[];
  /** By id of the set: who operated on its semaphores last. */
  readonly semaphoreOperators: ReadonlyMap<number, readonly number[]>;
}

type Namespaces = Pick<ObservedPod, "netns" | "ipcns">;

/** So many sets of semaphores are asked for their last operators. */
const maxSemaphoreSets = 16;

/**
 * The tables that only somebody inside a pod's network and IPC namespaces can ask for. They are opened there once and
 * asked from outside (docs/decisions/0022-socket-tables-without-a-helper.md). They keep the namespaces alive, so they must be
 * closed before these are to go.
 */
export class NamespaceTables {
  readonly #namespaces: Namespaces;
  readonly #sockets: SocketDiagnosis;
  readonly #systemV: SystemVReader;

  private constructor(namespaces: Namespaces, sockets: SocketDiagnosis, systemV: SystemVReader) {
    this.#namespaces = namespaces;
    this.#sockets = sockets;
    this.#systemV = systemV;
  }

  /** Rejects with SystemCallFailed; where system calls can't be made, with Unsupported. */
  static async open(namespaces: Namespaces): Promise<NamespaceTables> {
    const openSockets = await socketDiagnosis();
    if (openSockets === undefined) {
      throw new PeapodError("Unsupported", "system calls can't be made: no koffi for this platform");
    }
    const sockets = await visitNamespace(namespaces.netns, "network", openSockets);
    try {
      return new NamespaceTables(
        namespaces,
        sockets,
        await visitNamespace(namespaces.ipcns, "ipc", () => new SystemVReader()),
      );
    } catch (error) {
      sockets.close();
      throw error;
    }
  }

  /** Throws SystemCallFailed. */
  async ask(): Promise<NamespaceAnswers> {
    const systemV = this.#systemV.read();
    return {
      tcpCounters: this.#sockets.tcpCounters(),
      unix: this.#sockets.unixSockets(),
      ...systemV,
      semaphoreOperators: await this.#operators(systemV.semaphores.slice(0, maxSemaphoreSets)),
    };
  }

  close(): void {
    this.#sockets.close();
    this.#systemV.close();
  }

  async #operators(sets: readonly SemaphoreSet[]): Promise<ReadonlyMap<number, readonly number[]>> {
    const operatorsOf = sets.length === 0 ? undefined : await lastOperators();
    if (operatorsOf === undefined) return new Map();
    return visitNamespace(
      this.#namespaces.ipcns,
      "ipc",
      () => new Map(sets.map((set) => [set.id, operatorsOf(set)])),
    );
  }
}
