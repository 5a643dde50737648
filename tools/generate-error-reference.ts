import { errorCatalogue } from "../src/base/errors.ts";

const heading = `# Errors

Every kind of failure that has a name. The codes are Kubernetes' own words where Kubernetes has one: the API answers
with them as \`reason\`, containers wait with them, events carry them, and the CLI prints what they mean.

Generated from \`src/base/errors.ts\` by \`npm run generate\`.

| Code | Kind | HTTP status | Meaning |
|---|---|---|---|
`;

/** The text of docs/errors.md. */
export function errorReference(): string {
  const rows = Object.entries(errorCatalogue).map(
    ([code, { kind, http, meaning }]) => `| \`${code}\` | ${kind} | ${http} | ${meaning} |\n`,
  );
  return heading + rows.join("");
}
