/* SPDX-License-Identifier: ISC */
/*
 * Design: packet sockets on the veth devices, not TUN. /dev/net/tun is often
 * open to root alone or absent in a container, while a packet socket needs
 * only the right over its own network namespace, which the lab's user has.
 * The kernel still answers ARP and neighbour discovery on these devices; the
 * lab's rules keep it from everything else.
 *
 * A neighbour's address is given, not learned: the lab laid the cables.
 */
#include "lab/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "lab/lab.h"

enum {
	BATCH = 64,
	FRAME_BYTES = 2048,
	QUEUE = 256,
	SOCKET_BYTES = 4 << 20,
	IP4_BYTES = 4,
	IP4_DST_AT = 16, /* RFC 791, section 3.1 */
	IP6_DST_AT = 24, /* RFC 8200, section 3 */
};

/* Frames that leave together. */
struct queue {
	size_t n;
	uint8_t frames[QUEUE][FRAME_BYTES];
	size_t lens[QUEUE];
};

struct port {
	const char *device;
	const uint8_t *peer;
	uint8_t own[ETH_ALEN];
	int fd;
	struct queue out;
};

struct machine {
	const struct lab_relay *relay;
	struct port ports[2];
	struct router *router;
};

static int port_open(struct port *p)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
	                         .sll_protocol = htons(ETH_P_ALL)};
	socklen_t at_bytes = sizeof(at);
	const int yes = 1, bytes = SOCKET_BYTES;

	at.sll_ifindex = (int)if_nametoindex(p->device);
	if (!at.sll_ifindex)
		return errno;
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return errno;
	if (setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes,
	               sizeof(yes)) != 0 ||
	    bind(p->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(p->fd, (struct sockaddr *)&at, &at_bytes) != 0)
		return errno;
	/* Larger buffers are welcome, not needed. */
	(void)setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	memcpy(p->own, at.sll_addr, ETH_ALEN);
	return 0;
}

/* Its own address, and those of the block behind its cable's. */
static void pool_fill(struct router_conf *conf)
{
	struct router_nat_conf *nat = &conf->nat;

	if (nat->has_ip6)
		nat->ext6 = conf->ip6[ROUTER_WAN];
	nat->ext[nat->n_ext++] = conf->ip4[ROUTER_WAN];
	while (nat->n_ext < conf->n_pool && nat->n_ext < ROUTER_NAT_MAX_EXT) {
		struct addr *ext = &nat->ext[nat->n_ext];

		*ext = conf->ip4[ROUTER_WAN];
		ext->ip[3] = (uint8_t)(LAB_POOL_AT + nat->n_ext - 1);
		nat->n_ext++;
	}
}

/* The device's own addresses become the router's. */
static int addresses_find(struct router_conf *conf, const struct port *ports)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) != 0)
		return errno;
	for (i = all; i; i = i->ifa_next) {
		struct addr a;
		size_t side = 0;

		if (!i->ifa_addr)
			continue;
		while (side < 2 && strcmp(i->ifa_name, ports[side].device) != 0)
			side++;
		if (side == 2)
			continue;
		a = addr_from_sockaddr(i->ifa_addr);
		a.port = 0;
		if (a.family == ADDR_IP4)
			conf->ip4[side] = a;
		else if (a.family == ADDR_IP6 &&
		         (addr_is_documentation(&a) || !addr_is_private(&a)))
			conf->ip6[side] = a;
	}
	freeifaddrs(all);
	if (conf->nat.mode == ROUTER_NAT_ON && !conf->nat.n_ext)
		pool_fill(conf);
	return 0;
}

/* What a full socket refuses is lost, as in any router. */
static void port_flush(struct port *p)
{
	struct mmsghdr msgs[QUEUE] = {0};
	struct iovec parts[QUEUE];
	size_t done = 0;

	for (size_t i = 0; i < p->out.n; i++) {
		parts[i].iov_base = p->out.frames[i];
		parts[i].iov_len = p->out.lens[i];
		msgs[i].msg_hdr.msg_iov = &parts[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < p->out.n) {
		int n = sendmmsg(p->fd, msgs + done,
		                 (unsigned)(p->out.n - done), 0);

		if (n <= 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	p->out.n = 0;
}

/* Only the LAN has more than one host at the other end. */
static const uint8_t *neighbour(const struct machine *m, enum router_side to,
                                struct slice pkt)
{
	size_t at = pkt.p[0] >> 4 == 6 ? IP6_DST_AT : IP4_DST_AT;

	for (size_t i = 0; to == ROUTER_LAN && i < m->relay->n_hosts; i++) {
		const struct lab_relay_host *host = &m->relay->hosts[i];
		struct slice ip = addr_ip(&host->ip);

		if (slice_eq(slice_sub(pkt, at, ip.n), ip) &&
		    (ip.n == IP4_BYTES) == (at == IP4_DST_AT))
			return host->mac;
	}
	return m->ports[to].peer;
}

static void on_send(void *arg, enum router_side to, struct slice pkt)
{
	struct machine *m = arg;
	struct port *p = &m->ports[to];
	struct wr w;

	if (p->out.n == QUEUE)
		port_flush(p);
	w = wr_init(p->out.frames[p->out.n], FRAME_BYTES);
	wr_put(&w, (struct slice){neighbour(m, to, pkt), ETH_ALEN});
	wr_put(&w, (struct slice){p->own, ETH_ALEN});
	wr_u16(&w, pkt.p[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	wr_put(&w, pkt);
	if (!w.bad)
		p->out.lens[p->out.n++] = w.n;
}

static void frame_take(struct machine *m, enum router_side from, uint8_t *frame,
                       size_t n, int64_t now_ns)
{
	struct rd r = rd_init((struct slice){frame, n});
	uint16_t type;

	(void)rd_take(&r, (size_t)ETH_ALEN * 2);
	type = rd_u16(&r);
	if (!r.bad && (type == ETH_P_IP || type == ETH_P_IPV6))
		router_take(m->router, from, frame + ETH_HLEN, r.left, now_ns);
}

static void port_read_all(struct machine *m, enum router_side side)
{
	static uint8_t frames[BATCH][FRAME_BYTES];
	struct sockaddr_ll from[BATCH] = {0};
	struct mmsghdr msgs[BATCH] = {0};
	struct iovec parts[BATCH];
	int64_t now_ns;
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		parts[i].iov_base = frames[i];
		parts[i].iov_len = FRAME_BYTES;
		msgs[i].msg_hdr =
			(struct msghdr){.msg_name = &from[i],
		                        .msg_namelen = sizeof(from[i]),
		                        .msg_iov = &parts[i],
		                        .msg_iovlen = 1};
	}
	n = recvmmsg(m->ports[side].fd, msgs, BATCH, 0, NULL);
	now_ns = clock_mono_ns();
	for (int i = 0; i < n; i++) {
		if (from[i].sll_pkttype == PACKET_HOST &&
		    !(msgs[i].msg_hdr.msg_flags & MSG_TRUNC))
			frame_take(m, side, frames[i], msgs[i].msg_len, now_ns);
	}
}

static int loop_watch(int loop, int fd, uint32_t which)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = which};

	return epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : errno;
}

/* @return 0 at a signal, or the system's error */
static int run(struct machine *m, int loop)
{
	for (;;) {
		struct epoll_event events[3];
		int64_t now_ns = clock_mono_ns();
		int64_t next_ns = router_wake(m->router, now_ns);
		struct timespec wait = {0};
		int n;

		port_flush(&m->ports[ROUTER_LAN]);
		port_flush(&m->ports[ROUTER_WAN]);
		if (next_ns > now_ns && next_ns != INT64_MAX) {
			wait.tv_sec = (next_ns - now_ns) / NS_PER_S;
			wait.tv_nsec = (next_ns - now_ns) % NS_PER_S;
		}
		n = epoll_pwait2(loop, events, 3,
		                 next_ns == INT64_MAX ? NULL : &wait, NULL);
		if (n < 0 && errno != EINTR)
			return errno;
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 > ROUTER_WAN)
				return 0;
			port_read_all(m, (enum router_side)events[i].data.u32);
		}
	}
}

static int truth_write(const struct machine *m)
{
	struct wr w = wr_init_heap();
	FILE *f;
	int err = 0;

	if (!m->relay->truth)
		return 0;
	router_truth_put(&w, m->router);
	f = fopen(m->relay->truth, "we");
	if (!f || w.bad || fwrite(w.p, 1, w.n, f) != w.n)
		err = EIO;
	if (f && fclose(f) != 0)
		err = EIO;
	wr_fini(&w);
	return err;
}

static int machine_run(struct machine *m, struct router_conf *conf)
{
	static const char ready[] = "ready\n";
	int loop = epoll_create1(EPOLL_CLOEXEC), signals, err = 0;
	sigset_t stop;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop < 0 || signals < 0)
		return errno;
	for (uint32_t i = 0; i < 2 && !err; i++) {
		err = port_open(&m->ports[i]);
		if (!err)
			err = loop_watch(loop, m->ports[i].fd, i);
	}
	if (!err)
		err = loop_watch(loop, signals, ROUTER_WAN + 1);
	if (!err)
		err = addresses_find(conf, m->ports);
	if (!err)
		err = router_alloc(&m->router, conf, clock_mono_ns(), on_send,
		                   m);
	if (err)
		return err;
	err = write(m->relay->ready_fd, ready, sizeof(ready) - 1) < 0 ? errno
	                                                              : 0;
	if (!err)
		err = run(m, loop);
	if (!err)
		err = truth_write(m);
	router_free(m->router);
	return err;
}

void lab_relay_init(struct lab_relay *relay)
{
	*relay = (struct lab_relay){.conf = router_defaults,
	                            .ready_fd = STDOUT_FILENO};
	relay->conf.nat = router_nat_defaults;
	relay->conf.alg = router_alg_defaults;
}

int lab_relay_mac(uint8_t mac[LAB_RELAY_MAC_BYTES], struct slice text)
{
	struct wr w = wr_init(mac, LAB_RELAY_MAC_BYTES);
	struct rd r = rd_init(text);

	for (size_t i = 0; i < LAB_RELAY_MAC_BYTES; i++) {
		if (text_hex_read(&w, rd_take(&r, 2)) != 0)
			return EINVAL;
		if (i + 1 < LAB_RELAY_MAC_BYTES && rd_u8(&r) != ':')
			return EINVAL;
	}
	return r.bad || r.left || w.n != LAB_RELAY_MAC_BYTES ? EINVAL : 0;
}

int lab_relay_run(struct lab_relay *relay)
{
	static struct machine m; /* its queues are too large for a stack */

	m.relay = relay;
	for (size_t i = 0; i < 2; i++) {
		m.ports[i].device = relay->devices[i];
		m.ports[i].peer = relay->peers[i];
	}
	return machine_run(&m, &relay->conf);
}
