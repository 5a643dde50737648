import type { SharedRegion } from "../host/blocking-calls.ts";

/** Bytes that wait to be read at most; a power of two. */
const capacity = 1 << 20;
const line = 64;
const headerLength = 4096;
/** Some ten microseconds. */
const looksBeforeYield = 1024;

// Words of the header, each on a cache line of its own.
const written = 0;
const taken = line;
const readerSleeps = 2 * line;
const writerSleeps = 3 * line;
const ended = 4 * line;

/** Bytes of shared memory that a ring needs. */
export const ringLength = headerLength + capacity;

/**
 * A ring of bytes in shared memory with one writer and one reader, in two processes. Who has nothing to do either
 * sleeps on a futex of the other's counter, or (with `spin`) looks again at once. Counters run over after 4 GiB, which
 * their difference survives.
 */
export class Ring {
  readonly #region: SharedRegion;
  readonly #start: number;
  readonly #words: Int32Array;
  readonly #data: Buffer;
  readonly #spin: (() => void) | undefined;
  #looks = 0;

  /** `spin` (sched_yield(2)) is called when many looks in a row found nothing new: the other end may need this CPU. */
  constructor(region: SharedRegion, start: number, spin: (() => void) | undefined) {
    this.#region = region;
    this.#start = start;
    this.#words = new Int32Array(region.memory, start, headerLength / 4);
    this.#data = Buffer.from(region.memory, start + headerLength, capacity);
    this.#spin = spin;
  }

  /** Empties it; nobody may use it meanwhile. */
  reset(): void {
    this.#words.fill(0);
  }

  write(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length; ) {
      const head = this.#get(written);
      const free = capacity - ((head - this.#get(taken)) | 0);
      if (free === 0) {
        this.#rest(taken, (head - capacity) | 0, writerSleeps);
        continue;
      }
      const at = head & (capacity - 1);
      const count = Math.min(bytes.length - offset, free, capacity - at);
      bytes.copy(this.#data, at, offset, offset + count);
      this.#advance(written, (head + count) | 0, readerSleeps);
      offset += count;
    }
  }

  /** Waits until there is something; 0 after the end. */
  read(bytes: Buffer): number {
    for (;;) {
      const tail = this.#get(taken);
      const there = (this.#get(written) - tail) | 0;
      if (there === 0) {
        // Looked at after the counter: what was written before the end must not be lost.
        if (this.#get(ended) === 1 && this.#get(written) === tail) return 0;
        this.#rest(written, tail, readerSleeps);
        continue;
      }
      const at = tail & (capacity - 1);
      const count = Math.min(bytes.length, there, capacity - at);
      this.#data.copy(bytes, 0, at, at + count);
      this.#advance(taken, (tail + count) | 0, writerSleeps);
      return count;
    }
  }

  end(): void {
    Atomics.store(this.#words, ended / 4, 1);
    this.#region.wake(this.#start + written);
  }

  #get(word: number): number {
    return Atomics.load(this.#words, word / 4);
  }

  #advance(word: number, value: number, sleeper: number): void {
    Atomics.store(this.#words, word / 4, value);
    if (this.#spin !== undefined || Atomics.exchange(this.#words, sleeper / 4, 0) === 0) return;
    this.#region.wake(this.#start + word);
  }

  /** Until the counter is no longer `value`, or it is worth another look. */
  #rest(word: number, value: number, sleeper: number): void {
    if (this.#spin !== undefined) {
      this.#looks += 1;
      if (this.#looks % looksBeforeYield === 0) this.#spin();
      return;
    }
    Atomics.store(this.#words, sleeper / 4, 1);
    // The other end may have gone on, or ended, before it could see that somebody sleeps.
    if (this.#get(word) !== value || this.#get(ended) === 1) return;
    this.#region.wait(this.#start + word, value);
  }
}
