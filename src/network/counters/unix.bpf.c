// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Which Unix sockets the processes of containers call, counted at connect(2) and at sendto(2) with an address; what an
// open connection does passes nothing of this. All containers have the same programs and map, since to verify these takes
// milliseconds (docs/decisions/0021-unix-calls-by-cgroup-bpf.md). The kernel lends the function that
// finds the address only to programs under its own licence, so this file alone can be had under it. Compiled and read as
// traffic.bpf.c is.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PATH_LENGTH 108 // of sun_path: unix(7)

enum kind {
	CONNECTED = 1,
	SENT = 2,
};

struct name {
	__u64 cgroup; // of the caller, by its inode
	__u32 user; // the caller's, as the host numbers them
	__u32 group;
	__u8 kind;
	__u8 type; // SOCK_STREAM and so on
	__u16 length; // of an abstract name with its leading zero byte; 0 for a path, which ends with one unless it fills all
	char path[PATH_LENGTH];
};

// What comes when the map is full is not counted.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, struct name);
	__type(value, __u64);
} names SEC(".maps");

extern void *bpf_cast_to_kern_ctx(void *context) __ksym;

// struct bpf_sock_addr_kern of include/linux/filter.h, as far as it is read here; the verifier knows the types.
struct kernel_call {
	void *socket;
	const char *address;
	__u64 scratch;
	void *unused;
	__u32 address_length;
};

static __always_inline int called(struct bpf_sock_addr *call, enum kind kind)
{
	struct kernel_call *kernel_call = bpf_cast_to_kern_ctx(call);
	__u64 user_and_group = bpf_get_current_uid_gid();
	struct name name = { .cgroup = bpf_get_current_cgroup_id(), .kind = kind, .type = call->type };
	const char *path = kernel_call->address + 2;
	__u64 length = kernel_call->address_length - 2;
	__u64 one = 1, *count;
	long read;

	// For the verifier, which has to see both bounds in this very register.
	asm volatile("" : "+r"(length));
	if (length == 0 || length > PATH_LENGTH)
		return 1;
	name.user = user_and_group;
	name.group = user_and_group >> 32;
	// A path may do without a zero byte at its end (BUGS of unix(7)): what follows is then not of this call.
	read = bpf_probe_read_kernel_str(name.path, length < PATH_LENGTH ? length + 1 : PATH_LENGTH, path);
	// One that fills sun_path has none: its last byte is its own.
	if (length == PATH_LENGTH && read == PATH_LENGTH)
		bpf_probe_read_kernel(name.path + PATH_LENGTH - 1, 1, path + PATH_LENGTH - 1);
	if (name.path[0] == 0) {
		name.length = length;
		bpf_probe_read_kernel(name.path, length, path);
	}
	count = bpf_map_lookup_elem(&names, &name);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&names, &name, &one, BPF_NOEXIST);
	return 1;
}

SEC("cgroup/connect_unix")
int connects(struct bpf_sock_addr *call)
{
	return called(call, CONNECTED);
}

SEC("cgroup/sendmsg_unix")
int sends(struct bpf_sock_addr *call)
{
	return called(call, SENT);
}

char _license[] SEC("license") = "Dual MIT/GPL";
