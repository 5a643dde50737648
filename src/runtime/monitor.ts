import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { PeapodError } from "../base/errors.ts";
import { reportDescriptor, startDetached } from "../host/detached.ts";
import { readFileIfExists } from "../host/files.ts";
import { containerRunDir, containerStateDir, exitsDir } from "../host/layout.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";

/** What the monitor needs to know of a container whose bundle is written. */
export interface MonitorRequest {
  readonly id: string;
  readonly name: string;
  readonly logPath: string;
  readonly terminal: boolean;
  /** Keep the container's standard input open; otherwise it reads the end of file at once. */
  readonly stdin: boolean;
  /** End it when the first client that was attached to it goes away; otherwise others can attach after it. */
  readonly stdinOnce: boolean;
}

/** What conmon says on its sync pipe when the runtime has made the container, or has not. */
interface MonitorReport {
  readonly data: number;
  readonly message?: string;
}

/**
 * Starts a monitor (conmon(8)) that creates the container and from then on owns its standard streams, writes
 * its log in CRI format and, when it has ended, its exit code to a file named by its id in the exits folder.
 * The monitor has its own session and lives on without the daemon. Returns the PID of the container's init
 * process, which waits to be started. Throws CreateContainerError with the runtime's own words.
 */
export async function createByMonitor(context: RuntimeContext, request: MonitorRequest): Promise<number> {
  const runDir = containerRunDir(context.layout, request.id);
  const output = openSync(join(runDir, "monitor.log"), "a", 0o600);
  let report: MonitorReport | undefined;
  try {
    const reports = await startDetached(context.monitor, monitorArguments(context, request), {
      stderr: output,
      env: {
        _OCI_SYNCPIPE: String(reportDescriptor),
        NODE_EXTRA_CA_CERTS: undefined,
        NODE_OPTIONS: undefined,
      },
      // conmon leaves a file named `oom` in its working directory when the kernel killed something.
      cwd: containerStateDir(context.layout, request.id),
    });
    report = await readReport(reports);
  } finally {
    closeSync(output);
  }
  if (report !== undefined && report.data > 0) return report.data;
  const words = report?.message ?? readFileIfExists(join(runDir, "monitor.log")) ?? "";
  throw new PeapodError("CreateContainerError", `container create failed: ${runtimeMessage(words)}`, {
    details: { report, monitor: context.monitor },
  });
}

/** Always absolute paths: conmon fails silently with relative ones. */
function monitorArguments(context: RuntimeContext, request: MonitorRequest): readonly string[] {
  const { layout } = context;
  const runtime = runtimeOf(context, request.id);
  const bundle = containerStateDir(layout, request.id);
  const runDir = containerRunDir(layout, request.id);
  return [
    ...["--api-version", "1"],
    ...["--cid", request.id, "--cuuid", request.id, "--name", request.name],
    ...["--runtime", runtime.path, "--runtime-arg", "--root", "--runtime-arg", runtime.root],
    ...["--bundle", bundle, "--persist-dir", bundle],
    ...["--container-pidfile", join(runDir, "pid")],
    ...["--exit-dir", exitsDir(layout)],
    ...["--log-path", `k8s-file:${request.logPath}`, "--log-level", "error"],
    // Else every exit waits for the disk: conmon syncs the log's whole file system.
    "--no-sync-log",
    // The attach socket lies in the bundle, however long its path.
    "--full-attach",
    ...(request.terminal ? ["--terminal"] : []),
    ...(request.stdin ? ["--stdin"] : []),
    ...(request.stdin && !request.stdinOnce ? ["--leave-stdin-open"] : []),
  ];
}

/** The first report on the pipe; undefined when it is closed without one. */
function readReport(pipe: Readable): Promise<MonitorReport | undefined> {
  return new Promise((resolve) => {
    let text = "";
    pipe.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end === -1) return;
      resolve(JSON.parse(text.slice(0, end)) as MonitorReport);
      pipe.destroy();
    });
    pipe.on("error", () => resolve(undefined));
    pipe.on("close", () => resolve(undefined));
  });
}

/** The line of the runtime's output that says what went wrong, without time and level. */
export function runtimeMessage(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const line = lines.findLast((each) => /error|fail/i.test(each)) ?? lines.at(-1) ?? "no reason given";
  const json = /"msg":\s*"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  if (json !== undefined) return json.replaceAll('\\"', '"');
  return line.replace(/^\d{4}-\d\d-\d\dT\S+ /, "").trim();
}
