import { describe, expect, test } from "vitest";
import { manifestRules } from "../../diagnose/manifest-rules/registry.ts";
import { githubCommands } from "./github.ts";
import { reportObject } from "./json.ts";
import { checkSources, exitCodeOf } from "./report.ts";
import { sarifLog } from "./sarif.ts";
import { formatReport } from "./text.ts";

function report(text: string, name = "pod.yaml", level: "error" | "warning" | "info" = "warning") {
  return checkSources([{ name, text: new TextEncoder().encode(text) }], level);
}

const pod = (spec: string, annotations = "") => `
apiVersion: v1
kind: Pod
metadata: {name: p${annotations}}
spec: ${spec}
`;
const clean = pod("{containers: [{name: a, image: example.com/a}]}");
const twoPorts =
  "{name: a, image: i, ports: [{containerPort: 80}]}, {name: b, image: j, ports: [{containerPort: 80}]}";
const wrong = pod(`{containers: [${twoPorts}]}`);
const suppressed = pod(
  `{containers: [${twoPorts}]}`,
  ', annotations: {peapod.dev/ignore.same-port-twice: "SO_REUSEPORT"}',
);
const invalid = pod(`{containers: [${twoPorts}], restartPolcy: Never}`);
const info = pod("{containers: [{name: db, image: postgres}]}");

describe("exit code and level", () => {
  test.each([
    ["nothing", clean, 0],
    ["a finding", wrong, 1],
    ["a suppressed finding", suppressed, 0],
    ["an invalid manifest, findings or not", invalid, 3],
    ["mere information", info, 0],
  ])("%s", (_, text, code) => {
    expect(exitCodeOf(report(text))).toBe(code);
  });

  test("mere information counts where it is asked for", () => {
    expect(exitCodeOf(report(info, "pod.yaml", "info"))).toBe(1);
  });

  test("an invalid manifest still has its findings", () => {
    expect(report(invalid).pods.flatMap(({ findings }) => findings.map(({ rule }) => rule))).toEqual([
      "same-port-twice",
    ]);
  });
});

describe("for a person", () => {
  const text = (source: string) => formatReport(report(source), { colour: false });

  test("the ways to talk, then findings, then a summary", () => {
    expect(
      text(wrong),
    ).toBe(`pod.yaml:2:1: Pod p: a, b can talk through localhost (TCP, UDP, abstract Unix sockets); IPC (System V, POSIX message queues, /dev/shm). No port has to be declared; containerPort 80/TCP (a), 80/TCP (b) opens nothing, it is documentation
  pod.yaml:5:100: error: spec.containers[1].ports[0]: containers "a" and "b" both declare port 80/TCP, and a pod has each port once [same-port-twice]
      with: pod.yaml:5:49: spec.containers[0].ports[0]
      what really happens: ${manifestRules[0]?.reality}
      fix: ${manifestRules[0]?.fix}
      more: docs/rules/same-port-twice.md https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking

1 pod: 1 error
`);
  });

  test.each([
    [clean, "1 pod: nothing found"],
    [suppressed, "1 pod: nothing found; 1 suppressed"],
    [info, "1 pod: nothing found; 1 less severe not shown (--severity info)"],
    [invalid, "1 pod: 1 error; 1 validation error"],
    ["{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", "no pods found"],
  ])("summary %#", (source, summary) => {
    expect(text(source).trimEnd().split("\n").at(-1)).toBe(summary);
  });
});

test("json has findings, suppressed ones with their reason, and numbers", () => {
  expect(reportObject(report(`${suppressed}---${wrong}`))).toMatchObject({
    kind: "CheckReport",
    pods: [{ name: "p", containers: ["a", "b"] }, { name: "p" }],
    findings: [{ rule: "same-port-twice", position: { line: 10 } }],
    suppressed: [{ rule: "same-port-twice", suppressed: "SO_REUSEPORT" }],
    problems: [],
    summary: { pods: 2, error: 1, warning: 0, info: 0, suppressed: 1, invalid: 0 },
  });
});

describe("github", () => {
  test("findings and problems are workflow commands with their place", () => {
    const lines = githubCommands(report(invalid)).trimEnd().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(
        /^::error file=pod\.yaml,line=5,col=\d+,title=invalid manifest::spec\.restartPolcy: unknown field/,
      ),
      expect.stringMatching(/^::error file=pod\.yaml,line=5,col=100,title=same-port-twice::.*once%0AFix: /),
    ]);
  });

  test("nothing in a name can end the command or start another", () => {
    const [line, ...others] = githubCommands(report(wrong, "a,b:c%\n::error::x.yaml")).trimEnd().split("\n");
    expect(line).toContain("file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.yaml,line=5");
    expect(others).toEqual([]);
  });

  test("suppressed findings are left out", () => {
    expect(githubCommands(report(suppressed))).toBe("");
  });
});

describe("sarif", () => {
  interface Log {
    runs: [{ tool: { driver: { rules: { id: string }[] } }; results: Result[] }];
  }
  interface Result {
    ruleId: string;
    ruleIndex: number;
    level: string;
    locations: [{ physicalLocation: { artifactLocation: { uri: string }; region: object } }];
    suppressions?: object[];
  }
  const run = (text: string, name?: string) => (sarifLog(report(text, name)) as Log).runs[0];

  test("results name their rule, place and justification", () => {
    const { tool, results } = run(`${invalid}---${suppressed}`);
    expect(results.map(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId)).toEqual([
      true,
      true,
      true,
    ]);
    expect(results).toMatchObject([
      {
        ruleId: "same-port-twice",
        level: "error",
        locations: [{ physicalLocation: { region: { startLine: 5, startColumn: 100 } } }],
      },
      { ruleId: "same-port-twice", suppressions: [{ kind: "inSource", justification: "SO_REUSEPORT" }] },
      { ruleId: "invalid-manifest", level: "error" },
    ]);
  });

  test.each([
    ["pod.yaml", "pod.yaml"],
    ["a b/ü#1.yaml", "a%20b/%C3%BC%231.yaml"],
    ["/srv/a b.yaml", "file:///srv/a%20b.yaml"],
    ["https://example.com/a.yaml", "https://example.com/a.yaml"],
    ["stdin", "stdin"],
  ])("%s is a URI", (name, uri) => {
    expect(run(wrong, name).results[0]?.locations[0].physicalLocation.artifactLocation.uri).toBe(uri);
  });

  test("every rule is described once", () => {
    const ids = run(clean).tool.driver.rules.map(({ id }) => id);
    expect(ids).toEqual([...manifestRules.map(({ id }) => id), "suppression", "invalid-manifest"]);
  });
});
