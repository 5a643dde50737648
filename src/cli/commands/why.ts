import { diagnoses, resourcePath } from "../../client/resources.ts";
import type { Diagnosis } from "../../diagnose/live/diagnosis.ts";
import { defineCommand } from "../command.ts";
import { findPods } from "../find-pods.ts";
import { usageError } from "../parse-arguments.ts";
import { formatObjects } from "../printers/objects.ts";
import { namespaceOf } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { formatDiagnosis } from "../why/diagnosis-text.ts";

export const why = defineCommand({
  name: "why",
  summary: "Explain why a running pod, or the way between two of its containers, does not work",
  description:
    "Looks at the pod as it is now: the kernel's tables of sockets, files and FIFOs, connection counters, states, " +
    "exit codes and the last lines of its logs. Says what happens, why, from which evidence, and the shortest fix. " +
    "With FROM (and TO, and ADDRESS) it answers whether and how container FROM can reach container TO.\n\n" +
    "ADDRESS is HOST:PORT, :PORT, a path as FROM calls it (Unix socket, FIFO, file), @NAME (abstract socket) or shm:/NAME.\n\n" +
    "Exit codes: 0 nothing wrong, or yes; 1 something found, or no; 2 usage.",
  usage: "(POD | TYPE/NAME) [FROM] [TO] [ADDRESS]",
  args: { min: 1, max: 4 },
  completes: "pods",
  options: {
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      choices: ["text", "json", "yaml"],
      default: "text",
      summary: "text (for a person), json or yaml",
    },
  },
  examples: [
    { text: "Everything that is wrong with a pod", command: "peapod why web" },
    { text: "Every pod of a Deployment", command: "peapod why deploy/web" },
    {
      text: "Can the client reach the server on port 8080?",
      command: "peapod why web client server localhost:8080",
    },
    {
      text: "By a Unix socket, as the client calls it",
      command: "peapod why web client server /run/app.sock",
    },
  ],
  async run({ args, options, session }) {
    const { client, scope, terminal } = session;
    const [pod = "", from, ...rest] = args;
    const { to, address } = target(rest);
    const query = Object.entries({ from, to, address })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`)
      .join("&");
    const diagnose = async (name: string) => {
      const path = resourcePath(diagnoses, { namespace: namespaceOf(session), name });
      return JSON.parse(await client.raw(query === "" ? path : `${path}?${query}`, scope)) as Diagnosis;
    };
    const names = pod.includes("/")
      ? (await findPods(pod, session)).items.map(({ metadata }) => metadata.name)
      : [pod];
    const found = await Promise.all(names.map(diagnose));
    terminal.out(
      options.output === "json" || options.output === "yaml"
        ? await formatObjects(options.output, found, found.length === 1)
        : found.length === 1
          ? formatDiagnosis(found[0] as Diagnosis, terminal)
          : found.map((each) => formatOfSeveral(each, terminal)).join("\n"),
    );
    return Math.max(...found.map(exitCodeOf));
  },
});

function formatOfSeveral(diagnosis: Diagnosis, terminal: Terminal): string {
  const { answer, findings, metadata } = diagnosis;
  const saysItself = findings.length === 0 && answer === undefined;
  return `${saysItself ? "" : `pod/${metadata.name}:\n`}${formatDiagnosis(diagnosis, terminal)}`;
}

/** `TO`, `ADDRESS` or `TO ADDRESS`: no container has a colon, slash or `@` in its name, or digits alone for one. */
function target([first, second]: readonly string[]): {
  readonly to: string | undefined;
  readonly address: string | undefined;
} {
  const isAddress = first !== undefined && /[:/@]/.test(first);
  if (!isAddress) return { to: first, address: second };
  if (second !== undefined) throw usageError("the address comes last: peapod why POD FROM TO ADDRESS");
  return { to: undefined, address: first };
}

function exitCodeOf({ answer, findings }: Diagnosis): number {
  if (answer !== undefined) return answer.reachable === "No" ? 1 : 0;
  return findings.some(({ severity }) => severity !== "info") ? 1 : 0;
}
