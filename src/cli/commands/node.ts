import { resolve } from "node:path";
import { type CommandGroup, defineCommand } from "../command.ts";
import { formatJson } from "../printers/json.ts";
import { factOutput } from "../shared-options.ts";

const start = defineCommand({
  name: "start",
  summary: "Start the node daemon and wait until it is ready",
  description:
    "Every command that needs the node starts it by itself; this one lets you choose how. The flags of a start are kept in STATE_DIR/node.json for all later ones that have none, until a start with other flags replaces them.",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    runtime: {
      type: "string",
      value: "NAME|PATH",
      summary: "OCI runtime: crun, runc or a path (default: crun where it works)",
    },
    "cni-conf-dir": {
      type: "string",
      value: "DIR",
      summary: "Use the CNI configuration in this folder for pod networks",
    },
    "pod-cidr": { type: "string", value: "CIDR", summary: "Addresses for pods (default: a free range)" },
    "registries-conf": { type: "string", value: "FILE", summary: "containers-registries.conf(5) to use" },
    "api-address": {
      type: "string",
      value: "HOST:PORT",
      summary:
        "Where kubectl reaches the node, by TLS; none: only the Unix socket (default 127.0.0.1:0, a free port that is kept)",
    },
    "allowed-unsafe-sysctls": {
      type: "string",
      value: "NAMES",
      summary: "Kernel parameters that pods may set beside the safe ones, separated by commas (net.core.*)",
    },
    "pod-max-pids": {
      type: "string",
      value: "NUMBER",
      summary: "Most processes and threads of one pod (default -1: no limit but the machine's)",
    },
    "log-level": {
      type: "string",
      value: "LEVEL",
      choices: ["debug", "info", "warn", "error", "silent"],
      summary: "How much goes to STATE_DIR/daemon.log (default info)",
    },
    defaults: { type: "boolean", summary: "Forget the flags of earlier starts" },
  },
  examples: [
    { text: "With another runtime", command: "peapod node start --runtime runc" },
    { text: "As at first", command: "peapod node start --defaults" },
  ],
  async run({ options, session }) {
    const { runningDaemon } = await import("../node/running-daemon.ts");
    const running = runningDaemon(session.runDir);
    const flags = {
      runtime: options.runtime,
      // The daemon's working folder is not the caller's.
      cniConfDir: options["cni-conf-dir"] && resolve(options["cni-conf-dir"]),
      podCIDR: options["pod-cidr"],
      registriesConf: options["registries-conf"] && resolve(options["registries-conf"]),
      apiAddress: options["api-address"],
      allowedUnsafeSysctls: options["allowed-unsafe-sysctls"],
      podMaxPIDs: options["pod-max-pids"],
      logLevel: options["log-level"],
    };
    const { startDaemon } = await import("../node/start-daemon.ts");
    const { stateDir, runDir } = session;
    await startDaemon({ stateDir, runDir, ...flags, defaults: options.defaults }, session.scope);
    const daemon = runningDaemon(session.runDir);
    const words = running?.pid === daemon?.pid ? "already running" : "started";
    if (
      words === "already running" &&
      (options.defaults || Object.values(flags).some((value) => value !== undefined))
    ) {
      session.terminal.err("Warning: the flags have no effect on a node that runs; stop it first\n");
    }
    session.terminal.out(`node ${words}${daemon === undefined ? "" : ` (pid ${daemon.pid})`}\n`);
    return 0;
  },
});

const stop = defineCommand({
  name: "stop",
  summary: "Stop the node daemon; containers go on",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    timeout: {
      type: "duration",
      value: "DURATION",
      default: 30_000,
      summary: "How long to wait for its end (default 30s)",
    },
  },
  examples: [{ text: "Remove everything, then stop", command: "peapod down --all && peapod node stop" }],
  async run({ options, session }) {
    const { stopDaemon } = await import("../node/stop-daemon.ts");
    const stopped = await stopDaemon(session.runDir, options.timeout, session.scope);
    session.terminal.out(
      stopped === undefined ? "node is not running\n" : `node stopped (pid ${stopped.pid})\n`,
    );
    return 0;
  },
});

const status = defineCommand({
  name: "status",
  summary: "Show whether the node runs, and how (exit code 1 when it does not)",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    output: factOutput,
  },
  examples: [{ text: "For scripts", command: "peapod node status -o json" }],
  async run({ options, session }) {
    const { nodeStatus } = await import("../node/node-status.ts");
    const found = await nodeStatus(session);
    if (found === undefined) {
      session.terminal.err(`node is not running (run folder ${session.runDir})\n`);
      return 1;
    }
    if (options.output === "json") session.terminal.out(formatJson(found));
    else if (options.output === "yaml")
      session.terminal.out((await import("../printers/yaml.ts")).formatYaml(found));
    else {
      const { formatColumns } = await import("../printers/columns.ts");
      session.terminal.out(
        formatColumns(
          Object.entries({ ...found, flags: flagWords(found.flags) })
            .filter(([key]) => key !== "problems")
            .map(([key, value]) => [`${key}:`, String(value)]),
        ),
      );
      for (const problem of found.problems) session.terminal.out(`problem: ${problem}\n`);
    }
    return 0;
  },
});

export const node: CommandGroup = {
  name: "node",
  summary: "The node daemon: start, stop, status",
  commands: [start, stop, status],
};

function flagWords(flags: Readonly<Record<string, string>>): string {
  return Object.entries(flags)
    .map(([name, value]) => `--${name}=${value}`)
    .join(" ");
}
