import { errorCode } from "../../base/errors.ts";
import { version as clientVersion } from "../../base/version.ts";
import { defineCommand } from "../command.ts";
import { formatJson } from "../printers/json.ts";
import { factOutput } from "../shared-options.ts";

export const version = defineCommand({
  name: "version",
  summary: "Print the versions of the client and of the running node",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    client: { type: "boolean", summary: "Only the client's" },
    output: factOutput,
  },
  examples: [{ text: "Without asking the node", command: "peapod version --client" }],
  async run({ options, session }) {
    const { terminal, passiveClient, scope } = session;
    let server: { readonly gitVersion?: string } | undefined;
    if (!options.client) {
      try {
        server = JSON.parse(await passiveClient.raw("/version", scope));
      } catch (error) {
        // A node that does not run has no version; that is no failure of this command.
        if (errorCode(error) !== "NodeUnreachable") throw error;
      }
    }
    if (options.output === undefined) {
      terminal.out(`Client Version: v${clientVersion}\n`);
      if (server !== undefined) terminal.out(`Server Version: ${server.gitVersion}\n`);
      return 0;
    }
    const value = {
      clientVersion: { gitVersion: `v${clientVersion}`, nodeVersion: process.version },
      ...(server === undefined ? {} : { serverVersion: server }),
    };
    terminal.out(
      options.output === "json" ? formatJson(value) : (await import("../printers/yaml.ts")).formatYaml(value),
    );
    return 0;
  },
});
