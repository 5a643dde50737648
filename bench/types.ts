/** One pod of the benchmark: containers that write a time stamp as the first thing they do, then wait. */
export interface BenchPod {
  readonly name: string;
  readonly containers: readonly string[];
  /** Host folder, mounted at /stamps in each container, that gets one file per container. */
  readonly stampsDir: string;
}

/** One of the things compared. All times are milliseconds. */
export interface Side {
  readonly name: string;
  /** Makes what the side is allowed to have ready before the clock starts. */
  ready?(pod: BenchPod): Promise<void>;
  /** Starts the pod; resolves when the side's own command says that it is started. */
  start(pod: BenchPod): Promise<void>;
  /**
   * Stops and removes the pod; resolves with how long that took, less any pause that the side needs but that
   * is not its work, when nothing of the pod is left.
   */
  stop(pod: BenchPod): Promise<number>;
  /** Runs /bin/true in the pod's first container by the side's own command; absent where there is no such way. */
  exec?(pod: BenchPod): Promise<void>;
  /** Proportional set size in bytes of all processes that the side needs and the workload does not. */
  memory?(): number;
  /** Cgroups, below each hierarchy's mount, that hold the containers, the monitors and the daemon. */
  readonly cgroups: readonly string[];
  /** Removes all that the side made. */
  close(): Promise<void>;
}

/** Measured values of one kind, one per round, in the order of the rounds; -1 never occurs. */
export interface Series {
  readonly what: string;
  readonly side: string;
  readonly unit: "ms" | "s" | "MB" | "/s" | "%";
  readonly values: number[];
}
