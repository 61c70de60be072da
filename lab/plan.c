/* SPDX-License-Identifier: ISC */
/*
 * Design: one batch of ip(8) and one of nft(8) for a node, because a process
 * for every address would cost more than the rest of the lab. Each link is a
 * veth pair whose ends are called by the way they face, so that the rules of
 * all routers read the same: "wan" towards the server, "lan" towards the
 * client.
 *
 * A router masks the addresses behind it only where it is told to, and the
 * others route both ways; so the ALG may sit at any hop and still meet the
 * client's own address, which it needs to see in order to rewrite it.
 */
#include "lab/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

unsigned lab_plan_n_nodes(const struct lab_spec *spec)
{
	return spec->n_hops + 1 + lab_plan_n_clients(spec);
}

unsigned lab_plan_n_clients(const struct lab_spec *spec)
{
	return spec->n_clients ? spec->n_clients : 1;
}

unsigned lab_plan_client(const struct lab_spec *spec, unsigned client)
{
	return client == 1 ? 0 : spec->n_hops + client;
}

/* "client2" to "client4" */
static int client_node(unsigned *nodep, const struct lab_spec *spec,
                       const char *digit)
{
	unsigned client;

	if (digit[0] < '2' || digit[0] > '9' || digit[1])
		return ENOENT;
	client = (unsigned)(digit[0] - '0');
	if (client > lab_plan_n_clients(spec))
		return ENOENT;
	*nodep = lab_plan_client(spec, client);
	return 0;
}

int lab_plan_node(unsigned *nodep, const struct lab_spec *spec,
                  const char *name)
{
	static const char client[] = "client";
	unsigned hop;

	if (strcmp(name, client) == 0) {
		*nodep = 0;
		return 0;
	}
	if (strncmp(name, client, sizeof(client) - 1) == 0)
		return client_node(nodep, spec, name + sizeof(client) - 1);
	if (strcmp(name, "server") == 0) {
		*nodep = spec->n_hops + 1;
		return 0;
	}
	if (name[0] != 'r' || name[1] < '1' || name[1] > '9' || name[2])
		return ENOENT;
	hop = (unsigned)(name[1] - '0');
	if (hop > spec->n_hops)
		return ENOENT;
	*nodep = hop;
	return 0;
}

static bool keeps_state(const struct lab_hop *hop)
{
	return hop->has_alg || hop->has_nat || hop->has_firewall;
}

/* Elsewhere are the cables, and the rest of the world. */
static bool is_server_net(const struct prefix *net)
{
	static const char *const blocks[] = {"198.51.100.0/24", "198.19.0.0/16",
	                                     "2001:db8:ffff::/48"};
	struct prefix block;

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		if (prefix_parse(&block, slice_str(blocks[i])) == 0 &&
		    prefix_has(&block, &net->net) &&
		    net->n_bits >= block.n_bits)
			return true;
	}
	return false;
}

int lab_plan_check(const struct lab_spec *spec)
{
	if (spec->n_hops < 1 || spec->n_hops > LAB_MAX_HOPS ||
	    spec->n_clients > LAB_MAX_CLIENTS ||
	    spec->n_server_nets > LAB_MAX_NETS)
		return EINVAL;
	for (size_t i = 0; i < spec->n_server_nets; i++) {
		if (!is_server_net(&spec->server_nets[i]))
			return EINVAL;
	}
	for (unsigned i = 0; i < spec->n_hops; i++) {
		const struct lab_hop *hop = &spec->hops[i];

		if (hop->udp_timeout_s && !keeps_state(hop))
			return EINVAL;
		if (hop->is_program && (keeps_state(hop) || hop->is_silent))
			return EINVAL;
	}
	return 0;
}

/* Link 0 is the customer's own. */
static bool is_shared(const struct lab_spec *spec, unsigned link)
{
	return link > 0 && link <= spec->n_hops &&
	       spec->hops[link - 1].has_shared_wan;
}

void lab_plan_link(char *near, char *far, const struct lab_spec *spec,
                   unsigned link, bool is_ip6)
{
	static const struct {
		const char *near, *far;
	} special[2][2] = {
		{{LAB_CLIENT_IP4, "192.0.2.1"}, {LAB_NAT_IP4, "203.0.113.1"}},
		{{LAB_CLIENT_IP6, "2001:db8::1"},
	         {"2001:db8:1::2", "2001:db8:1::1"}},
	};
	size_t size = LAB_ADDR_BYTES;

	if (!is_ip6 && is_shared(spec, link)) {
		(void)snprintf(near, size, "100.64.%u.2", link);
		(void)snprintf(far, size, "100.64.%u.1", link);
	} else if (link < ARRAY_LEN(special[0])) {
		(void)snprintf(near, size, "%s", special[is_ip6][link].near);
		(void)snprintf(far, size, "%s", special[is_ip6][link].far);
	} else if (is_ip6) {
		(void)snprintf(near, size, "2001:db8:%x::2", link);
		(void)snprintf(far, size, "2001:db8:%x::1", link);
	} else {
		(void)snprintf(near, size, "198.18.%u.2", link);
		(void)snprintf(far, size, "198.18.%u.1", link);
	}
}

void lab_plan_mac(char *buf, unsigned link, bool is_far)
{
	(void)snprintf(buf, LAB_ADDR_BYTES, "02:00:00:00:%02x:%02x", link,
	               is_far ? 2U : 1U);
}

void lab_plan_client_mac(char *buf, unsigned client)
{
	if (client == 1)
		lab_plan_mac(buf, 0, false);
	else
		(void)snprintf(buf, LAB_ADDR_BYTES, "02:00:00:00:ff:%02x",
		               client);
}

void lab_client_addr(char *buf, unsigned client, bool is_ip6)
{
	/* 33 in the text of either family */
	(void)snprintf(buf, LAB_ADDR_BYTES,
	               is_ip6 ? "2001:db8::%u" : "192.0.2.%u", 32 + client);
}

const char *lab_plan_out_device(const struct lab_spec *spec, unsigned node)
{
	return node == 0 && lab_plan_n_clients(spec) > 1 ? "trunk" : "wan";
}

static void put_net(struct wr *w, const struct lab_spec *spec, unsigned link,
                    bool is_ip6)
{
	if (is_ip6)
		wr_fmt(w, "2001:db8:%x::/64", link);
	else if (is_shared(spec, link))
		wr_fmt(w, "100.64.%u.0/30", link);
	else if (link == 0)
		wr_str(w, "192.0.2.0/24");
	else if (link == 1)
		wr_str(w, "203.0.113.0/30");
	else
		wr_fmt(w, "198.18.%u.0/30", link);
}

static unsigned prefix_bits(unsigned link, bool is_ip6)
{
	if (is_ip6)
		return 64;
	return link == 0 ? 24 : 30;
}

static const char *dad(bool is_ip6)
{
	return is_ip6 ? " nodad" : "";
}

/* The addresses that a program may translate to beside its own. */
static void put_pool_route(struct wr *w, const struct lab_spec *spec,
                           unsigned hop, const char *via)
{
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];
	size_t n;

	if (!spec->hops[hop - 1].is_program)
		return;
	lab_plan_link(near, far, spec, hop, false);
	n = strlen(near) - 1; /* that of its cable ends in .2 */
	wr_fmt(w, "route add %.*s%d/30 via %s dev lan\n", (int)n, near,
	       LAB_POOL_AT, via);
}

/* Everything behind the neighbour on the client's side. */
static void put_routes_back(struct wr *w, const struct lab_spec *spec,
                            unsigned node, bool is_ip6)
{
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	lab_plan_link(near, far, spec, node - 1, is_ip6);
	for (unsigned link = 0; link + 1 < node; link++) {
		wr_str(w, "route add ");
		put_net(w, spec, link, is_ip6);
		wr_fmt(w, " via %s dev lan\n", near);
	}
	for (unsigned hop = 1; hop < node && !is_ip6; hop++)
		put_pool_route(w, spec, hop, near);
}

/*
 * The server answers from its own address, to the neighbour too: a program
 * that is bound to no address would else answer a router that masks from
 * the address of the link, and the router would not know the answer.
 */
static void put_server(struct wr *w, const struct lab_spec *spec, unsigned node,
                       bool is_ip6)
{
	const char *own = is_ip6 ? LAB_SERVER_IP6 : LAB_SERVER_IP4;
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	lab_plan_link(near, far, spec, node - 1, is_ip6);
	wr_fmt(w, "addr add %s/%u dev lo%s\n", own, is_ip6 ? 128U : 32U,
	       dad(is_ip6));
	if (!is_ip6)
		wr_str(w, "addr add " LAB_SERVER2_IP4 "/32 dev lo\n");
	wr_fmt(w, "addr add %s/%u dev lan%s noprefixroute\n", far,
	       prefix_bits(node - 1, is_ip6), dad(is_ip6));
	wr_str(w, "route add ");
	put_net(w, spec, node - 1, is_ip6);
	wr_fmt(w, " dev lan src %s\n", own);
	wr_fmt(w, "route add default via %s dev lan src %s\n", near, own);
	for (size_t i = 0; i < spec->n_server_nets; i++) {
		const struct prefix *net = &spec->server_nets[i];
		char text[ADDR_TEXT_BYTES];

		if ((net->net.family == ADDR_IP6) != is_ip6)
			continue;
		(void)addr_ip_text(&net->net, text);
		/* A program that lists the host's addresses shall find it. */
		if (net->n_bits == (is_ip6 ? 128 : 32))
			wr_fmt(w, "addr replace %s/%u dev lo%s\n", text,
			       net->n_bits, dad(is_ip6));
		else
			wr_fmt(w, "route replace local %s/%u dev lo\n", text,
			       net->n_bits);
	}
}

static void put_client(struct wr *w, const struct lab_spec *spec, unsigned node,
                       bool is_ip6)
{
	char own[LAB_ADDR_BYTES], near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	lab_client_addr(own, node == 0 ? 1 : node - spec->n_hops, is_ip6);
	lab_plan_link(near, far, spec, 0, is_ip6);
	wr_fmt(w, "addr add %s/%u dev wan%s\n", own, prefix_bits(0, is_ip6),
	       dad(is_ip6));
	wr_fmt(w, "route add default via %s dev wan\n", far);
}

static void put_family(struct wr *w, const struct lab_spec *spec, unsigned node,
                       bool is_ip6)
{
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	if (node == spec->n_hops + 1) {
		put_server(w, spec, node, is_ip6);
		return;
	}
	if (node == 0 || node > spec->n_hops) {
		put_client(w, spec, node, is_ip6);
		return;
	}
	lab_plan_link(near, far, spec, node - 1, is_ip6);
	wr_fmt(w, "addr add %s/%u dev lan%s\n", far,
	       prefix_bits(node - 1, is_ip6), dad(is_ip6));
	put_routes_back(w, spec, node, is_ip6);
	lab_plan_link(near, far, spec, node, is_ip6);
	wr_fmt(w, "addr add %s/%u dev wan%s\n", near, prefix_bits(node, is_ip6),
	       dad(is_ip6));
	wr_fmt(w, "route add default via %s dev wan\n", far);
}

/* A cable to the next node of the path. */
static void put_cable(struct wr *w, const struct lab_spec *spec, unsigned node,
                      const int *fds)
{
	const char *device = lab_plan_out_device(spec, node);
	char near[LAB_ADDR_BYTES], far[LAB_ADDR_BYTES];

	lab_plan_mac(near, node, false);
	lab_plan_mac(far, node, true);
	wr_fmt(w,
	       "link add %s%s%s type veth peer name lan address %s netns "
	       "/proc/self/fd/%d\n",
	       device, strcmp(device, "wan") == 0 ? " address " : "",
	       strcmp(device, "wan") == 0 ? near : "", far, fds[node + 1]);
	wr_fmt(w, "link set %s up\n", device);
}

/* The LAN's switch: it adds no hop, and the client is one of its ports. */
static void put_switch(struct wr *w, const struct lab_spec *spec,
                       const int *fds)
{
	char mac[LAB_ADDR_BYTES];

	lab_plan_client_mac(mac, 1);
	wr_fmt(w,
	       "link add wan address %s type bridge forward_delay 0 "
	       "mcast_snooping 0\n",
	       mac);
	wr_str(w, "link set trunk master wan\n");
	for (unsigned i = 2; i <= lab_plan_n_clients(spec); i++) {
		lab_plan_client_mac(mac, i);
		wr_fmt(w,
		       "link add port%u type veth peer name wan address %s "
		       "netns /proc/self/fd/%d\n",
		       i, mac, fds[lab_plan_client(spec, i)]);
		wr_fmt(w, "link set port%u up master wan\n", i);
	}
}

void lab_plan_links(struct wr *w, const struct lab_spec *spec, unsigned node,
                    const int *fds)
{
	wr_str(w, "link set lo up\n");
	if (node <= spec->n_hops)
		put_cable(w, spec, node, fds);
	if (node == 0 && lab_plan_n_clients(spec) > 1)
		put_switch(w, spec, fds);
	if (node == 0 || node > spec->n_hops + 1)
		wr_str(w, "link set wan up\n");
	else
		wr_str(w, "link set lan up\n");
	put_family(w, spec, node, false);
	if (spec->has_ip6)
		put_family(w, spec, node, true);
}

static void put_helper(struct wr *w)
{
	wr_str(w, "ct helper sip-udp { type \"sip\" protocol udp; }\n"
	          "ct helper sip-tcp { type \"sip\" protocol tcp; }\n"
	          "chain alg {\n"
	          "type filter hook prerouting priority mangle;\n");
	wr_fmt(w, "udp dport %d ct helper set \"sip-udp\"\n", LAB_SIP_PORT);
	wr_fmt(w, "tcp dport %d ct helper set \"sip-tcp\"\n", LAB_SIP_PORT);
	wr_str(w, "}\n");
}

static void put_timeout(struct wr *w, unsigned timeout_s)
{
	static const char *const families[] = {"ip", "ip6"};

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		wr_fmt(w,
		       "ct timeout idle-%s {\nprotocol udp; l3proto %s;\n"
		       "policy = { unreplied : %u, replied : %u }\n}\n",
		       families[i], families[i], timeout_s, timeout_s);
	wr_str(w, "chain idle {\n"
	          "type filter hook prerouting priority mangle;\n"
	          "meta nfproto ipv4 meta l4proto udp "
	          "ct timeout set \"idle-ip\"\n"
	          "meta nfproto ipv6 meta l4proto udp "
	          "ct timeout set \"idle-ip6\"\n}\n");
}

/* Packet sockets see everything before these rules do. */
static void put_program(struct wr *w)
{
	static const char *const hooks[] = {"prerouting", "output"};

	wr_str(w, "table inet lab {\n");
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		wr_fmt(w,
		       "chain %s {\n"
		       "type filter hook %s priority raw; policy drop;\n"
		       "icmpv6 type { nd-neighbor-solicit, "
		       "nd-neighbor-advert } accept\n}\n",
		       hooks[i], hooks[i]);
	wr_str(w, "}\n");
}

void lab_plan_rules(struct wr *w, const struct lab_hop *hop)
{
	if (hop->is_program) {
		put_program(w);
		return;
	}
	if (!keeps_state(hop) && !hop->is_silent)
		return;
	wr_str(w, "table inet lab {\n");
	if (hop->has_alg)
		put_helper(w);
	if (hop->udp_timeout_s)
		put_timeout(w, hop->udp_timeout_s);
	if (hop->has_nat)
		wr_str(w, "chain nat {\n"
		          "type nat hook postrouting priority srcnat;\n"
		          "oifname \"wan\" meta nfproto ipv4 masquerade\n}\n");
	/* A rule that looks at the state is also what makes a router that
	 * does not translate keep any. */
	if (keeps_state(hop))
		wr_str(w, "chain forward {\n"
		          "type filter hook forward priority filter;\n");
	if (hop->has_firewall)
		wr_str(w, "iifname \"wan\" ct state new,invalid drop\n");
	else if (keeps_state(hop))
		wr_str(w, "ct state new accept\n");
	if (keeps_state(hop))
		wr_str(w, "}\n");
	if (hop->is_silent)
		wr_str(w, "chain silent {\n"
		          "type filter hook output priority filter;\n"
		          "icmp type time-exceeded drop\n"
		          "icmpv6 type time-exceeded drop\n}\n");
	wr_str(w, "}\n");
}
