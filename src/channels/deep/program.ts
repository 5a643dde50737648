/**
 * The bpftrace program of the deep look: what the baseline can't count, for all pods at once. Only tracepoints and
 * kernel types from BTF, which need neither kprobes nor headers. `hostMountNamespace` is the inode of the mount
 * namespace of the host: processes there are no container's and are let alone.
 *
 * Counters only grow, and are printed once a second; printing and clearing would lose what comes in between. Every
 * key begins with the version 2 cgroup of the process, by which its container is known.
 */
export function deepProgram(hostMountNamespace: string): string {
  return program
    .replaceAll("IN_CONTAINER", `curtask->nsproxy->mnt_ns->ns.inum != ${Number(hostMountNamespace)}`)
    .replaceAll(/FILE\((.*?)\)/g, fileOfDescriptor);
}

/** bpftrace before 0.19 takes no variable as the index of an array. */
const fileOfDescriptor = "(*(struct file **)kptr((uint64)curtask->files->fdt->fd + ((uint64)($1) << 3)))";

/** Of FIFOs and pipes: who reads and writes, with the file that was found at the system call's start. */
function pipeCalls(access: "read" | "write"): string {
  const calls = access === "read" ? ["read", "readv"] : ["write", "writev"];
  const on = (when: string) => calls.map((call) => `tracepoint:syscalls:sys_${when}_${call}`).join(", ");
  return `
${on("enter")} /IN_CONTAINER/ {
  $inode = FILE(args->fd)->f_inode;
  if (($inode->i_mode & 0xf000) == 0x1000) { @file[tid] = (uint64)$inode; }
}
${on("exit")} /@file[tid]/ {
  if ((int64)args->ret > 0) { ${countPipe(access, "@file[tid]", "args->ret")} }
  delete(@file[tid]);
}`;
}

/** PIPEFS_MAGIC of linux/magic.h tells anonymous pipes from FIFOs. */
function countPipe(access: "read" | "write", inode: string, bytes: string): string {
  return `
    $${access} = (struct inode *)kptr(${inode});
    if ($${access}->i_sb->s_magic == 0x50495045) {
      @pipe_bytes[cgroup, "${access}", $${access}->i_ino] = sum((uint64)${bytes});
      @pipe_calls[cgroup, "${access}", $${access}->i_ino] = count();
    } else {
      @fifo_bytes[cgroup, "${access}", (uint64)$${access}->i_sb->s_dev, $${access}->i_ino] = sum((uint64)${bytes});
      @fifo_calls[cgroup, "${access}", (uint64)$${access}->i_sb->s_dev, $${access}->i_ino] = count();
    }`;
}

/** splice(2) and sendfile(2) move data between two descriptors, each of which may be a pipe. */
function moveCall(call: string, from: string, to: string): string {
  return `
tracepoint:syscalls:sys_enter_${call} /IN_CONTAINER/ {
  $from = FILE(args->${from})->f_inode;
  if (($from->i_mode & 0xf000) == 0x1000) { @file[tid] = (uint64)$from; }
  $to = FILE(args->${to})->f_inode;
  if (($to->i_mode & 0xf000) == 0x1000) { @target[tid] = (uint64)$to; }
}
tracepoint:syscalls:sys_exit_${call} /@file[tid] || @target[tid]/ {
  if ((int64)args->ret > 0) {
    if (@file[tid]) { ${countPipe("read", "@file[tid]", "args->ret")} }
    if (@target[tid]) { ${countPipe("write", "@target[tid]", "args->ret")} }
  }
  delete(@file[tid]);
  delete(@target[tid]);
}`;
}

/**
 * What names a Unix socket: device and inode of its file (a peer that was closed has none any more), whether its
 * name is abstract, and the name, which abstract ones don't end with a zero byte.
 */
const nameOf = (address: string, length: string) =>
  `$abstract, str(${address} + $abstract), (uint64)(${length}) - $abstract - 2)`;
const peerKey = `
    $name = (uint64)$peer->addr + 10;
    $abstract = (uint64)(*(uint8 *)kptr($name) == 0);
    $inode = $peer->path.dentry->d_inode;`;
const peerName = `(uint64)$own->sk.sk_type, (uint64)$inode->i_sb->s_dev, $inode->i_ino, ${nameOf("kptr($name", "$peer->addr->len")}`;

function unixTransfer(direction: "send" | "receive"): string {
  const probe = direction === "send" ? "sock_send_length" : "sock_recv_length";
  const count = `{${peerKey}
    @unix_bytes[cgroup, "${direction}", ${peerName}] = sum(args->ret);
    @unix_calls[cgroup, "${direction}", ${peerName}] = count();
  }`;
  const toDestination = `{
    $abstract = (uint64)(*(uint8 *)uptr(@destination[tid] + 2) == 0);
    @unix_datagram_bytes[cgroup, ${nameOf("uptr(@destination[tid] + 2", "@destination_length[tid]")}] = sum(args->ret);
    @unix_datagram_calls[cgroup, ${nameOf("uptr(@destination[tid] + 2", "@destination_length[tid]")}] = count();
  } else `;
  // A server's end has the server's name; its client's end is enough to know both directions.
  const isClient =
    direction === "send" ? "$own->sk.sk_type == 2 || (uint64)$own->addr == 0" : "(uint64)$own->addr == 0";
  return `
tracepoint:sock:${probe} /args->family == 1 && args->ret > 0 && IN_CONTAINER/ {
  $own = (struct unix_sock *)args->sk;
  $peer = (struct unix_sock *)$own->peer;
  if (${isClient}) {
    ${direction === "send" ? `if (@destination[tid]) ${toDestination}` : ""}if ((uint64)$peer != 0 && (uint64)$peer->addr != 0) ${count}
  }
}`;
}

/** System V and POSIX message queues: `queue` is what the key says of it, read at the call's start. */
function queueCalls(map: string, calls: { send: string; receive: string }, parts: QueueParts): string {
  const count = (direction: string, bytes: string) => `
    ${parts.atEnd}
    @${map}_bytes[cgroup, "${direction}", ${parts.key}] = sum(${bytes});
    @${map}_calls[cgroup, "${direction}", ${parts.key}] = count();`;
  return `
tracepoint:syscalls:sys_enter_${calls.send} /IN_CONTAINER/ {
  @queue[tid] = ${parts.atStart};
  @length[tid] = (uint64)args->${parts.length};
}
tracepoint:syscalls:sys_exit_${calls.send} /@queue[tid]/ {
  if ((int64)args->ret == 0) {${count("send", "@length[tid]")}
  }
  delete(@queue[tid]);
  delete(@length[tid]);
}
tracepoint:syscalls:sys_enter_${calls.receive} /IN_CONTAINER/ { @queue[tid] = ${parts.atStart}; }
tracepoint:syscalls:sys_exit_${calls.receive} /@queue[tid]/ {
  if ((int64)args->ret >= 0) {${count("receive", "(uint64)args->ret")}
  }
  delete(@queue[tid]);
}`;
}

interface QueueParts {
  /** Not zero. */
  readonly atStart: string;
  readonly atEnd: string;
  readonly key: string;
  readonly length: string;
}

/** The maps that are printed, with how many parts each key has. */
export const deepMaps = {
  fifo_bytes: 4,
  fifo_calls: 4,
  pipe_bytes: 3,
  pipe_calls: 3,
  unix_bytes: 7,
  unix_calls: 7,
  unix_connects: 6,
  unix_datagram_bytes: 3,
  unix_datagram_calls: 3,
  udp_bytes: 3,
  udp_calls: 3,
  signals: 4,
  semaphore_calls: 3,
  message_bytes: 3,
  message_calls: 3,
  queue_bytes: 4,
  queue_calls: 4,
} as const;

const udpKey = (port: string, address: string) => `cgroup, (uint64)bswap(${port}), ntop(${address})`;
const udpCount = (key: string) => `
    @udp_bytes[${key}] = sum(args->ret);
    @udp_calls[${key}] = count();`;

const program = `${pipeCalls("read")}${pipeCalls("write")}
${moveCall("splice", "fd_in", "fd_out")}${moveCall("sendfile64", "in_fd", "out_fd")}

tracepoint:syscalls:sys_enter_connect /IN_CONTAINER/ { @connecting[tid] = (uint64)args->fd + 1; }
tracepoint:syscalls:sys_exit_connect /@connecting[tid]/ {
  if (args->ret == 0) {
    $own = (struct unix_sock *)((struct socket *)FILE(@connecting[tid] - 1)->private_data)->sk;
    $peer = (struct unix_sock *)$own->peer;
    if ($own->sk.__sk_common.skc_family == 1 && (uint64)$peer != 0 && (uint64)$peer->addr != 0) {${peerKey}
      @unix_connects[cgroup, ${peerName}] = count();
    }
  }
  delete(@connecting[tid]);
}
tracepoint:syscalls:sys_enter_sendto /args->addr != 0 && IN_CONTAINER/ {
  @destination[tid] = (uint64)args->addr;
  @destination_length[tid] = (uint64)args->addr_len;
}
tracepoint:syscalls:sys_enter_sendmsg /IN_CONTAINER/ {
  $message = (struct user_msghdr *)uptr(args->msg);
  if ((uint64)$message->msg_name != 0) {
    @destination[tid] = (uint64)$message->msg_name;
    @destination_length[tid] = (uint64)$message->msg_namelen;
  }
}
tracepoint:syscalls:sys_exit_sendto, tracepoint:syscalls:sys_exit_sendmsg /@destination[tid]/ {
  delete(@destination[tid]);
  delete(@destination_length[tid]);
}
${unixTransfer("send")}${unixTransfer("receive")}

tracepoint:sock:sock_send_length /args->protocol == 17 && args->ret > 0 && IN_CONTAINER/ {
  if (args->family == 2) {
    if (@destination[tid]) {
      $to = (struct sockaddr_in *)uptr(@destination[tid]);${udpCount(udpKey("$to->sin_port", "$to->sin_addr.s_addr"))}
    } else {
      $common = ((struct sock *)args->sk)->__sk_common;${udpCount(udpKey("$common.skc_dport", "$common.skc_daddr"))}
    }
  } else if (args->family == 10) {
    if (@destination[tid]) {
      $to6 = (struct sockaddr_in6 *)uptr(@destination[tid]);${udpCount(udpKey("$to6->sin6_port", "$to6->sin6_addr.in6_u.u6_addr8"))}
    } else {
      $common6 = ((struct sock *)args->sk)->__sk_common;${udpCount(udpKey("$common6.skc_dport", "$common6.skc_v6_daddr.in6_u.u6_addr8"))}
    }
  }
}

// SI_USER, SI_QUEUE and SI_TKILL are not above zero: a process sent it, not the kernel.
tracepoint:signal:signal_generate /args->code <= 0 && (uint64)args->pid != (uint64)pid && args->sig > 0 && IN_CONTAINER/ {
  @signals[cgroup, pid, args->pid, args->sig] = count();
}

tracepoint:syscalls:sys_enter_semop, tracepoint:syscalls:sys_enter_semtimedop /IN_CONTAINER/ {
  if (*(int16 *)uptr((uint64)args->tsops + 2) > 0) {
    @semaphore_calls[cgroup, "post", (uint64)args->semid] = count();
  } else {
    @semaphore_calls[cgroup, "wait", (uint64)args->semid] = count();
  }
}
${queueCalls(
  "message",
  { send: "msgsnd", receive: "msgrcv" },
  { atStart: "(uint64)args->msqid + 1", atEnd: "", key: "@queue[tid] - 1", length: "msgsz" },
)}
${queueCalls(
  "queue",
  { send: "mq_timedsend", receive: "mq_timedreceive" },
  {
    atStart: "(uint64)FILE(args->mqdes)->f_inode",
    atEnd: "$queue = (struct inode *)kptr(@queue[tid]);",
    key: "(uint64)$queue->i_sb->s_dev, $queue->i_ino",
    length: "msg_len",
  },
)}

// A thread that was killed in a system call never leaves it.
tracepoint:sched:sched_process_exit {
  delete(@file[tid]);
  delete(@target[tid]);
  delete(@connecting[tid]);
  delete(@destination[tid]);
  delete(@destination_length[tid]);
  delete(@queue[tid]);
  delete(@length[tid]);
}

interval:s:1 {
${Object.keys(deepMaps)
  .map((map) => `  print(@${map});`)
  .join("\n")}
  printf("tick\\n");
}
`;
