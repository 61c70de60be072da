/* SPDX-License-Identifier: ISC */
/*
 * Design: the table carries the flag `owner` (Linux 5.12): the kernel deletes
 * it when the netlink socket that made it is closed, so there is nothing to
 * clean up after a process that was killed, and no privilege is needed to go.
 * That is why libnftables is linked and its context kept, where running the
 * program nft would leave rules behind. Only what is for this host is
 * steered, or a router would swallow what it should forward.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <nftables/libnftables.h>

#include "net/steer_priv.h"

static void put_holes(struct wr *w, const struct net_steer_conf *conf,
                      const struct net_steer_range *r)
{
	const char *proto = r->is_tcp ? "tcp" : "udp";
	size_t n = 0;

	for (size_t i = 0; i < conf->n_holes; i++) {
		const struct net_steer_hole *h = &conf->holes[i];

		if (h->is_tcp != r->is_tcp || h->port < r->first ||
		    h->port > r->last)
			continue;
		if (n++)
			wr_fmt(w, ", %u", h->port);
		else
			wr_fmt(w, " %s dport != { %u", proto, h->port);
	}
	if (n)
		wr_str(w, " }");
}

static int put_rule(struct wr *w, const struct net_steer_conf *conf,
                    const struct net_steer_range *r)
{
	const char *ip = r->at.family == ADDR_IP6 ? "ip6" : "ip";
	const char *proto = r->is_tcp ? "tcp" : "udp";
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);
	char text[ADDR_TEXT_BYTES];
	struct addr to;

	if (getsockname(r->fd, (struct sockaddr *)&ss, &n))
		return errno;
	to = addr_from_sockaddr((const struct sockaddr *)&ss);
	if (to.family != r->at.family)
		return EINVAL;
	wr_fmt(w, "  meta nfproto %s fib daddr type local",
	       r->at.family == ADDR_IP6 ? "ipv6" : "ipv4");
	if (!addr_is_wildcard(&r->at))
		wr_fmt(w, " %s daddr %s", ip, addr_ip_text(&r->at, text));
	wr_fmt(w, " %s dport %u-%u", proto, r->first, r->last);
	put_holes(w, conf, r);
	wr_fmt(w, " tproxy %s to %s accept\n", ip, addr_text(&to, text));
	return 0;
}

static int put_table(struct wr *w, const struct net_steer_conf *conf)
{
	int err = 0;

	wr_fmt(w,
	       "table inet prumo_edge_%d {\n flags owner\n chain steer {\n"
	       "  type filter hook prerouting priority mangle; policy accept;\n",
	       (int)getpid());
	for (size_t i = 0; !err && i < conf->n_ranges; i++)
		err = put_rule(w, conf, &conf->ranges[i]);
	wr_str(w, " }\n}\n");
	wr_u8(w, 0);
	if (!err && w->bad)
		err = ENOMEM;
	return err;
}

/* libnftables ends the process when there is no such socket. */
static int check_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return ENOTSUP;
	(void)close(fd);
	return 0;
}

static int run(struct net_steer *s, const struct wr *w)
{
	s->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!s->nft)
		return ENOMEM;
	/* what it would print is kept, and not looked at: why the kernel
	 * refused is no better known from it */
	(void)nft_ctx_buffer_output(s->nft);
	(void)nft_ctx_buffer_error(s->nft);
	errno = 0;
	if (nft_run_cmd_from_buffer(s->nft, (const char *)w->p) == 0)
		return 0;
	return errno == EPERM ? EPERM : ENOTSUP;
}

int net_steer_tproxy(struct net_steer *s, const struct net_steer_conf *conf)
{
	struct wr w = wr_init_heap();
	int err;

	err = put_table(&w, conf);
	if (!err)
		err = check_netlink();
	if (!err)
		err = run(s, &w);
	wr_fini(&w);
	return err;
}

void net_steer_tproxy_close(struct net_steer *s)
{
	if (s->nft)
		nft_ctx_free(s->nft);
	s->nft = NULL;
}
