/**
 * System calls that a container may make by default: what ordinary programs need, without those that administer
 * the machine, leave the container's namespaces or have been a road out of it. The set follows containerd's
 * documented default (https://docs.docker.com/engine/security/seccomp/ lists what it refuses and why). Names of
 * other architectures are ignored by the runtime, so one list serves all.
 */
export const allowedSystemCalls: readonly string[] = words(`
  accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64
  recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair

  access chdir chmod chown chown32 copy_file_range creat faccessat faccessat2 fadvise64 fadvise64_64 fallocate
  fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fdatasync file_getattr file_setattr flock fstat
  fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 lchown
  lchown32 link linkat listmount lseek _llseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at
  newfstatat open openat openat2 readdir readlink readlinkat rename renameat renameat2 rmdir stat stat64 statfs
  statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs truncate truncate64 umask unlink unlinkat
  utime utimensat utimensat_time64 utimes

  fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
  lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat

  close close_range dup dup2 dup3 fcntl fcntl64 ioctl pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
  read readahead readv sendfile sendfile64 splice tee vmsplice write writev cachestat
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select _newselect
  fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
  io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit

  brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
  mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages

  ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
  mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget

  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area restart_syscall
  rseq set_robust_list set_thread_area set_tid_address
  capget capset execve execveat exit exit_group fork getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
  getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit
  getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set pause prctl prlimit64 setfsgid setfsgid32 setfsuid
  setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32
  setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 ugetrlimit vfork wait4 waitid waitpid
  pidfd_open pidfd_send_signal process_mrelease process_vm_readv process_vm_writev ptrace
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield

  kill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask
  sigreturn sigsuspend tgkill tkill uretprobe

  adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64 times

  getcpu getrandom sysinfo uname
  landlock_add_rule landlock_create_ruleset landlock_restrict_self
  lsm_get_self_attr lsm_list_modules lsm_set_self_attr seccomp
`);

/** System calls of one architecture that its C library needs, by what uname(2) calls the architecture. */
export const architectureSystemCalls: Readonly<Record<string, readonly string[]>> = {
  x86_64: ["arch_prctl", "modify_ldt"],
  aarch64: words("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
};

/** System calls that a container may make when it was given a capability, which then is the kernel's own guard. */
export const capabilitySystemCalls: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: ["open_by_handle_at"],
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount
    open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
  `),
  CAP_SYS_BOOT: ["reboot"],
  CAP_SYS_CHROOT: ["chroot"],
  CAP_SYS_MODULE: words("delete_module init_module finit_module"),
  CAP_SYS_PACCT: ["acct"],
  CAP_SYS_PTRACE: words("kcmp pidfd_getfd process_madvise"),
  CAP_SYS_RAWIO: words("iopl ioperm"),
  CAP_SYS_TIME: words("settimeofday stime clock_settime clock_settime64"),
  CAP_SYS_TTY_CONFIG: ["vhangup"],
  CAP_SYS_NICE: words("get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
  CAP_SYSLOG: ["syslog"],
  CAP_BPF: ["bpf"],
  CAP_PERFMON: ["perf_event_open"],
};

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
