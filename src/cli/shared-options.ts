import { outputFormats } from "./printers/objects.ts";

/** `-o` of the commands that print objects of the API. */
export const objectOutput = {
  type: "string",
  short: "o",
  value: "FORMAT",
  choices: outputFormats,
  summary: "json, yaml, wide or name",
} as const;

/** `-o` of the commands that print facts of Peapod's own. */
export const factOutput = {
  type: "string",
  short: "o",
  value: "FORMAT",
  choices: ["json", "yaml"],
  summary: "json or yaml",
} as const;

/** `-c` of the commands that mean one container. */
export const containerChoice = {
  type: "string",
  short: "c",
  value: "CONTAINER",
  summary: "Which container (default: the first)",
} as const;
