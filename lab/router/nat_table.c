/* SPDX-License-Identifier: ISC */
/*
 * Design: mappings and remotes sit in arrays taken at the start and are
 * linked by index: found from inside by a hash of the key, from outside by
 * the port itself. All mappings are in one list by last use; its head is what
 * goes when the table is full. A mapping lives as long as one of its remotes
 * does.
 */
#include "router/nat_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define SWEEP_EVERY_NS NS_PER_S

enum {
	N_PROTOS = 3,
	REMOTES_PER_MAPPING = 2, /* on average */
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
	if (c->ext6.family == ADDR_IP4)
		return false;
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

static size_t n_cells(const struct router_nat_conf *c)
{
	size_t n_ext = c->n_ext + (c->ext6.family != ADDR_NONE);

	return n_ext ? n_ext * N_PROTOS * ROUTER_NAT_PORTS : 1;
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
	n->ports = calloc(n_cells(conf), sizeof(*n->ports));
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

uint32_t router_nat_hash(uint32_t h, const void *p, size_t len)
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

	h = router_nat_hash(h, &proto, 1);
	h = router_nat_hash(h, ip.p, ip.n);
	h = router_nat_hash(h, &in->port, sizeof(in->port));
	h = router_nat_hash(h, remote.p, remote.n);
	h = router_nat_hash(h, &key->port, sizeof(key->port));
	return &n->buckets[(h ^ h >> 15) & (n->n_buckets - 1)];
}

uint32_t *router_nat_cell(struct router_nat *n, uint8_t proto,
                          const struct addr *ext)
{
	size_t which = proto == ROUTER_UDP ? 0 : proto == ROUTER_TCP ? 1 : 2;

	for (size_t i = 0; i <= n->conf.n_ext; i++) {
		const struct addr *a =
			i < n->conf.n_ext ? &n->conf.ext[i] : &n->conf.ext6;

		if (a->family && addr_ip_eq(a, ext))
			return &n->ports[(i * N_PROTOS + which) *
			                         ROUTER_NAT_PORTS +
			                 ext->port];
	}
	return NULL;
}

struct addr router_nat_ext_pick(struct router_nat *n, const struct addr *in)
{
	uint32_t n_ext = (uint32_t)n->conf.n_ext, i;
	struct addr ext = n->conf.ext6;

	ext.port = in->port;
	if (in->family == ADDR_IP6)
		return ext;
	i = n->conf.pooling == ROUTER_NAT_ARBITRARY && n_ext > 1
	            ? router_rand_below(&n->rand, n_ext)
	            : router_nat_hash(0, in->ip, sizeof(in->ip)) % n_ext;
	ext = n->conf.ext[i];
	ext.port = in->port;
	return ext;
}

static void use_unlink(struct router_nat *n, uint32_t i)
{
	struct router_nat_mapping *m = &n->maps[i];

	*(m->older ? &n->maps[m->older].newer : &n->oldest) = m->newer;
	*(m->newer ? &n->maps[m->newer].older : &n->newest) = m->older;
}

static void use_link(struct router_nat *n, uint32_t i)
{
	struct router_nat_mapping *m = &n->maps[i];

	m->older = n->newest;
	m->newer = ROUTER_NAT_NIL;
	*(n->newest ? &n->maps[n->newest].newer : &n->oldest) = i;
	n->newest = i;
}

static void remote_free(struct router_nat *n, uint32_t *link)
{
	uint32_t i = *link;

	assert(n->remotes);
	*link = n->remotes[i].next;
	n->remotes[i] = (struct router_nat_remote){.next = n->free_remote};
	n->free_remote = i;
}

void router_nat_mapping_free(struct router_nat *n, uint32_t i)
{
	struct router_nat_mapping *m = &n->maps[i];
	uint32_t *link = bucket(n, m->proto, &m->in, &m->key), *cell;

	while (m->remotes)
		remote_free(n, &m->remotes);
	while (*link != i)
		link = &n->maps[*link].next;
	*link = m->next;
	cell = router_nat_cell(n, m->proto, &m->ext);
	if (cell && n->conf.mode == ROUTER_NAT_ON)
		*cell = ROUTER_NAT_NIL;
	use_unlink(n, i);
	*m = (struct router_nat_mapping){.next = n->free_map};
	n->free_map = i;
	n->n_used--;
}

/* Drop what is over. @return whether the mapping still lives */
bool router_nat_mapping_age(struct router_nat *n, uint32_t i, int64_t now_ns)
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
	router_nat_mapping_free(n, i);
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
		(void)router_nat_mapping_age(n, i, now_ns);
	}
}

uint32_t router_nat_mapping_find(struct router_nat *n, uint8_t proto,
                                 const struct addr *in, const struct addr *key,
                                 int64_t now_ns)
{
	uint32_t i = *bucket(n, proto, in, key);

	for (; i; i = n->maps[i].next) {
		struct router_nat_mapping *m = &n->maps[i];

		if (m->proto == proto && addr_eq(&m->in, in) &&
		    m->key.family == key->family && addr_eq(&m->key, key))
			break;
	}
	return i && router_nat_mapping_age(n, i, now_ns) ? i : ROUTER_NAT_NIL;
}

bool router_nat_port_is_free(struct router_nat *n, uint8_t proto,
                             const struct addr *ext, int64_t now_ns)
{
	uint32_t *cell = router_nat_cell(n, proto, ext);

	return cell && (*cell == ROUTER_NAT_NIL ||
	                !router_nat_mapping_age(n, *cell, now_ns));
}

bool router_nat_room_make(struct router_nat *n, int64_t now_ns)
{
	if (n->n_used < n->conf.max_mappings)
		return true;
	sweep(n, now_ns);
	if (n->n_used < n->conf.max_mappings)
		return true;
	if (!n->conf.evicts)
		return false;
	router_nat_mapping_free(n, n->oldest);
	return true;
}

uint32_t router_nat_mapping_add(struct router_nat *n, uint8_t proto,
                                const struct addr *in, const struct addr *ext,
                                const struct addr *key)
{
	uint32_t i = n->free_map, *head = bucket(n, proto, in, key), *cell;
	struct router_nat_mapping *m = &n->maps[i];

	n->free_map = m->next;
	*m = (struct router_nat_mapping){.is_used = true,
	                                 .proto = proto,
	                                 .in = *in,
	                                 .ext = *ext,
	                                 .key = *key,
	                                 .next = *head};
	*head = i;
	cell = router_nat_cell(n, proto, ext);
	if (cell && n->conf.mode == ROUTER_NAT_ON)
		*cell = i;
	use_link(n, i);
	n->n_used++;
	return i;
}

struct router_nat_remote *
router_nat_remote_find(struct router_nat *n, uint32_t i, const struct addr *at)
{
	for (uint32_t r = n->maps[i].remotes; r; r = n->remotes[r].next) {
		struct router_nat_remote *rem = &n->remotes[r];

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

struct router_nat_remote *router_nat_remote_add(struct router_nat *n,
                                                uint32_t i,
                                                const struct addr *at,
                                                int64_t now_ns)
{
	uint32_t r;

	remotes_trim(n, i);
	r = n->free_remote;
	if (!r)
		return NULL;
	n->free_remote = n->remotes[r].next;
	n->remotes[r] = (struct router_nat_remote){
		.at = *at, .next = n->maps[i].remotes, .since_ns = now_ns};
	n->maps[i].remotes = r;
	return &n->remotes[r];
}

void router_nat_touch(struct router_nat *n, uint32_t i)
{
	use_unlink(n, i);
	use_link(n, i);
}

uint32_t router_nat_find_outside(struct router_nat *n, uint8_t proto,
                                 const struct addr *ext, int64_t now_ns)
{
	const struct addr any = {0};
	uint32_t *cell;

	if (n->conf.mode != ROUTER_NAT_ON)
		return router_nat_mapping_find(n, proto, ext, &any, now_ns);
	cell = router_nat_cell(n, proto, ext);
	return cell && *cell && router_nat_mapping_age(n, *cell, now_ns)
	               ? *cell
	               : ROUTER_NAT_NIL;
}
