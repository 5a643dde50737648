import { defineCommand } from "../command.ts";

export const kubeconfig = defineCommand({
  name: "kubeconfig",
  summary: "Print a kubeconfig with which kubectl, Helm and client libraries reach this node",
  description:
    "The file holds a private key that may do everything on this node: keep it to yourself. With --merge its cluster, user and context, all named peapod, go into the kubeconfig that kubectl uses; what else is there stays as it is.",
  usage: "",
  args: { min: 0, max: 0 },
  options: {
    merge: { type: "boolean", summary: "Put it into $KUBECONFIG (its first file) or ~/.kube/config" },
  },
  examples: [
    { text: "Once", command: "peapod kubeconfig --merge" },
    { text: "Then", command: "kubectl --context peapod get pods" },
  ],
  async run({ options, session }) {
    const own = await session.client.raw("/kubeconfig", session.scope);
    if (!options.merge) {
      session.terminal.out(own);
      return 0;
    }
    const { kubeconfigPath, mergeKubeconfig } = await import("../kubeconfig-file.ts");
    const path = kubeconfigPath(process.env);
    const { isCurrent } = mergeKubeconfig(path, own);
    session.terminal.out(`context "peapod" written to ${path}\n`);
    if (!isCurrent)
      session.terminal.out("use it: kubectl --context peapod …, or kubectl config use-context peapod\n");
    return 0;
  },
});
