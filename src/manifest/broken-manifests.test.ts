import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblem } from "./format-problem.ts";
import { readManifest } from "./read.ts";

const folder = join(import.meta.dirname, "../../test/fixtures/manifests/broken");

/** Every broken manifest with all that is said of it, word for word, after the file's name. */
const expected: Readonly<Record<string, readonly string[]>> = {
  "alias-bomb.yaml": ["1:1: too many aliases: they would expand without bound"],
  "bad-dns.yaml": [
    "9:3: spec.hostname: Invalid value: \"web.local\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    "10:3: spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
    '12:7: spec.hostAliases[0].ip: Invalid value: "300.1.1.1": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    "13:19: spec.hostAliases[0].hostnames[0]: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
  "bad-env-name.yaml": [
    "10:11: spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '=' (regex used for validation is '[ -<>-~]+')",
    "12:11: spec.containers[0].env[1].name: Required value",
    '15:11: spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    '15:34: spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.nam": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  "bad-host-path-type.yaml": [
    "11:18: spec.volumes[0].hostPath.path: Invalid value: \"/var/run/../docker.sock\": must not contain '..'",
    '11:49: spec.volumes[0].hostPath.type: Unsupported value: "Sock": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket", did you mean "Socket"?',
    '12:7: spec.volumes[1].name: Duplicate value: "docker"',
    "13:7: spec.volumes[1].hostPath.path: Required value",
    "16:7: spec.volumes[2].hostPath: Forbidden: may not specify more than 1 volume type",
  ],
  "bad-indentation.yaml": [
    "8:6: wrong indentation: the line fits neither the item above nor starts a new one with `- `",
  ],
  "bad-mount-path.yaml": [
    "11:11: spec.containers[0].volumeMounts[0].mountPath: Required value",
    "14:11: spec.containers[0].volumeMounts[1].subPath: Invalid value: \"../b\": must not contain '..'",
    "16:11: warning: spec.containers[0].volumeMounts[2].mountPath: a relative path: it is mounted at /relative/path, as Kubernetes does",
    "19:11: spec.containers[0].volumeMounts[3].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
  ],
  "bad-name.yaml": [
    "4:3: metadata.name: Invalid value: \"My_Pod\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    "6:5: metadata.labels: Invalid value: \"-web-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    "7:5: metadata.labels[/x]: Invalid value: true: expected string, got boolean; put it in quotes",
    "10:7: spec.containers[0].name: Invalid value: \"app.main\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ],
  "bad-quantity.yaml": [
    "11:11: spec.containers[0].resources.limits[memory]: Invalid value: \"64MB\": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    '12:11: spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    '13:11: spec.containers[0].resources.limits[cpus]: Invalid value: "cpus": must be a standard resource for containers, did you mean "cpu"?',
  ],
  "bad-restart-policy.yaml": [
    '9:3: spec.restartPolicy: Unsupported value: "never": supported values: "Always", "OnFailure", "Never", did you mean "Never"?',
    "10:3: spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
    "11:3: spec.terminationGracePeriodSeconds: Invalid value: 1.5: expected integer, got number",
  ],
  "bad-security.yaml": [
    '9:7: spec.containers[0].securityContext: Invalid value: {"runAsUser":-1,"privileged":true,"allowPrivilegeEscalation":false,"seccompProfile":{"type":"Localhost"}}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    "10:9: spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    "13:9: spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
    "15:3: spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
  ],
  "binary.yaml": ["1:8: the file is binary: it contains a NUL byte"],
  "broken.json": ["5:74: spec.containers[0].ports[0].containerPort: Required value"],
  "duplicate-container-name.yaml": [
    '9:7: spec.containers[1].name: Duplicate value: "app"',
    '12:7: spec.initContainers[0].name: Duplicate value: "app"',
  ],
  "duplicate-key.yaml": ['10:7: spec.containers[0].image: duplicate key "image", first set in line 8'],
  "duplicate-port-name.yaml": [
    '11:12: spec.containers[0].ports[1].name: Duplicate value: "http"',
    '12:12: spec.containers[0].ports[2].name: Invalid value: "This-Is-Too-Long-": must be no more than 15 bytes',
    '12:12: spec.containers[0].ports[2].name: Invalid value: "This-Is-Too-Long-": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    '12:12: spec.containers[0].ports[2].name: Invalid value: "This-Is-Too-Long-": must not begin or end with a hyphen',
    '12:56: spec.containers[0].ports[2].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP", did you mean "TCP"?',
    '16:31: spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//8080"',
  ],
  "empty.yaml": ["1:1: the file is empty"],
  "list-item.yaml": ['13:11: spec.containers[0].imagee: unknown field: did you mean "image"?'],
  "misplaced-field.yaml": [
    "5:3: metadata.restartPolicy: unknown field: it belongs at spec.restartPolicy",
    "7:3: spec.image: unknown field: it belongs at spec.containers[].image or spec.volumes[].image",
    "11:7: spec.containers[0].containerPort: unknown field: it belongs at spec.containers[].ports[].containerPort",
    "12:7: spec.containers[0].volumes: unknown field: it belongs at spec.volumes",
  ],
  "missing-api-version.yaml": [
    "1:1: apiVersion: Required value: the API's group and version, for example v1",
    "4:1: Invalid value: expected a Kubernetes object with apiVersion and kind, got list",
    '7:1: Invalid value: "just text": expected a Kubernetes object with apiVersion and kind, got string',
  ],
  "missing-colon.yaml": ["3:1: a line without `key:`; is a colon missing, or the text not in quotes?"],
  "missing-image.yaml": [
    "7:7: spec.containers[0].image: Required value",
    "9:7: spec.containers[1].image: Required value",
  ],
  "missing-name.yaml": [
    "5:7: spec.containers[0].name: Required value",
    "1:1: metadata.name: Required value: name or generateName is required",
  ],
  "missing-volume.yaml": [
    '10:11: spec.containers[0].volumeMounts[0].name: Not found: "dta": did you mean "data"?',
    '12:11: spec.containers[0].volumeMounts[1].name: Not found: "cache"',
    '13:11: spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/data": must be unique',
  ],
  "no-containers.yaml": ["6:3: spec.containers: Required value"],
  "no-spec.yaml": ["1:1: spec.containers: Required value"],
  "not-honoured.yaml": [
    "7:3: warning: spec.nodeSelector: not honoured by this version of Peapod: not applicable on one machine",
    "9:5: spec.securityContext.windowsOptions: not honoured by this version of Peapod: only Linux containers run",
    "15:7: spec.containers[0].volumeDevices: not honoured by this version of Peapod: there are no block devices",
    "24:7: spec.volumes[0].nfs: not honoured by this version of Peapod: volumes of this type cannot be mounted",
  ],
  "not-utf8.yaml": ["4:12: the file is not valid UTF-8 text"],
  "only-comments.yaml": ["1:1: the file has only comments"],
  "port-out-of-range.yaml": [
    "10:11: spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    "12:11: spec.containers[0].ports[1].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
    "13:11: spec.containers[0].ports[2].containerPort: Required value",
  ],
  "probe-mistakes.yaml": [
    "10:9: spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
    "11:9: spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    "12:9: spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
    "12:9: spec.containers[0].livenessProbe.httpGet.port: Required value",
    "13:16: spec.containers[0].livenessProbe.exec.command: Required value",
  ],
  "request-over-limit.yaml": [
    '11:11: spec.containers[0].resources.requests: Invalid value: "1500m": must be less than or equal to cpu limit of 1',
  ],
  "tab-indentation.yaml": ["7:1: tab used for indentation; YAML allows only spaces"],
  "unclosed-bracket.yaml": ["10:1: a `[` has no `]`, or the lines up to it are indented too little"],
  "unknown-field.yaml": [
    '9:7: spec.containers[0].imagePullPolcy: unknown field: did you mean "imagePullPolicy"?',
  ],
  "unknown-kind.yaml": [
    '2:1: kind: no matches for kind "Pods" in version "v1", did you mean "Pod"?',
    '5:1: apiVersion: no matches for kind "Pod" in version "v2"; Pod is in v1',
    "10:1: kind: not honoured by this version of Peapod: kind CSIDriver of storage.k8s.io/v1",
  ],
  "unquoted-colon.yaml": [
    "10:19: a second `key:` on one line, or wrong indentation; put a text with `: ` in quotes",
  ],
  "wrong-type.yaml": [
    '10:11: spec.containers[0].ports[0].containerPort: Invalid value: "80": expected integer, got string; write it without quotes',
    '13:11: spec.containers[0].env[0].value: Invalid value: 8080: expected string, got integer; put it in quotes: "8080"',
    "15:11: spec.containers[0].env[1].value: Invalid value: true: expected string, got boolean; put it in quotes",
    '16:7: spec.containers[0].command: Invalid value: "sleep 1": expected list, got string',
    '17:3: spec.hostNetwork: Invalid value: "true": expected boolean, got string; write it without quotes',
  ],
};

describe("broken manifests", () => {
  test.each(Object.entries(expected))("%s", (file, lines) => {
    const { problems } = readManifest(readFileSync(join(folder, file)), file);
    expect(problems.map(formatProblem)).toEqual(lines.map((line) => `${file}:${line}`));
  });

  test("no fixture without an expectation", () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(expected).sort());
  });

  test.each(Object.keys(expected))("nothing of %s can be applied by mistake", (file) => {
    const { objects, problems } = readManifest(readFileSync(join(folder, file)), file);
    expect(problems.some(({ severity }) => severity === "error")).toBe(true);
    expect(objects.map(({ object }) => object.kind)).not.toContain("Pod");
  });
});
