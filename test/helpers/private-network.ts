import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { runCommand } from "./peapod.ts";

/** A network of a test's own, whose firewalls nobody else feels, with a neighbour at the other end of a cable. */
export interface PrivateNetwork {
  /** Prefix of commands that run there, for `testNode`. */
  readonly through: readonly string[];
  /** The same for the neighbour. */
  readonly outside: readonly string[];
  /** Runs a shell script there and throws when it fails. */
  sh(script: string): Promise<string>;
  close(): void;
}

/** The machine's address there, and the neighbour's. */
export const ownAddress = "198.51.100.1";
export const outsideAddress = "198.51.100.2";

// A sysfs shows the network in which it was mounted, and nodes look into it; cgroups hang below it.
const setUp = `
set -e
keep=$(mktemp -d)
mount --rbind /sys/fs/cgroup $keep
mount -t sysfs sysfs /sys
mount --rbind $keep /sys/fs/cgroup
umount -l $keep
rmdir $keep
ip link set lo up
ip link add cable0 type veth peer name eth0
unshare --net sleep infinity &
until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link set eth0 netns $!
ip address add ${ownAddress}/24 dev cable0
ip link set cable0 up
ip route add default via ${outsideAddress}
nsenter --net=/proc/$!/ns/net ip address add ${outsideAddress}/24 dev eth0
nsenter --net=/proc/$!/ns/net ip link set eth0 up
echo $!
exec sleep infinity
`;

/** Makes one; what runs there has its own mounts, too. */
export async function privateNetwork(): Promise<PrivateNetwork> {
  const holder = spawn("unshare", ["--net", "--mount", "--propagation", "private", "sh", "-c", setUp], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const neighbour = Number(await firstLine(holder));
  const through = ["nsenter", `--net=/proc/${holder.pid}/ns/net`, `--mount=/proc/${holder.pid}/ns/mnt`];
  return {
    through,
    outside: ["nsenter", `--net=/proc/${neighbour}/ns/net`],
    async sh(script) {
      const [file = "", ...words] = [...through, "sh", "-ec", script];
      const { exitCode, stdout, stderr } = await runCommand(file, words);
      if (exitCode !== 0) throw new Error(`${script}: exit code ${exitCode}\n${stderr}`);
      return stdout;
    },
    close() {
      process.kill(neighbour, "SIGKILL");
      holder.kill("SIGKILL");
    },
  };
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface(stdout as NonNullable<typeof stdout>)) return line;
  throw new Error("no private network");
}
