import { defineCommand } from "../command.ts";
import { kinds, parseKinds } from "../measure/kinds.ts";
import { usageError } from "../parse-arguments.ts";
import { formatObjects } from "../printers/objects.ts";

export const measure = defineCommand({
  name: "measure",
  summary: "Measure how fast containers of a pod talk on this machine: TCP, Unix socket, FIFO, shared memory",
  description:
    "Runs a pod of two containers that send messages to each other, and the same program as two processes directly " +
    "on the host, in turns. Prints round trip times and throughput by kind and message size, the host's figures " +
    "beside them and the ratio. No image is pulled: the containers see this machine's own programs, read-only. The " +
    "pod is deleted at the end, also after Ctrl-C.\n\n" +
    "Kinds: tcp (loopback), unix (stream socket), fifo (one per direction), shm (a ring in /dev/shm, waiting by " +
    "futex), shm-spin (the same, waiting by looking again: takes a CPU for each end).",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    kinds: {
      type: "string",
      value: "KIND,…",
      summary: "What to measure",
      default: kinds.join(","),
    },
    sizes: {
      type: "string",
      value: "SIZE,…",
      summary: "Bytes of a message, as quantities",
      default: "64,1Ki,64Ki,1Mi",
    },
    rounds: { type: "integer", value: "N", summary: "How often everything is measured", default: 5 },
    duration: {
      type: "duration",
      value: "TIME",
      summary: "Of one window: each kind and size has four per round",
      default: 100,
    },
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      choices: ["table", "json", "yaml"],
      default: "table",
      summary: "table (for a person), json or yaml",
    },
  },
  examples: [
    { text: "Everything, in under a minute", command: "peapod measure" },
    {
      text: "Is a Unix socket worth it for small messages?",
      command: "peapod measure --kinds tcp,unix --sizes 100 --rounds 20",
    },
    { text: "Figures for a program", command: "peapod measure -o json > measured.json" },
  ],
  async run({ options, session }) {
    const { terminal, scope } = session;
    const { byteSize, parseSizes } = await import("../measure/sizes.ts");
    const { plannedSeconds, runRounds } = await import("../measure/rounds.ts");
    const plan = {
      kinds: parseKinds(options.kinds ?? ""),
      sizes: parseSizes(options.sizes ?? ""),
      rounds: options.rounds ?? 1,
      windowMilliseconds: options.duration ?? 1,
    };
    if (plan.rounds < 1) throw usageError("--rounds must be at least 1");
    if (plan.windowMilliseconds < 1) throw usageError("--duration must be at least 1ms");

    const { startHostPair } = await import("../measure/host-pair.ts");
    const { startPodPair } = await import("../measure/pod-pair.ts");
    const { programCost } = await import("../measure/pair.ts");
    const seconds = Math.ceil(plannedSeconds(plan));
    await using pod = await startPodPair(4 * seconds + 120, session);
    await using host = startHostPair();
    const interrupted = new Promise<never>((_, reject) => {
      scope.signal.addEventListener("abort", () => reject(scope.signal.reason), { once: true });
    });
    const measuring = async () => {
      const program = { pod: await programCost(pod), host: await programCost(host) };
      if (!terminal.errIsTerminal) terminal.err(`Measuring, about ${seconds} s\n`);
      const series = await runRounds(plan, { pod, host }, (done, total, { kind, size }) => {
        if (!terminal.errIsTerminal) return;
        terminal.err(
          `\r\u001b[K${Math.floor((100 * done) / total)} % of about ${seconds} s: ${kind}, ${byteSize(size)}`,
        );
      });
      if (terminal.errIsTerminal) terminal.err("\r\u001b[K");
      return { program, series };
    };
    const { program, series } = await Promise.race([measuring(), interrupted]);
    const { summarizeMeasurement } = await import("../measure/measurement.ts");
    const measurement = summarizeMeasurement(plan, program, series);
    if (options.output === "json" || options.output === "yaml") {
      terminal.out(await formatObjects(options.output, [measurement], true));
    } else {
      const { measurementTable } = await import("../measure/measurement-table.ts");
      terminal.out(measurementTable(measurement));
    }
    return 0;
  },
});
