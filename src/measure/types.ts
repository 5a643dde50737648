/**
 * A way of talking that is measured. `tcp`: loopback, TCP_NODELAY. `unix`: stream socket. `fifo`: two named pipes, one
 * per direction. `shm`: two rings of 1 MiB in /dev/shm whose users sleep on a futex(2) when there is nothing to do;
 * `shm-spin`: the same, but they look again and again, which keeps a CPU each busy.
 */
export type Kind = "tcp" | "unix" | "fifo" | "shm" | "shm-spin";

/** What is measured in one window of time. */
export interface Window {
  readonly kind: Kind;
  /** Bytes of a message. */
  readonly size: number;
  readonly what: "round-trip" | "one-way";
  readonly milliseconds: number;
}

/** Of the server, which answers when it can be reached and again when the client has gone. */
export interface ServerAnswer {
  readonly state: "ready" | "done";
  /** Of `tcp`. */
  readonly port?: number;
}

/** Round trips, in microseconds. */
export interface RoundTrips {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** One way, until the receiver has said that it has everything. */
export interface OneWay {
  readonly bytes: number;
  readonly seconds: number;
}

/** Of the client, one per window. */
export type ClientAnswer = RoundTrips | OneWay;

/** What the measuring program itself needs, in nanoseconds: for one system call, and to look at the clock. */
export interface ProgramCost {
  readonly systemCall: number;
  readonly clock: number;
}

/** A line of standard input of either program. `port` is for the client alone, from the server's answer. */
export type Request = { readonly what: "cost" } | (Window & { readonly port?: number });
