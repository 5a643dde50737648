import packageJson from "../../package.json" with { type: "json" };

/** Version of this client. */
export const version: string = packageJson.version;
