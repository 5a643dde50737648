import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { childPath, itemPath } from "../src/kube/field-path.ts";
import { fieldsOf, type WireType } from "../src/kube/field-table.ts";
import { admitPod } from "../src/manifest/admit.ts";
import { decodeStrict } from "../src/manifest/decode.ts";
import type { ManifestProblem } from "../src/manifest/types.ts";
import { planPod } from "../src/node/plan.ts";
import type { PodObservation } from "../src/node/plan-types.ts";

/**
 * Ten thousand random pods through decode, default, validate and plan: those that the field table allows, those with
 * one thing wrong, those that are valid by their making, and those with one piece of nonsense.
 */

/** The same pods every time; another seed finds others. */
const runs = { numRuns: 2_000, seed: Number(process.env.PEAPOD_TEST_SEED ?? 1) };

type JSONObject = Record<string, unknown>;

/** A copy in which nothing is shared, as it is in a pod that came over the wire. */
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** Any value that the table allows for a type, with at most so many objects within each other. */
function allowed(type: WireType, depth: number): Arbitrary<unknown> {
  switch (type.kind) {
    case "string":
      return "values" in type ? fc.constantFrom(...type.values) : texts;
    case "bool":
      return fc.boolean();
    case "int32":
    case "int64":
      return fc.oneof(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
    case "number":
      return fc.integer({ min: 0, max: 100 });
    case "Quantity":
      return fc.constantFrom("0", "1", "100m", "250m", "1Gi", "64Mi", "2k");
    case "IntOrString":
      return fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom("http", "10%"));
    case "Time":
      return fc.constant("2026-01-02T03:04:05Z");
    case "MicroTime":
      return fc.constant("2026-01-02T03:04:05.000001Z");
    case "any":
      return fc.constantFrom({}, { a: [1, "b"] });
    case "list":
      return fc.array(allowed(type.element, depth - 1), { maxLength: depth > 0 ? 2 : 0 });
    case "map":
      return fc.dictionary(
        fc.constantFrom("a", "cpu", "memory", "app.kubernetes.io/name"),
        allowed(type.element, depth - 1),
        {
          maxKeys: 2,
          noNullPrototype: true,
        },
      );
    case "ref":
      return allowedObject(type.type, depth);
  }
}

const texts = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "main",
    "data",
    "/data",
    "../up",
    "$(A)",
    "UPPER",
    "registry.example:5000/image:1",
  ),
  fc.string({ maxLength: 12 }),
);

function allowedObject(type: string, depth: number): Arbitrary<JSONObject> {
  const fields = [...(fieldsOf(type)?.values() ?? [])];
  if (depth <= 0 || fields.length === 0) return fc.constant({});
  return fc
    .subarray(fields, { maxLength: Math.min(5, fields.length) })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((field) => [field.name, allowed(field.type, depth - 1)]))),
    ) as Arbitrary<JSONObject>;
}

const podOfTable: Arbitrary<JSONObject> = fc
  .tuple(
    allowedObject("ObjectMeta", 3),
    allowedObject("PodSpec", 7),
    fc.array(allowedObject("Container", 6), { maxLength: 2 }),
  )
  .map(([metadata, spec, containers]) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { ...spec, containers },
  }));

/** A place in a value: where it is, what it is there, and how to put something else there. */
interface Place {
  readonly path: string;
  readonly type: WireType;
  readonly value: unknown;
  replace(value: unknown): void;
}

function places(type: WireType, value: unknown, path: string, replace: (value: unknown) => void): Place[] {
  const here: Place = { path, type, value, replace };
  const below = (element: WireType, key: string | number, at: string) => {
    const parent = value as Record<string | number, unknown>;
    return places(element, parent[key], at, (other) => (parent[key] = other));
  };
  if (type.kind === "list") {
    const items = (value as unknown[]).flatMap((_, at) => below(type.element, at, itemPath(path, at)));
    return [here, ...items];
  }
  if (type.kind === "map") {
    return [
      here,
      ...Object.keys(value as object).flatMap((key) => below(type.element, key, itemPath(path, key))),
    ];
  }
  if (type.kind !== "ref") return [here];
  const fields = fieldsOf(type.type);
  return [
    here,
    ...Object.keys(value as object).flatMap((name) => {
      const field = fields?.get(name);
      return field === undefined ? [] : below(field.type, name, childPath(path, name));
    }),
  ];
}

const podType: WireType = { kind: "ref", type: "Pod" };
const placesOf = (pod: JSONObject) => places(podType, pod, "", () => {});
const errors = (problems: readonly ManifestProblem[]) =>
  problems.filter(({ severity }) => severity === "error");

const nothingYet: PodObservation = {
  sandboxCreatedAt: undefined,
  startTime: undefined,
  records: [],
  starting: new Set(),
  holds: new Map(),
  started: new Set(),
  unhealthy: new Map(),
  resized: new Set(),
  restarting: new Set(),
};

describe("what the field table allows", () => {
  test("decodes to itself", () => {
    fc.assert(
      fc.property(podOfTable, (pod) => {
        const { value, problems } = decodeStrict("Pod", pod);
        expect(problems).toEqual([]);
        expect(value).toEqual(pod);
        expect(decodeStrict("Pod", JSON.parse(JSON.stringify(value))).value).toEqual(value);
      }),
      runs,
    );
  });

  test("is admitted or refused with a place and words, and what is admitted can be planned and admitted again", () => {
    fc.assert(
      fc.property(podOfTable, (pod) => {
        const before = structuredClone(pod);
        const admitted = admitPod(pod);
        expect(pod).toEqual(before);
        for (const { field, message, reason } of admitted.problems) {
          expect(typeof field).toBe("string");
          expect(message.length).toBeGreaterThan(3);
          expect(reason).not.toBe("");
        }
        if (errors(admitted.problems).length > 0) return;
        planPod(admitted.pod.spec, nothingYet, 0);
        expect(errors(admitPod(admitted.pod).problems)).toEqual([]);
        expect(admitPod(admitted.pod).pod).toEqual(admitted.pod);
      }),
      runs,
    );
  });
});

describe("one thing wrong", () => {
  test("an unknown field, anywhere, is found where it is", () => {
    fc.assert(
      fc.property(podOfTable, fc.nat(), (given, choice) => {
        const pod = copy(given);
        const objects = placesOf(pod).filter(({ type }) => type.kind === "ref");
        const chosen = objects[choice % objects.length] as Place;
        (chosen.value as JSONObject).fieldOfNobody = true;
        const unknown = admitPod(pod).problems.filter(({ reason }) => reason === "UnknownField");
        expect(unknown.map(({ field, severity }) => `${severity} ${field}`)).toEqual([
          `error ${childPath(chosen.path, "fieldOfNobody")}`,
        ]);
      }),
      runs,
    );
  });

  test("a value of another type, anywhere, is found where it is", () => {
    fc.assert(
      fc.property(podOfTable, fc.nat(), (given, choice) => {
        const pod = copy(given);
        const candidates = placesOf(pod).filter(({ type, path }) => type.kind !== "any" && path !== "");
        const chosen = candidates[choice % candidates.length] as Place;
        const isObject = chosen.type.kind === "ref" || chosen.type.kind === "map";
        chosen.replace(isObject ? ["not", "an", "object"] : { not: "this" });
        const found = errors(admitPod(pod).problems).map(({ field }) => field);
        expect(found).toContain(chosen.path);
      }),
      runs,
    );
  });
});

/** Pods that are valid by how they are made. */
const name = fc.stringMatching(/^[a-z]([a-z0-9]{0,8})$/);
const port = fc.integer({ min: 1, max: 65_535 });
const handler = fc.oneof(
  fc.record({ exec: fc.constant({ command: ["true"] }) }),
  fc.record({ httpGet: fc.record({ port, path: fc.constant("/healthz") }) }),
  fc.record({ tcpSocket: fc.record({ port }) }),
  fc.record({ grpc: fc.record({ port }) }),
);
const probe = fc
  .tuple(
    handler,
    fc.record({
      periodSeconds: fc.integer({ min: 1, max: 60 }),
      timeoutSeconds: fc.integer({ min: 1, max: 5 }),
    }),
  )
  .map(([how, when]) => ({ ...how, ...when }));
const container = fc.record(
  {
    image: fc.constantFrom("alpine", "registry.example:5000/team/app:v1", `nginx@sha256:${"0".repeat(64)}`),
    command: fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 3 }),
    env: fc.uniqueArray(fc.record({ name: fc.constantFrom("A", "B_C", "d.e"), value: fc.string() }), {
      selector: (each) => each.name,
      maxLength: 3,
    }),
    ports: fc.uniqueArray(fc.record({ containerPort: port }), {
      selector: (each) => each.containerPort,
      maxLength: 3,
    }),
    livenessProbe: probe,
    readinessProbe: probe,
    resources: fc.constantFrom(
      {},
      { limits: { cpu: "1", memory: "64Mi" } },
      { requests: { cpu: "100m" }, limits: { cpu: "200m" } },
    ),
    workingDir: fc.constantFrom("/", "/srv"),
    imagePullPolicy: fc.constantFrom("Always", "IfNotPresent", "Never"),
    securityContext: fc.constantFrom({}, { runAsUser: 1000 }, { readOnlyRootFilesystem: true }),
  },
  { requiredKeys: ["image"] },
);
type Made = { apiVersion: string; kind: string; metadata: JSONObject; spec: MadeSpec };
type MadeSpec = JSONObject & { containers: (JSONObject & { name: string })[] };

const validPod: Arbitrary<Made> = fc
  .record({
    name,
    names: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    volumes: fc.uniqueArray(name, { maxLength: 2 }),
    bodies: fc.array(container, { minLength: 4, maxLength: 4 }),
    isInit: fc.boolean(),
    restartPolicy: fc.constantFrom("Always", "OnFailure", "Never"),
    sidecar: fc.boolean(),
  })
  .map(({ name: podName, names, volumes, bodies, isInit, restartPolicy, sidecar }) => {
    const all = names.map((each, at) => ({
      ...bodies[at],
      name: each,
      volumeMounts: volumes.map((volume) => ({ name: volume, mountPath: `/volumes/${volume}` })),
    }));
    const [first, ...rest] = all;
    const init = isInit && rest.length > 0 && first !== undefined;
    const { livenessProbe: _l, readinessProbe: _r, ...plain } = (first ?? {}) as JSONObject;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: podName },
      spec: {
        restartPolicy,
        volumes: volumes.map((volume) => ({ name: volume, emptyDir: {} })),
        ...(init ? { initContainers: [sidecar ? { ...first, restartPolicy: "Always" } : plain] } : {}),
        containers: (init ? rest : all) as MadeSpec["containers"],
      },
    };
  });

test("valid pods are admitted, and their plan starts what comes first", () => {
  fc.assert(
    fc.property(validPod, (made) => {
      const { pod, problems } = admitPod(made);
      expect(errors(problems)).toEqual([]);
      const { createSandbox, start } = planPod(pod.spec, nothingYet, 0);
      expect(createSandbox).toBe(true);
      const init = pod.spec.initContainers?.[0];
      const expected = init === undefined ? pod.spec.containers : [init];
      expect(start.map((action) => action.container.name)).toEqual(expected.map((each) => each.name));
    }),
    runs,
  );
});

/** Nonsense, and the path below which it must be found. Each takes a valid pod. */
const nonsense: Readonly<Record<string, (pod: Made) => string>> = {
  "no containers": ({ spec }) => {
    spec.containers = [];
    return "spec.containers";
  },
  "two containers of one name": ({ spec }) => {
    spec.containers.push({ ...(spec.containers[0] as MadeSpec["containers"][number]) });
    return `spec.containers[${spec.containers.length - 1}].name`;
  },
  "a name that is none": ({ spec }) => {
    (spec.containers[0] as JSONObject).name = "Not_A_Name";
    return "spec.containers[0].name";
  },
  "a port that is none": ({ spec }) => {
    (spec.containers[0] as JSONObject).ports = [{ containerPort: 70_000 }];
    return "spec.containers[0].ports[0].containerPort";
  },
  "a mount of no volume": ({ spec }) => {
    (spec.containers[0] as JSONObject).volumeMounts = [{ name: "nowhere", mountPath: "/x" }];
    return "spec.containers[0].volumeMounts[0].name";
  },
  "a restart policy that is none": ({ spec }) => {
    spec.restartPolicy = "Sometimes";
    return "spec.restartPolicy";
  },
  "a request above its limit": ({ spec }) => {
    (spec.containers[0] as JSONObject).resources = { requests: { cpu: "2" }, limits: { cpu: "1" } };
    return "spec.containers[0].resources.requests";
  },
  "a probe of nothing": ({ spec }) => {
    (spec.containers[0] as JSONObject).livenessProbe = { periodSeconds: 1 };
    return "spec.containers[0].livenessProbe";
  },
  "two ways of probing": ({ spec }) => {
    (spec.containers[0] as JSONObject).livenessProbe = { exec: { command: ["a"] }, tcpSocket: { port: 1 } };
    return "spec.containers[0].livenessProbe.tcpSocket";
  },
  "a volume of two kinds": ({ spec }) => {
    spec.volumes = [{ name: "both", emptyDir: {}, hostPath: { path: "/tmp" } }];
    for (const each of spec.containers) each.volumeMounts = [];
    return "spec.volumes[0]";
  },
  "a deadline that was over before": ({ spec }) => {
    spec.activeDeadlineSeconds = 0;
    return "spec.activeDeadlineSeconds";
  },
  "a node in spite of a gate": ({ spec }) => {
    spec.nodeName = "here";
    spec.schedulingGates = [{ name: "example.com/gate" }];
    return "spec.nodeName";
  },
  "a user that nobody is": ({ spec }) => {
    (spec.containers[0] as JSONObject).securityContext = { runAsUser: -5 };
    return "spec.containers[0].securityContext.runAsUser";
  },
};

test.each(Object.entries(nonsense))("%s is refused in any pod", (_name, spoil) => {
  fc.assert(
    fc.property(validPod, (given) => {
      const made = copy(given);
      const path = spoil(made);
      const found = errors(admitPod(made).problems).map(({ field }) => field);
      expect(
        found.some((field) => field.startsWith(path)),
        `${path} in ${found.join(", ")}`,
      ).toBe(true);
    }),
    { ...runs, numRuns: 200 },
  );
});
