import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { layoutFor } from "../../src/host/layout.ts";
import { run, runDetached } from "../command.ts";
import { podManifest } from "../manifest.ts";
import { countInCgroup } from "../measure/cpu.ts";
import { processes, proportionalSetSize } from "../measure/memory.ts";
import { now } from "../measure/stamps.ts";
import type { BenchPod, Side } from "../types.ts";

const program = join(import.meta.dirname, "../../bin/peapod");
const podsPath = "/api/v1/namespaces/default/pods";

/** A peapod node of the benchmark's own, and the two ways to use it that are compared. */
export interface PeapodNode {
  /** Whole `peapod` calls. */
  readonly cli: Side;
  /** One HTTP request over the daemon's Unix socket, no new process on the client's side. */
  readonly api: Side;
  /** Configuration file of a running container of the pod. */
  bundleOf(pod: BenchPod): string;
  readonly version: string;
}

/** Starts the daemon and loads the image. */
export async function peapodNode(workDir: string, archive: string): Promise<PeapodNode> {
  const dir = join(workDir, "peapod");
  const stateDir = join(dir, "state");
  const runDir = join(dir, "run");
  mkdirSync(dir);
  const env = { PEAPOD_STATE_DIR: stateDir, PEAPOD_RUN_DIR: runDir };
  const peapod = (...args: string[]) => run(program, args, env);
  await runDetached(program, ["node", "start"], env);
  await peapod("image", "load", `docker-archive:${archive}`);
  const { pid, version } = JSON.parse(await peapod("node", "status", "-o", "json"));
  const manifestFile = (pod: BenchPod) => join(dir, `${pod.name}.json`);
  const socketPath = join(runDir, "api.sock");

  const side = {
    cgroups: [layoutFor(stateDir, runDir).instance, countInCgroup("peapod-bench-daemon", pid)],
    ready: async (pod: BenchPod) => writeFileSync(manifestFile(pod), JSON.stringify(podManifest(pod))),
    memory: () => {
      const monitors = processes().filter(
        ({ program: name, commandLine }) => name === "conmon" && commandLine.includes(dir),
      );
      return proportionalSetSize([pid, ...monitors.map((monitor) => monitor.pid)]);
    },
  };
  return {
    version,
    bundleOf: (pod) => {
      const files = globSync("containers/*/config.json", { cwd: stateDir });
      const file = files.find((name) => readFileSync(join(stateDir, name), "utf8").includes(pod.stampsDir));
      if (file === undefined) throw new Error(`no bundle of pod ${pod.name} in ${stateDir}`);
      return join(stateDir, file);
    },
    cli: {
      ...side,
      name: "peapod",
      start: async (pod) => void (await peapod("up", "-d", "-f", manifestFile(pod))),
      stop: async (pod) => {
        const begun = now();
        await peapod("delete", "pod", pod.name);
        return now() - begun;
      },
      exec: async (pod) =>
        void (await peapod("exec", pod.name, "-c", pod.containers[0] ?? "", "--", "/bin/true")),
      close: async () => {
        await peapod("down", "--all");
        await peapod("node", "stop");
        const left = readFileSync("/proc/self/mountinfo", "utf8").match(/\S*peapod-bench-\S+/g) ?? [];
        const mounts = left.filter((path) => path.startsWith(`${dir}/`));
        // Never delete through a mount: below it may be this machine's own files.
        if (mounts.length > 0) throw new Error(`Peapod left mounts: ${mounts.join(", ")}`);
        rmSync(dir, { recursive: true, force: true });
      },
    },
    api: {
      ...side,
      name: "peapod API",
      start: async (pod) => {
        await call(socketPath, "POST", podsPath, JSON.stringify(podManifest(pod)));
      },
      stop: async (pod) => {
        const begun = now();
        await call(socketPath, "DELETE", `${podsPath}/${pod.name}`);
        while ((await call(socketPath, "GET", `${podsPath}/${pod.name}`, undefined, [404])) !== 404) {
          await sleep(5);
        }
        return now() - begun;
      },
      close: async () => {},
    },
  };
}

/** One request; resolves with the status, which must be below 300 or one of `okCodes`. */
function call(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
  okCodes: readonly number[] = [],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request({ socketPath, method, path, headers }, (response) => {
      const status = response.statusCode ?? 0;
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => {
        if (status < 300 || okCodes.includes(status)) resolve(status);
        else reject(new Error(`${method} ${path}: ${status}: ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
