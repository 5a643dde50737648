import { PeapodError } from "../base/errors.ts";
import { kernelFunction } from "./btf.ts";
import { type Libc, libc } from "./libc.ts";

/**
 * The part of bpf(2) that programs on control groups need. Each call is synchronous, takes microseconds (loading a
 * program: some hundred), and throws `SystemCallFailed` (`WHAT: ERRNO`). Descriptors belong to the caller.
 */
export interface BPF {
  /** A hash map whose elements are made on demand (BPF_F_NO_PREALLOC). It lives as long as a descriptor or program has it. */
  createHashMap(name: string, shape: HashMapShape): number;
  /** Loads a program whose {@link ProgramImage.instructions} refer to one map, which is `map` from now on. */
  loadProgram(name: string, image: ProgramImage, map: number): number;
  /**
   * Attaches a program to an open folder of the version 2 tree, beside others that are there. It stays when every
   * descriptor is closed, until the control group is removed.
   */
  attach(cgroup: number, program: number, type: AttachType): void;
  /** Detaches the programs called `name` from exactly this control group. Idempotent. */
  detach(cgroup: number, type: AttachType, name: string): void;
  /** The map of the first program called `name` among those that are attached to exactly this control group. */
  attachedMap(cgroup: number, type: AttachType, name: string): number | undefined;
  /** What tells a map from all others. */
  mapID(map: number): number;
  /** All elements of a hash map, each the key's bytes and then the value's. What is added meanwhile may be missed. */
  elements(map: number, shape: HashMapShape): Buffer[];
  /** Deletes elements by their keys, with which they may begin. */
  deleteElements(map: number, shape: HashMapShape, elements: readonly Buffer[]): void;
  close(fd: number): void;
}

/** In bytes. */
export interface HashMapShape {
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
}

/** Where on a control group a program can be (enum bpf_attach_type of linux/bpf.h). */
export const attachTypes = {
  sockOps: 3,
  udp4SendMessage: 14,
  udp6SendMessage: 15,
  udp4ReceiveMessage: 19,
  udp6ReceiveMessage: 20,
  socketRelease: 34,
  unixConnect: 49,
  unixSendMessage: 50,
} as const;
export type AttachType = keyof typeof attachTypes;

/** A compiled program. */
export interface ProgramImage {
  readonly attachType: AttachType;
  readonly license: string;
  /** The one function of the kernel that it calls; the calls are marked with BPF_PSEUDO_KFUNC_CALL. */
  readonly kernelFunction?: string;
  /** Little-endian; loads of the map's address are marked with BPF_PSEUDO_MAP_FD. */
  readonly instructions: Uint8Array;
}

const callNumbers: Partial<Record<NodeJS.Architecture, number>> = { x64: 321, arm64: 280 };
// enum bpf_cmd of linux/bpf.h.
const commands = {
  createMap: 0,
  loadProgram: 5,
  attach: 8,
  detach: 9,
  programByID: 13,
  mapByID: 14,
  info: 15,
  query: 16,
  lookupBatch: 24,
  deleteBatch: 27,
} as const;
const hashMapType = 1;
const noPreallocationFlag = 1;
const allowMultipleFlag = 2;
/** enum bpf_prog_type of linux/bpf.h. */
const programTypes: Readonly<Record<AttachType, number>> = {
  sockOps: 13,
  udp4SendMessage: 18,
  udp6SendMessage: 18,
  udp4ReceiveMessage: 18,
  udp6ReceiveMessage: 18,
  socketRelease: 9,
  unixConnect: 18,
  unixSendMessage: 18,
};
const instructionSize = 8;
const loadDoubleWord = 0x18;
const pseudoMapFD = 1;
const callFunction = 0x85;
const pseudoKernelCall = 2;
const loadAttempts = 5;
const verifierLogLength = 2 ** 20;
/** Most programs on one control group that are looked through. */
const maxAttached = 64;
/** Length of a name with its end (BPF_OBJ_NAME_LEN). */
const nameLength = 16;

let calls: BPF | undefined;
const knownFunctions = new Map<string, number | undefined>();

/** The calls, loaded on first use; undefined where they can't be made (no koffi for this platform). */
export async function bpf(): Promise<BPF | undefined> {
  const loaded = await libc();
  const number = callNumbers[process.arch];
  if (loaded === undefined || number === undefined) return undefined;
  calls ??= load(loaded, number);
  return calls;
}

/** To look for it takes milliseconds, and the answer is the same as long as the kernel runs. */
function knownFunction(name: string): number | undefined {
  if (!knownFunctions.has(name)) knownFunctions.set(name, kernelFunction(name));
  return knownFunctions.get(name);
}

function load({ koffi, func, check, failure }: Libc, number: number): BPF {
  const syscall = func("long syscall(long number, int command, void *attributes, unsigned int size)");
  const closeFD = func("int close(int fd)");
  const call = (what: string, command: number, attributes: Buffer): number =>
    check(what, Number(syscall(number, command, attributes, attributes.length)));
  // Whoever passes an address keeps its buffer until the call is done.
  const address = (bytes: Uint8Array) => koffi.address(bytes) as bigint;

  // Kept for all calls: the kernel needs room for as many elements as a map may have.
  let keys = Buffer.alloc(0);
  let values = Buffer.alloc(0);

  const made: BPF = {
    createHashMap(name, { keySize, valueSize, maxEntries }) {
      const attributes = Buffer.alloc(44);
      [hashMapType, keySize, valueSize, maxEntries, noPreallocationFlag].forEach((value, index) => {
        attributes.writeUInt32LE(value, index * 4);
      });
      attributes.write(name, 28, nameLength - 1, "latin1");
      return call(`create BPF map ${name}`, commands.createMap, attributes);
    },

    loadProgram(name, image, map) {
      const { attachType } = image;
      const code = linked(name, image, map);
      const license = Buffer.from(`${image.license}\0`);
      const attributes = Buffer.alloc(72);
      attributes.writeUInt32LE(programTypes[attachType], 0);
      attributes.writeUInt32LE(code.length / instructionSize, 4);
      attributes.writeBigUInt64LE(address(code), 8);
      attributes.writeBigUInt64LE(address(license), 16);
      attributes.write(name, 48, nameLength - 1, "latin1");
      attributes.writeUInt32LE(attachTypes[attachType], 68);
      for (let attempt = 1; ; attempt += 1) {
        const fd = Number(syscall(number, commands.loadProgram, attributes, attributes.length));
        if (fd !== -1) return fd;
        const error = failure(`load BPF program ${name}`);
        // A signal to this thread has the verifier give up with EAGAIN; libbpf tries five times too.
        if (koffi.errno() !== koffi.os.errno.EAGAIN || attempt === loadAttempts) {
          throw new PeapodError("SystemCallFailed", `${error.message}${verdict(attributes)}`, {
            cause: error,
          });
        }
      }
    },

    attach(cgroup, program, type) {
      const attributes = attachment(cgroup, program, type);
      attributes.writeUInt32LE(allowMultipleFlag, 12);
      call(`attach BPF program (${type})`, commands.attach, attributes);
    },

    detach(cgroup, type, name) {
      for (const id of attachedPrograms(cgroup, type)) {
        withProgram(id, (program, itsName) => {
          if (itsName === name)
            call(`detach BPF program ${name}`, commands.detach, attachment(cgroup, program, type));
        });
      }
    },

    attachedMap(cgroup, type, name) {
      for (const id of attachedPrograms(cgroup, type)) {
        const map = withProgram(id, (_, itsName, itsMap) => (itsName === name ? itsMap : undefined));
        if (map !== undefined) return openByID("map", commands.mapByID, map);
      }
      return undefined;
    },

    mapID(map) {
      // struct bpf_map_info up to the ID.
      const information = Buffer.alloc(8);
      const attributes = Buffer.alloc(16);
      attributes.writeInt32LE(map, 0);
      attributes.writeUInt32LE(information.length, 4);
      attributes.writeBigUInt64LE(address(information), 8);
      call("ask for a BPF map", commands.info, attributes);
      return information.readUInt32LE(4);
    },

    elements(map, { keySize, valueSize, maxEntries }) {
      if (keys.length < keySize * maxEntries) keys = Buffer.allocUnsafe(keySize * maxEntries);
      if (values.length < valueSize * maxEntries) values = Buffer.allocUnsafe(valueSize * maxEntries);
      const position = Buffer.alloc(4);
      const attributes = Buffer.alloc(56);
      attributes.writeBigUInt64LE(address(position), 8);
      attributes.writeBigUInt64LE(address(keys), 16);
      attributes.writeBigUInt64LE(address(values), 24);
      attributes.writeUInt32LE(maxEntries, 32);
      attributes.writeInt32LE(map, 36);
      const result = Number(syscall(number, commands.lookupBatch, attributes, attributes.length));
      // ENOENT says that these were the last.
      if (result === -1 && koffi.errno() !== koffi.os.errno.ENOENT) throw failure("read BPF map");
      return Array.from({ length: attributes.readUInt32LE(32) }, (_, index) =>
        Buffer.concat([
          keys.subarray(index * keySize, (index + 1) * keySize),
          values.subarray(index * valueSize, (index + 1) * valueSize),
        ]),
      );
    },

    deleteElements(map, { keySize }, elements) {
      if (elements.length === 0) return;
      const gone = Buffer.concat(elements.map((element) => element.subarray(0, keySize)));
      const attributes = Buffer.alloc(56);
      attributes.writeBigUInt64LE(address(gone), 16);
      attributes.writeUInt32LE(elements.length, 32);
      attributes.writeInt32LE(map, 36);
      call("delete from BPF map", commands.deleteBatch, attributes);
    },

    close: (fd) => void closeFD(fd),
  };
  return made;

  /** The instructions with what only this kernel knows filled in. */
  function linked(name: string, { instructions, kernelFunction: wanted }: ProgramImage, map: number): Buffer {
    const code = Buffer.from(instructions);
    for (let at = 0; at < code.length; at += instructionSize) {
      const marked = (code[at + 1] ?? 0) >> 4;
      if (code[at] === loadDoubleWord && marked === pseudoMapFD) code.writeInt32LE(map, at + 4);
      if (code[at] === callFunction && marked === pseudoKernelCall) {
        const id = wanted === undefined ? undefined : knownFunction(wanted);
        if (id === undefined) {
          const message = `load BPF program ${name}: the kernel has no function ${wanted}`;
          throw new PeapodError("SystemCallFailed", message);
        }
        code.writeInt32LE(id, at + 4);
      }
    }
    return code;
  }

  /** The last words of the verifier on a program that it refused; empty where something else did. */
  function verdict(attributes: Buffer): string {
    const log = Buffer.alloc(verifierLogLength);
    attributes.writeUInt32LE(1, 24);
    attributes.writeUInt32LE(log.length, 28);
    attributes.writeBigUInt64LE(address(log), 32);
    const fd = Number(syscall(number, commands.loadProgram, attributes, attributes.length));
    if (fd !== -1) made.close(fd);
    const lines = log.toString("latin1").replace(/\0.*$/s, "").trimEnd().split("\n");
    const words = lines.at(-2) ?? "";
    return words === "" ? "" : `: ${words}`;
  }

  function attachedPrograms(cgroup: number, type: AttachType): number[] {
    const ids = Buffer.alloc(4 * maxAttached);
    const attributes = Buffer.alloc(32);
    attributes.writeInt32LE(cgroup, 0);
    attributes.writeUInt32LE(attachTypes[type], 4);
    attributes.writeBigUInt64LE(address(ids), 16);
    attributes.writeUInt32LE(maxAttached, 24);
    call("query BPF programs", commands.query, attributes);
    return Array.from({ length: attributes.readUInt32LE(24) }, (_, index) => ids.readUInt32LE(index * 4));
  }

  function openByID(what: string, command: number, id: number): number {
    const attributes = Buffer.alloc(12);
    attributes.writeUInt32LE(id, 0);
    return call(`open BPF ${what} ${id}`, command, attributes);
  }

  /** Calls `action` with an open program, its name and the ID of its first map. */
  function withProgram<T>(id: number, action: (fd: number, name: string, map: number | undefined) => T): T {
    const program = openByID("program", commands.programByID, id);
    try {
      const maps = Buffer.alloc(4);
      // struct bpf_prog_info up to the name.
      const info = Buffer.alloc(80);
      info.writeUInt32LE(1, 52);
      info.writeBigUInt64LE(address(maps), 56);
      const attributes = Buffer.alloc(16);
      attributes.writeInt32LE(program, 0);
      attributes.writeUInt32LE(info.length, 4);
      attributes.writeBigUInt64LE(address(info), 8);
      call("ask for a BPF program", commands.info, attributes);
      const name = info.toString("latin1", 64, 64 + nameLength).replace(/\0.*$/s, "");
      return action(program, name, info.readUInt32LE(52) > 0 ? maps.readUInt32LE(0) : undefined);
    } finally {
      made.close(program);
    }
  }

  function attachment(cgroup: number, program: number, type: AttachType): Buffer {
    const attributes = Buffer.alloc(16);
    attributes.writeInt32LE(cgroup, 0);
    attributes.writeInt32LE(program, 4);
    attributes.writeUInt32LE(attachTypes[type], 8);
    return attributes;
  }
}
