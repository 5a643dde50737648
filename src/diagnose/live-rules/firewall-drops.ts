import type { LiveRule } from "../live/view.ts";

export const firewallDrops: LiveRule = {
  id: "firewall-drops",
  severity: "warning",
  title: "A firewall of this machine drops what pods send",
  reality:
    "In nftables a packet has to pass every table: what one accepts, another may still drop. The node opens iptables (Docker, ufw) and firewalld for " +
    "its pods by itself; a chain in somebody's own table only its owner can open.",
  fix: "Let the pods' bridge pass in the chain that the message names; put that into the file that makes the table (`/etc/nftables.conf`).",
  scope:
    "A base chain of the hook forward or input, in a table that is neither the node's nor iptables', drops a new connection from pod to pod, from a " +
    "pod to the outside, or a pod's question for a name, by its policy or a rule without condition; the pod is not in the host's network. " +
    "Chains that decide by named sets or maps are given the benefit of the doubt.",
  upstream: "https://kubernetes.io/docs/concepts/cluster-administration/networking/",
  check({ firewalls, pod }) {
    if (pod.spec.hostNetwork === true) return [];
    return firewalls.map(({ chain, reason, drops, remedy }) => ({
      containers: [],
      message: `the nftables chain ${chain} (${reason}) drops ${drops.join(" and ")}`,
      evidence: [{ source: `nft list chain ${chain}`, detail: reason }],
      fix: `Let the pods' bridge pass: ${remedy.map((command) => `\`${command}\``).join(", ")}.`,
    }));
  },
};
