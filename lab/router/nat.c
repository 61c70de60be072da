/* SPDX-License-Identifier: ISC */
/*
 * Design: a mapping is an internal endpoint with its external port; its
 * remotes hang on it, each with its own timer, because what a filter admits
 * and how long a binding lives are both questions about a remote. A mapping
 * lives as long as one of its remotes does.
 *
 * Both sit in arrays taken at the start and are linked by index: found from
 * inside by a hash of the key, from outside by the port itself. All mappings
 * are in one list by last use; its head is what goes when the table is full.
 */
#include "router/nat.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define STREAM_AGE_NS  (2 * NS_PER_S)
#define TCP_HALF_NS    (120 * NS_PER_S)
#define SWEEP_EVERY_NS NS_PER_S

enum {
	NIL = 0, /* entry 0 of each array is not used */
	N_PROTOS = 3,
	N_PORTS = 65536,
	PORT_TRIES = 1024,
	REMOTES_PER_MAPPING = 2, /* on average */
};

struct remote {
	struct addr at; /* port 0: any; no family: anyone */
	uint32_t next;
	int64_t until_ns, since_ns, used_ns;
	bool is_replied, is_closing, is_pinhole;
	bool is_admitted; /* or admits, where it is a pinhole */
	struct router_nat_seq seq[2];
};

struct mapping {
	bool is_used;
	uint8_t proto;
	struct addr in, ext;
	struct addr key; /* the remote, as far as the mapping depends on it */
	uint32_t next;   /* of the same hash; or free */
	uint32_t older, newer;
	uint32_t remotes;
};

struct router_nat {
	struct router_nat_conf conf;
	struct router_rand rand;
	struct mapping *maps;
	struct remote *remotes;
	uint32_t *buckets, n_buckets;
	uint32_t *ports; /* [ext][proto][port] */
	uint32_t free_map, free_remote, oldest, newest, n_used;
	uint16_t next_port;
	int64_t swept_ns;
};

const struct router_nat_conf router_nat_defaults = {
	.mode = ROUTER_NAT_ON,
	.mapping = ROUTER_NAT_EI,
	.filter = ROUTER_NAT_APD,
	.ports = ROUTER_NAT_PRESERVE,
	.max_mappings = 16384,
	.udp_new_ns = 30 * NS_PER_S,
	.udp_replied_ns = 30 * NS_PER_S,
	.udp_stream_ns = 120 * NS_PER_S,
	.tcp_idle_ns = 432000 * NS_PER_S,
	.icmp_ns = 30 * NS_PER_S,
};

static bool is_fit(const struct router_nat_conf *c)
{
	if (c->max_mappings < 1 || c->max_mappings > ROUTER_NAT_MAX_MAPPINGS)
		return false;
	if (c->n_ranges > ROUTER_NAT_MAX_RANGES ||
	    c->n_ext > ROUTER_NAT_MAX_EXT)
		return false;
	for (size_t i = 0; i < c->n_ext; i++) {
		if (c->ext[i].family != ADDR_IP4)
			return false;
	}
	return c->mode != ROUTER_NAT_ON || c->n_ext > 0;
}

static void lists_init(struct router_nat *n, uint32_t n_maps,
                       uint32_t n_remotes)
{
	for (uint32_t i = 1; i < n_maps; i++)
		n->maps[i].next = i + 1;
	for (uint32_t i = 1; i < n_remotes; i++)
		n->remotes[i].next = i + 1;
	n->free_map = n->free_remote = 1;
}

int router_nat_alloc(struct router_nat **np, const struct router_nat_conf *conf,
                     uint64_t seed)
{
	uint32_t n_maps = conf->max_mappings, n_remotes;
	struct router_nat *n;

	if (!is_fit(conf))
		return EINVAL;
	n_remotes = n_maps * REMOTES_PER_MAPPING + ROUTER_NAT_MAX_REMOTES;
	n = calloc(1, sizeof(*n));
	if (!n)
		return ENOMEM;
	n->conf = *conf;
	n->rand.state = seed;
	n->next_port = ROUTER_NAT_LOW_PORT;
	n->n_buckets = 1;
	while (n->n_buckets < n_maps)
		n->n_buckets *= 2;
	n->maps = calloc(n_maps + 1, sizeof(*n->maps));
	n->remotes = calloc(n_remotes + 1, sizeof(*n->remotes));
	n->buckets = calloc(n->n_buckets, sizeof(*n->buckets));
	n->ports = calloc(conf->n_ext ? conf->n_ext * N_PROTOS * N_PORTS : 1,
	                  sizeof(*n->ports));
	if (!n->maps || !n->remotes || !n->buckets || !n->ports) {
		router_nat_free(n);
		return ENOMEM;
	}
	lists_init(n, n_maps, n_remotes);
	*np = n;
	return 0;
}

void router_nat_free(struct router_nat *n)
{
	if (!n)
		return;
	free(n->maps);
	free(n->remotes);
	free(n->buckets);
	free(n->ports);
	free(n);
}

unsigned router_nat_count(const struct router_nat *n)
{
	return n->n_used;
}

static uint32_t hash_add(uint32_t h, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * UINT32_C(16777619);
	return h;
}

static uint32_t *bucket(struct router_nat *n, uint8_t proto,
                        const struct addr *in, const struct addr *key)
{
	uint32_t h = UINT32_C(2166136261);
	struct slice ip = addr_ip(in), remote = addr_ip(key);

	h = hash_add(h, &proto, 1);
	h = hash_add(h, ip.p, ip.n);
	h = hash_add(h, &in->port, sizeof(in->port));
	h = hash_add(h, remote.p, remote.n);
	h = hash_add(h, &key->port, sizeof(key->port));
	return &n->buckets[(h ^ h >> 15) & (n->n_buckets - 1)];
}

static uint32_t *port_cell(struct router_nat *n, uint8_t proto,
                           const struct addr *ext)
{
	size_t which = proto == ROUTER_UDP ? 0 : proto == ROUTER_TCP ? 1 : 2;

	for (size_t i = 0; i < n->conf.n_ext; i++) {
		if (addr_ip_eq(&n->conf.ext[i], ext))
			return &n->ports[(i * N_PROTOS + which) * N_PORTS +
			                 ext->port];
	}
	return NULL;
}

static void use_unlink(struct router_nat *n, uint32_t i)
{
	struct mapping *m = &n->maps[i];

	*(m->older ? &n->maps[m->older].newer : &n->oldest) = m->newer;
	*(m->newer ? &n->maps[m->newer].older : &n->newest) = m->older;
}

static void use_link(struct router_nat *n, uint32_t i)
{
	struct mapping *m = &n->maps[i];

	m->older = n->newest;
	m->newer = NIL;
	*(n->newest ? &n->maps[n->newest].newer : &n->oldest) = i;
	n->newest = i;
}

static void remote_free(struct router_nat *n, uint32_t *link)
{
	uint32_t i = *link;

	assert(n->remotes);
	*link = n->remotes[i].next;
	n->remotes[i] = (struct remote){.next = n->free_remote};
	n->free_remote = i;
}

static void mapping_free(struct router_nat *n, uint32_t i)
{
	struct mapping *m = &n->maps[i];
	uint32_t *link = bucket(n, m->proto, &m->in, &m->key), *cell;

	while (m->remotes)
		remote_free(n, &m->remotes);
	while (*link != i)
		link = &n->maps[*link].next;
	*link = m->next;
	cell = port_cell(n, m->proto, &m->ext);
	if (cell && n->conf.mode == ROUTER_NAT_ON)
		*cell = NIL;
	use_unlink(n, i);
	*m = (struct mapping){.next = n->free_map};
	n->free_map = i;
	n->n_used--;
}

/* Drop what is over. @return whether the mapping still lives */
static bool mapping_age(struct router_nat *n, uint32_t i, int64_t now_ns)
{
	uint32_t *link = &n->maps[i].remotes;

	while (*link) {
		if (now_ns >= n->remotes[*link].until_ns)
			remote_free(n, link);
		else
			link = &n->remotes[*link].next;
	}
	if (n->maps[i].remotes)
		return true;
	mapping_free(n, i);
	return false;
}

static void sweep(struct router_nat *n, int64_t now_ns)
{
	uint32_t next;

	if (now_ns < n->swept_ns + SWEEP_EVERY_NS && n->swept_ns)
		return;
	n->swept_ns = now_ns;
	for (uint32_t i = n->oldest; i; i = next) {
		next = n->maps[i].newer;
		(void)mapping_age(n, i, now_ns);
	}
}

static struct addr key_of(const struct router_nat *n, const struct addr *remote)
{
	struct addr key = {0};

	/* Without translation there is but one mapping to depend on. */
	if (n->conf.mode != ROUTER_NAT_ON || n->conf.mapping == ROUTER_NAT_EI)
		return key;
	key = *remote;
	if (n->conf.mapping == ROUTER_NAT_AD)
		key.port = 0;
	return key;
}

static uint32_t mapping_find(struct router_nat *n, uint8_t proto,
                             const struct addr *in, const struct addr *key,
                             int64_t now_ns)
{
	uint32_t i = *bucket(n, proto, in, key);

	for (; i; i = n->maps[i].next) {
		struct mapping *m = &n->maps[i];

		if (m->proto == proto && addr_eq(&m->in, in) &&
		    m->key.family == key->family && addr_eq(&m->key, key))
			break;
	}
	return i && mapping_age(n, i, now_ns) ? i : NIL;
}

static bool is_port_free(struct router_nat *n, uint8_t proto,
                         const struct addr *ext, int64_t now_ns)
{
	uint32_t *cell = port_cell(n, proto, ext);

	return cell && (*cell == NIL || !mapping_age(n, *cell, now_ns));
}

static uint16_t port_guess(struct router_nat *n, uint16_t inner)
{
	uint32_t span = N_PORTS - ROUTER_NAT_LOW_PORT, port;

	if (n->conf.ports == ROUTER_NAT_SEQUENTIAL) {
		port = n->next_port;
		n->next_port = port + 1 < N_PORTS ? (uint16_t)(port + 1)
		                                  : ROUTER_NAT_LOW_PORT;
		return (uint16_t)port;
	}
	port = ROUTER_NAT_LOW_PORT + router_rand_below(&n->rand, span);
	if (n->conf.ports == ROUTER_NAT_PARITY)
		port = (port & ~UINT32_C(1)) | (inner & 1);
	return (uint16_t)port;
}

/* @return 0, or ENOSPC */
static int ext_choose(struct router_nat *n, struct addr *ext, uint8_t proto,
                      const struct addr *in, int64_t now_ns)
{
	struct addr a;

	if (n->conf.mode != ROUTER_NAT_ON) {
		*ext = *in;
		return 0;
	}
	/* One inner host keeps one external address (section 4.1, pooling
	 * "paired"). */
	a = n->conf.ext[hash_add(0, in->ip, sizeof(in->ip)) % n->conf.n_ext];
	a.port = in->port;
	if (n->conf.ports == ROUTER_NAT_PRESERVE &&
	    is_port_free(n, proto, &a, now_ns)) {
		*ext = a;
		return 0;
	}
	for (int i = 0; i < PORT_TRIES; i++) {
		a.port = port_guess(n, in->port);
		if (is_port_free(n, proto, &a, now_ns)) {
			*ext = a;
			return 0;
		}
	}
	return ENOSPC;
}

static bool room_make(struct router_nat *n, int64_t now_ns)
{
	if (n->n_used < n->conf.max_mappings)
		return true;
	sweep(n, now_ns);
	if (n->n_used < n->conf.max_mappings)
		return true;
	if (!n->conf.evicts)
		return false;
	mapping_free(n, n->oldest);
	return true;
}

static uint32_t mapping_add(struct router_nat *n, uint8_t proto,
                            const struct addr *in, const struct addr *ext,
                            const struct addr *key)
{
	uint32_t i = n->free_map, *head = bucket(n, proto, in, key), *cell;
	struct mapping *m = &n->maps[i];

	n->free_map = m->next;
	*m = (struct mapping){.is_used = true,
	                      .proto = proto,
	                      .in = *in,
	                      .ext = *ext,
	                      .key = *key,
	                      .next = *head};
	*head = i;
	cell = port_cell(n, proto, ext);
	if (cell && n->conf.mode == ROUTER_NAT_ON)
		*cell = i;
	use_link(n, i);
	n->n_used++;
	return i;
}

static struct remote *remote_find(struct router_nat *n, uint32_t i,
                                  const struct addr *at)
{
	for (uint32_t r = n->maps[i].remotes; r; r = n->remotes[r].next) {
		struct remote *rem = &n->remotes[r];

		if (addr_eq(&rem->at, at))
			return rem;
	}
	return NULL;
}

/* The longest silent of this mapping makes room when there is too much. */
static void remotes_trim(struct router_nat *n, uint32_t i)
{
	uint32_t *stalest = NULL, count = 0;

	assert(n->remotes);
	for (uint32_t *link = &n->maps[i].remotes; *link;
	     link = &n->remotes[*link].next) {
		count++;
		if (!stalest ||
		    n->remotes[*link].used_ns < n->remotes[*stalest].used_ns)
			stalest = link;
	}
	if (stalest && (count >= ROUTER_NAT_MAX_REMOTES || !n->free_remote))
		remote_free(n, stalest);
}

static struct remote *remote_add(struct router_nat *n, uint32_t i,
                                 const struct addr *at, int64_t now_ns)
{
	uint32_t r;

	remotes_trim(n, i);
	r = n->free_remote;
	if (!r)
		return NULL;
	n->free_remote = n->remotes[r].next;
	n->remotes[r] = (struct remote){
		.at = *at, .next = n->maps[i].remotes, .since_ns = now_ns};
	n->maps[i].remotes = r;
	return &n->remotes[r];
}

static int64_t plain_life_ns(const struct router_nat *n, const struct remote *r,
                             int64_t now_ns)
{
	const struct router_nat_conf *c = &n->conf;

	if (!r->is_replied)
		return c->udp_new_ns;
	return now_ns - r->since_ns > STREAM_AGE_NS ? c->udp_stream_ns
	                                            : c->udp_replied_ns;
}

static int64_t udp_life_ns(const struct router_nat *n, const struct remote *r,
                           int64_t now_ns)
{
	const struct router_nat_conf *c = &n->conf;

	for (size_t i = 0; i < c->n_ranges; i++) {
		if (r->at.port >= c->ranges[i].low &&
		    r->at.port <= c->ranges[i].high)
			return c->ranges[i].life_ns;
	}
	return plain_life_ns(n, r, now_ns);
}

/* Silent for longer than its state alone would let it. */
static bool is_kept(const struct router_nat *n, const struct remote *r,
                    const struct router_pkt *p, int64_t now_ns)
{
	return p->proto == ROUTER_UDP && r->used_ns &&
	       now_ns - r->used_ns > plain_life_ns(n, r, r->used_ns);
}

static void remote_refresh(struct router_nat *n, struct remote *r,
                           const struct router_pkt *p, int64_t now_ns)
{
	int64_t life_ns = n->conf.icmp_ns;

	if (p->proto == ROUTER_UDP) {
		life_ns = udp_life_ns(n, r, now_ns);
	} else if (p->proto == ROUTER_TCP) {
		if (p->tcp_flags & (ROUTER_TCP_FIN | ROUTER_TCP_RST))
			r->is_closing = true;
		else if (p->tcp_flags & ROUTER_TCP_SYN)
			r->is_closing = false;
		life_ns = n->conf.tcp_idle_ns;
		if ((r->is_closing || !r->is_replied) && life_ns > TCP_HALF_NS)
			life_ns = TCP_HALF_NS;
	}
	r->used_ns = now_ns;
	if (now_ns + life_ns > r->until_ns || !r->is_pinhole)
		r->until_ns = now_ns + life_ns;
}

static void touch(struct router_nat *n, uint32_t i)
{
	use_unlink(n, i);
	use_link(n, i);
}

static void flow_seq(struct router_flow *flow, struct remote *r,
                     const struct router_pkt *p)
{
	flow->seq = p->proto == ROUTER_TCP && !p->is_quote ? r->seq : NULL;
}

static bool is_tracked(const struct router_pkt *p)
{
	return p->proto == ROUTER_UDP || p->proto == ROUTER_TCP ||
	       p->is_icmp_query;
}

static enum router_nat_verdict out(struct router_nat *n,
                                   struct router_flow *flow,
                                   struct router_pkt *p, int64_t now_ns)
{
	struct addr key = key_of(n, &p->dst), ext;
	const struct addr any = {0};
	struct remote *r;
	uint32_t i;

	i = mapping_find(n, p->proto, &p->src, &key, now_ns);
	if (!i && key.family) /* a pinhole depends on nobody */
		i = mapping_find(n, p->proto, &p->src, &any, now_ns);
	if (!i) {
		if (!room_make(n, now_ns) ||
		    ext_choose(n, &ext, p->proto, &p->src, now_ns) != 0)
			return ROUTER_NAT_FULL;
		i = mapping_add(n, p->proto, &p->src, &ext, &key);
	}
	r = remote_find(n, i, &p->dst);
	flow->is_new = !r;
	flow->is_admitted = r && r->is_admitted;
	if (!r)
		r = remote_add(n, i, &p->dst, now_ns);
	if (!r) {
		if (!n->maps[i].remotes)
			mapping_free(n, i);
		return ROUTER_NAT_FULL;
	}
	if (r->is_pinhole)
		r->is_replied = true;
	flow->is_kept = is_kept(n, r, p, now_ns);
	remote_refresh(n, r, p, now_ns);
	touch(n, i);
	flow->new_src = n->maps[i].ext;
	flow_seq(flow, r, p);
	return ROUTER_NAT_PASS;
}

static uint32_t find_from_outside(struct router_nat *n, uint8_t proto,
                                  const struct addr *ext, int64_t now_ns)
{
	const struct addr any = {0};
	uint32_t *cell;

	if (n->conf.mode != ROUTER_NAT_ON)
		return mapping_find(n, proto, ext, &any, now_ns);
	cell = port_cell(n, proto, ext);
	return cell && *cell && mapping_age(n, *cell, now_ns) ? *cell : NIL;
}

static bool is_let_in(const struct router_nat *n, const struct remote *r,
                      const struct addr *from)
{
	if (r->is_pinhole) {
		if (r->at.family == ADDR_NONE)
			return true;
		return addr_ip_eq(&r->at, from) &&
		       (r->at.port == 0 || r->at.port == from->port);
	}
	switch (n->conf.filter) {
	case ROUTER_NAT_EI:
		return true;
	case ROUTER_NAT_AD:
		return addr_ip_eq(&r->at, from);
	case ROUTER_NAT_APD:
		break;
	}
	return addr_eq(&r->at, from);
}

static struct remote *doorman(struct router_nat *n, uint32_t i,
                              const struct addr *from)
{
	struct remote *exact = remote_find(n, i, from);

	if (exact)
		return exact;
	for (uint32_t r = n->maps[i].remotes; r; r = n->remotes[r].next) {
		if (is_let_in(n, &n->remotes[r], from))
			return &n->remotes[r];
	}
	return NULL;
}

static enum router_nat_verdict in(struct router_nat *n,
                                  struct router_flow *flow,
                                  struct router_pkt *p, const struct addr *from,
                                  int64_t now_ns)
{
	uint32_t i = find_from_outside(n, p->proto, &p->dst, now_ns);
	struct remote *r;

	if (!i)
		return ROUTER_NAT_NO_MAPPING;
	r = doorman(n, i, from);
	if (r && r->is_pinhole && r->is_admitted) {
		/* The answers must be known to belong to it. */
		r = remote_add(n, i, from, now_ns);
		if (r)
			r->is_admitted = true;
	}
	if (!r)
		return ROUTER_NAT_FILTERED;
	flow->is_admitted = r->is_admitted;
	flow->is_kept = is_kept(n, r, p, now_ns);
	r->is_replied = true;
	remote_refresh(n, r, p, now_ns);
	touch(n, i);
	flow->new_dst = n->maps[i].in;
	flow_seq(flow, r, p);
	return ROUTER_NAT_PASS;
}

/*
 * An error is about a packet that went the other way: what it quotes is
 * translated as that packet was, backwards, and so is the address of the
 * error that belongs to the inner host (RFC 5508, section 4).
 */
static enum router_nat_verdict error(struct router_nat *n,
                                     struct router_flow *flow,
                                     struct router_pkt *p, bool is_out,
                                     int64_t now_ns)
{
	struct addr key, outer;
	struct router_pkt q;
	uint32_t i;

	if (router_pkt_read_quote(&q, p->b + p->payload, p->n - p->payload) !=
	            0 ||
	    !is_tracked(&q) || q.frag_at)
		return ROUTER_NAT_UNTRANSLATABLE;
	if (is_out) {
		key = key_of(n, &q.src);
		i = mapping_find(n, q.proto, &q.dst, &key, now_ns);
	} else {
		i = find_from_outside(n, q.proto, &q.src, now_ns);
	}
	if (!i)
		return ROUTER_NAT_NO_MAPPING;
	outer = is_out ? n->maps[i].ext : n->maps[i].in;
	if (is_out)
		router_pkt_dst_set(&q, &outer);
	else
		router_pkt_src_set(&q, &outer);
	outer.port = 0;
	if (is_out)
		router_pkt_src_set(p, &outer);
	else
		router_pkt_dst_set(p, &outer);
	/* The quote is under the sum of the error. */
	router_pkt_sums_make(p);
	flow->new_src = p->src;
	flow->new_dst = p->dst;
	return ROUTER_NAT_PASS;
}

static bool is_own(const struct router_nat *n, const struct addr *a)
{
	for (size_t i = 0; i < n->conf.n_ext; i++) {
		if (addr_ip_eq(&n->conf.ext[i], a))
			return true;
	}
	return false;
}

static enum router_nat_verdict take(struct router_nat *n,
                                    struct router_flow *flow,
                                    struct router_pkt *p, bool is_out,
                                    int64_t now_ns)
{
	enum router_nat_verdict v;

	if (!is_out)
		return in(n, flow, p, &p->src, now_ns);
	v = out(n, flow, p, now_ns);
	if (v != ROUTER_NAT_PASS || n->conf.mode != ROUTER_NAT_ON ||
	    !is_own(n, &p->dst))
		return v;
	if (!n->conf.has_hairpin)
		return ROUTER_NAT_NO_MAPPING;
	flow->is_hairpin = true;
	return in(n, flow, p, &flow->new_src, now_ns);
}

enum router_nat_verdict router_nat_take(struct router_nat *n,
                                        struct router_flow *flow,
                                        struct router_pkt *p, bool is_out,
                                        int64_t now_ns)
{
	struct router_flow f = {.src = p->src,
	                        .dst = p->dst,
	                        .new_src = p->src,
	                        .new_dst = p->dst,
	                        .is_out = is_out};
	enum router_nat_verdict v;

	if (n->conf.mode == ROUTER_NAT_OFF ||
	    (p->is_ip6 && n->conf.mode == ROUTER_NAT_ON)) {
		*flow = f;
		return ROUTER_NAT_PASS;
	}
	if (p->is_icmp_error)
		v = error(n, &f, p, is_out, now_ns);
	else if (!is_tracked(p) || p->frag_at)
		v = ROUTER_NAT_UNTRANSLATABLE;
	else
		v = take(n, &f, p, is_out, now_ns);
	if (v != ROUTER_NAT_PASS)
		return v;
	if (!p->is_icmp_error && n->conf.mode == ROUTER_NAT_ON) {
		if (is_out)
			router_pkt_src_set(p, &f.new_src);
		if (!is_out || f.is_hairpin)
			router_pkt_dst_set(p, &f.new_dst);
	}
	*flow = f;
	return ROUTER_NAT_PASS;
}

/* The port while it is free, then every second one: RTP stays even. */
static int pinhole_port(struct router_nat *n, struct addr *ext, uint8_t proto,
                        const struct addr *in, int64_t now_ns)
{
	uint32_t port = in->port;

	if (n->conf.mode != ROUTER_NAT_ON) {
		*ext = *in;
		return 0;
	}
	*ext = n->conf.ext[hash_add(0, in->ip, sizeof(in->ip)) % n->conf.n_ext];
	for (; port < N_PORTS; port += 2) {
		ext->port = (uint16_t)port;
		if (is_port_free(n, proto, ext, now_ns))
			return 0;
	}
	return ENOSPC;
}

static struct remote *pinhole_open(struct router_nat *n, uint32_t i,
                                   const struct addr *remote, int64_t life_ns,
                                   int64_t now_ns)
{
	struct remote *r = remote_find(n, i, remote);

	if (!r)
		r = remote_add(n, i, remote, now_ns);
	if (!r)
		return NULL;
	r->is_pinhole = true;
	r->used_ns = now_ns;
	r->until_ns = now_ns + life_ns;
	return r;
}

int router_nat_pinhole(struct router_nat *n, struct addr *extp, uint8_t proto,
                       const struct addr *inner, const struct addr *remote,
                       int64_t life_ns, int64_t now_ns)
{
	const struct addr any = {0};
	struct addr ext;
	uint32_t i;

	if (n->conf.mode == ROUTER_NAT_OFF) {
		*extp = *inner;
		return 0;
	}
	/* Media goes to whom it may; the mapping must not depend on it. */
	i = mapping_find(n, proto, inner, &any, now_ns);
	if (!i) {
		if (!room_make(n, now_ns) ||
		    pinhole_port(n, &ext, proto, inner, now_ns) != 0)
			return ENOSPC;
		i = mapping_add(n, proto, inner, &ext, &any);
	}
	if (!pinhole_open(n, i, remote, life_ns, now_ns)) {
		if (!n->maps[i].remotes)
			mapping_free(n, i);
		return ENOSPC;
	}
	*extp = n->maps[i].ext;
	return 0;
}

int router_nat_admit(struct router_nat *n, uint8_t proto,
                     const struct addr *ext, const struct addr *remote,
                     int64_t life_ns, int64_t now_ns)
{
	struct remote *r;
	uint32_t i;

	if (n->conf.mode == ROUTER_NAT_OFF)
		return 0;
	i = find_from_outside(n, proto, ext, now_ns);
	if (!i)
		return ENOENT;
	if (!life_ns && !remote_find(n, i, remote))
		return 0;
	r = pinhole_open(n, i, remote, life_ns, now_ns);
	if (!r)
		return ENOSPC;
	r->is_admitted = true;
	return 0;
}

static uint32_t find_any(const struct router_nat *n, uint8_t proto,
                         const struct addr *inner)
{
	uint32_t i = n->oldest;

	while (i &&
	       (n->maps[i].proto != proto || !addr_eq(&n->maps[i].in, inner)))
		i = n->maps[i].newer;
	return i;
}

void router_nat_close(struct router_nat *n, uint8_t proto,
                      const struct addr *inner)
{
	uint32_t i = find_any(n, proto, inner);

	if (i)
		mapping_free(n, i);
}

bool router_nat_remap(struct router_nat *n, uint8_t proto,
                      const struct addr *inner)
{
	uint32_t i = find_any(n, proto, inner), *cell;
	struct addr ext;

	if (!i || n->conf.mode != ROUTER_NAT_ON)
		return false;
	ext = n->maps[i].ext;
	for (int tries = 0; tries < PORT_TRIES; tries++) {
		ext.port = (uint16_t)(ROUTER_NAT_LOW_PORT +
		                      router_rand_below(&n->rand, 60000));
		cell = port_cell(n, proto, &ext);
		if (!cell || *cell)
			continue;
		*port_cell(n, proto, &n->maps[i].ext) = NIL;
		*cell = i;
		n->maps[i].ext = ext;
		return true;
	}
	return false;
}
