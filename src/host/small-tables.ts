/**
 * What gives network namespaces that are made from the one in which it is set hash tables of their own for their sockets, with
 * so many buckets (ip-sysctl): for TCP since Linux 6.1, for UDP since 6.2.
 */
export const smallTables = {
  sysctls: ["/proc/sys/net/ipv4/tcp_child_ehash_entries", "/proc/sys/net/ipv4/udp_child_hash_entries"],
  value: "1024",
} as const;
