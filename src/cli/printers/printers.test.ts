import { expect, test } from "vitest";
import type { Table } from "../../client/client.ts";
import { columnWidths, formatColumns } from "./columns.ts";
import { formatJson } from "./json.ts";
import { formatObjects } from "./objects.ts";
import { tableHeader, tableRows } from "./table.ts";
import { formatYaml } from "./yaml.ts";

const table: Table = {
  kind: "Table",
  columnDefinitions: [
    { name: "Name", type: "string", priority: 0 },
    { name: "Ready", type: "string", priority: 0 },
    { name: "IP", type: "string", priority: 1 },
  ],
  rows: [
    {
      cells: ["web", "2/2", "10.1.0.2"],
      object: { metadata: { namespace: "a", labels: { b: "2", a: "1" } } },
    },
    { cells: ["a-longer-name", "0/1", null], object: { metadata: { namespace: "default" } } },
  ],
};

function print(options: Partial<Parameters<typeof tableRows>[1]>): string {
  const all = { wide: false, showNamespace: false, showLabels: false, ...options };
  return formatColumns([tableHeader(table, all), ...tableRows(table, all)]);
}

test("columns as kubectl aligns them", () => {
  expect(print({})).toBe("NAME            READY\nweb             2/2\na-longer-name   0/1\n");
  expect(print({ wide: true, showNamespace: true, showLabels: true })).toBe(
    "NAMESPACE   NAME            READY   IP         LABELS\n" +
      "a           web             2/2     10.1.0.2   a=1,b=2\n" +
      "default     a-longer-name   0/1     <none>     <none>\n",
  );
});

test("rows that come later keep the columns of those before", () => {
  const widths = columnWidths([
    ["NAME", "AGE"],
    ["a-longer-name", "3s"],
  ]);
  expect(formatColumns([["web", "4s"]], widths)).toBe("web             4s\n");
});

test("only the first line of a cell", () => {
  const rows = [{ cells: ["x", "one\ntwo", ""] }];
  const options = { wide: false, showNamespace: false, showLabels: false };
  expect(tableRows({ ...table, rows }, options)).toEqual([["x", "one"]]);
});

const pod = {
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name: "web", labels: { z: "yes", a: "0644" } },
  spec: { list: [{ b: 1, a: null }] },
};

test("JSON: four spaces, sorted keys, one object or a List", async () => {
  expect(formatJson({ b: [1], a: { d: 1, c: 2 } })).toBe(
    '{\n    "a": {\n        "c": 2,\n        "d": 1\n    },\n    "b": [\n        1\n    ]\n}\n',
  );
  expect(JSON.parse(await formatObjects("json", [pod], true))).toEqual(pod);
  expect(JSON.parse(await formatObjects("json", [pod], false))).toEqual({
    apiVersion: "v1",
    kind: "List",
    metadata: { resourceVersion: "" },
    items: [pod],
  });
});

test("YAML: sorted keys, lists not indented, what YAML 1.1 would misread is quoted", () => {
  expect(formatYaml(pod)).toBe(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    a: "0644"\n    z: "yes"\n  name: web\nspec:\n  list:\n' +
      "  - a: null\n    b: 1\n",
  );
});
