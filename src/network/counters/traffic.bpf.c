// What one container's sockets do, counted where the kernel opens and ends connections and sends datagrams, never
// per packet of a connection (docs/decisions/0019-counters-by-cgroup-bpf.md). `npm run build:bpf` compiles this
// into traffic-program.ts; the layouts below are read by src/host/traffic-count.ts.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET6 10

enum kind {
	TCP_CALLED = 1,    // the container connected to this address and port
	TCP_ACCEPTED = 2,  // this address, not the pod's own, connected to this port of the container
	UDP_SENT = 3,      // datagrams to this address and port, of sockets that are not connected
	UDP_ANSWERED = 4,  // datagrams from this address and port, of calls that asked from where
	UDP_CONNECTED = 5, // sockets that were connected to this address and port and have been closed
	HALF_CLOSED = 6,   // a connection whose other end still sends, by its cookie
};

struct peer {
	__u8 address[16]; // IPv6, or IPv4 as ::ffff:a.b.c.d
	__u16 port;
	__u8 kind;
	__u8 unused;
};

struct traffic {
	__u64 attempts; // to connect
	__u64 count;    // connections made, or datagrams
	__u64 sent;     // payload of the connections that have ended, in bytes
	__u64 received;
};

// Made on demand: a container has a handful of peers. What comes when the map is full is not counted.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct peer);
	__type(value, struct traffic);
} peers SEC(".maps");

// From where Linux takes ports for sockets that ask for none (net.ipv4.ip_local_port_range). UDP doesn't tell who
// is the client; such a port is taken for one.
#define FIRST_EPHEMERAL_PORT 32768

static __always_inline struct traffic *traffic_of(struct peer *peer)
{
	struct traffic none = {};
	struct traffic *known = bpf_map_lookup_elem(&peers, peer);

	if (known)
		return known;
	bpf_map_update_elem(&peers, peer, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&peers, peer);
}

static __always_inline void set_ipv4(struct peer *peer, __u32 address)
{
	__u32 *words = (__u32 *)peer->address;

	words[2] = bpf_htonl(0xffff);
	words[3] = address;
}

// The verifier takes a field of a context only at a constant offset, which the compiler must not merge with others.
#define FIELD(field) (*(volatile __u32 *)&(field))

#define SET_IPV6(peer, field)                           \
	do {                                            \
		__u32 *words = (__u32 *)(peer)->address; \
		words[0] = FIELD((field)[0]);           \
		words[1] = FIELD((field)[1]);           \
		words[2] = FIELD((field)[2]);           \
		words[3] = FIELD((field)[3]);           \
	} while (0)

// An end that the kernel accepted is told from one that connected by a flag that asks for calls at retransmission
// timeouts, which are rare and let be here.
#define ACCEPTED_MARK BPF_SOCK_OPS_RTO_CB_FLAG

static __always_inline void set_remote(struct peer *peer, struct bpf_sock_ops *ops)
{
	if (ops->family == AF_INET6)
		SET_IPV6(peer, ops->remote_ip6);
	else
		set_ipv4(peer, FIELD(ops->remote_ip4));
}

// Whether both ends are in this network namespace as far as addresses tell: its client is counted as such.
static __always_inline int is_local(struct bpf_sock_ops *ops, const struct peer *peer)
{
	const __u32 *words = (const __u32 *)peer->address;
	__u32 local = FIELD(ops->local_ip4);

	if (words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff))
		return peer->address[12] == 127 || words[3] == local;
	if (words[0] == 0 && words[1] == 0 && words[2] == 0 && words[3] == bpf_htonl(1))
		return 1;
	return words[0] == FIELD(ops->local_ip6[0]) && words[1] == FIELD(ops->local_ip6[1]) &&
	       words[2] == FIELD(ops->local_ip6[2]) && words[3] == FIELD(ops->local_ip6[3]);
}

static __always_inline void set_half_closed(struct peer *key, struct bpf_sock_ops *ops)
{
	key->kind = HALF_CLOSED;
	*(__u64 *)key->address = bpf_get_socket_cookie(ops);
}

// The kernel's counts of sequence numbers hold a SYN that was sent and FINs of both directions, which are no payload.
static __always_inline void add_payload(struct traffic *traffic, struct bpf_sock_ops *ops, int accepted)
{
	__u32 last = ops->args[0];
	__u64 sent = ops->bytes_acked;
	__u64 received = ops->bytes_received;

	if (!accepted && sent > 0)
		sent -= 1;
	if ((last == BPF_TCP_FIN_WAIT2 || last == BPF_TCP_CLOSING || last == BPF_TCP_LAST_ACK) &&
	    ops->snd_una == ops->snd_nxt && sent > 0)
		sent -= 1;
	if (last == BPF_TCP_CLOSE_WAIT || last == BPF_TCP_LAST_ACK || last == BPF_TCP_CLOSING) {
		if (received > 0)
			received -= 1;
	} else if (last == BPF_TCP_FIN_WAIT2) {
		struct peer key = {};
		struct traffic *then;

		set_half_closed(&key, ops);
		then = bpf_map_lookup_elem(&peers, &key);
		// The other end's FIN moves the count too, whether data came before it or not.
		if (then && received > then->received)
			received -= 1;
		bpf_map_delete_elem(&peers, &key);
	}
	__sync_fetch_and_add(&traffic->sent, sent);
	__sync_fetch_and_add(&traffic->received, received);
}

static __always_inline void state_changes(struct bpf_sock_ops *ops)
{
	int accepted = ops->bpf_sock_ops_cb_flags & ACCEPTED_MARK;
	struct traffic *traffic;
	struct peer peer = {};

	if (ops->args[1] == BPF_TCP_FIN_WAIT2) {
		struct traffic now = { .received = ops->bytes_received };

		set_half_closed(&peer, ops);
		bpf_map_update_elem(&peers, &peer, &now, BPF_ANY);
	} else if (ops->args[1] == BPF_TCP_CLOSE) {
		set_remote(&peer, ops);
		peer.kind = accepted ? TCP_ACCEPTED : TCP_CALLED;
		peer.port = accepted ? ops->local_port : bpf_ntohl(ops->remote_port);
		traffic = traffic_of(&peer);
		if (traffic)
			add_payload(traffic, ops, accepted);
	}
}

SEC("sockops")
int tcp(struct bpf_sock_ops *ops)
{
	struct peer peer = {};
	struct traffic *traffic;

	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		set_remote(&peer, ops);
		peer.kind = TCP_CALLED;
		peer.port = bpf_ntohl(ops->remote_port);
		traffic = traffic_of(&peer);
		if (traffic && ops->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
			__sync_fetch_and_add(&traffic->attempts, 1);
		else if (traffic)
			__sync_fetch_and_add(&traffic->count, 1);
		bpf_sock_ops_cb_flags_set(ops, BPF_SOCK_OPS_STATE_CB_FLAG);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		set_remote(&peer, ops);
		if (is_local(ops, &peer))
			break;
		peer.kind = TCP_ACCEPTED;
		peer.port = ops->local_port;
		traffic = traffic_of(&peer);
		if (traffic)
			__sync_fetch_and_add(&traffic->count, 1);
		bpf_sock_ops_cb_flags_set(ops, BPF_SOCK_OPS_STATE_CB_FLAG | ACCEPTED_MARK);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		state_changes(ops);
		break;
	}
	return 1;
}

static __always_inline int datagram(struct peer *peer, __u16 port, enum kind kind)
{
	struct traffic *traffic;

	if (port >= FIRST_EPHEMERAL_PORT)
		return 1;
	peer->port = port;
	peer->kind = kind;
	traffic = traffic_of(peer);
	if (traffic)
		__sync_fetch_and_add(&traffic->count, 1);
	return 1;
}

static __always_inline int datagram4(struct bpf_sock_addr *call, enum kind kind)
{
	struct peer peer = {};

	set_ipv4(&peer, call->user_ip4);
	return datagram(&peer, bpf_ntohs(call->user_port), kind);
}

static __always_inline int datagram6(struct bpf_sock_addr *call, enum kind kind)
{
	struct peer peer = {};

	SET_IPV6(&peer, call->user_ip6);
	return datagram(&peer, bpf_ntohs(call->user_port), kind);
}

SEC("cgroup/sendmsg4")
int udp4_sent(struct bpf_sock_addr *call)
{
	return datagram4(call, UDP_SENT);
}

SEC("cgroup/sendmsg6")
int udp6_sent(struct bpf_sock_addr *call)
{
	return datagram6(call, UDP_SENT);
}

SEC("cgroup/recvmsg4")
int udp4_answered(struct bpf_sock_addr *call)
{
	return datagram4(call, UDP_ANSWERED);
}

SEC("cgroup/recvmsg6")
int udp6_answered(struct bpf_sock_addr *call)
{
	return datagram6(call, UDP_ANSWERED);
}

#define IPPROTO_UDP 17

SEC("cgroup/sock_release")
int socket_closes(struct bpf_sock *socket)
{
	struct peer peer = {};

	if (socket->protocol != IPPROTO_UDP || socket->state != BPF_TCP_ESTABLISHED)
		return 1;
	if (socket->family == AF_INET6)
		SET_IPV6(&peer, socket->dst_ip6);
	else
		set_ipv4(&peer, FIELD(socket->dst_ip4));
	return datagram(&peer, bpf_ntohs(socket->dst_port), UDP_CONNECTED);
}

// Needed for none of the helpers above, but the kernel wants one.
char _license[] SEC("license") = "Apache-2.0";
