/* SPDX-License-Identifier: ISC */
/*
 * Design: elementary intervals. Only the edges that rules and flows mention
 * matter, so an address becomes the index of the interval it lies in; IPv4
 * and IPv6 cost the same and a box is 64 bytes. Zones use the same trick over
 * strings in byte order, where the pattern "eth*" is an interval like any
 * other and "every other name" is what lies between.
 *
 * The IPv4-mapped range is cut out of IPv6 by arithmetic (squeeze()), or a
 * coordinate would exist that no packet has.
 */
#include "firewall/atlas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAPPED_LO UINT64_C(0xffff00000000)
#define MAPPED_HI UINT64_C(0xffffffffffff)
#define N_MAPPED  (UINT64_C(1) << 32)

void fw_atlas_init(struct fw_atlas *at, const struct fw_host *hosts,
                   size_t n_hosts)
{
	*at = (struct fw_atlas){.hosts = hosts, .n_hosts = n_hosts};
	arena_init(&at->arena);
}

void fw_atlas_fini(struct fw_atlas *at)
{
	free(at->ip4);
	free(at->ip6);
	free(at->names);
	free(at->zones);
	arena_fini(&at->arena);
	fw_atlas_init(at, NULL, 0);
}

/* Room for one more element of @p size bytes. */
static void *grow(struct fw_atlas *at, void *p, size_t n, size_t *cap,
                  size_t size)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *q;

	if (n < *cap)
		return p;
	q = realloc(p, more * size);
	if (!q) {
		at->is_short = true;
		return p;
	}
	*cap = more;
	return q;
}

static void note_ip4(struct fw_atlas *at, uint32_t v)
{
	at->ip4 = grow(at, at->ip4, at->n_ip4, &at->cap4, sizeof(*at->ip4));
	if (at->n_ip4 < at->cap4)
		at->ip4[at->n_ip4++] = v;
}

static void note_ip6(struct fw_atlas *at, struct fw_ip v)
{
	at->ip6 = grow(at, at->ip6, at->n_ip6, &at->cap6, sizeof(*at->ip6));
	if (at->n_ip6 < at->cap6)
		at->ip6[at->n_ip6++] = v;
}

static struct fw_ip less(struct fw_ip a, uint64_t n)
{
	return (struct fw_ip){a.hi - (a.lo < n), a.lo - n};
}

static struct fw_ip plus(struct fw_ip a, uint64_t n)
{
	return (struct fw_ip){a.hi + (a.lo + n < n), a.lo + n};
}

static bool is_above_mapped(struct fw_ip v)
{
	return v.hi > 0 || v.lo > MAPPED_HI;
}

static struct fw_ip squeeze(struct fw_ip v)
{
	return is_above_mapped(v) ? less(v, N_MAPPED) : v;
}

static struct fw_ip unsqueeze(struct fw_ip v)
{
	return v.hi == 0 && v.lo < MAPPED_LO ? v : plus(v, N_MAPPED);
}

/* A range in both families: parts that are there have their flag set. */
struct halves {
	bool has4, has6;
	uint32_t lo4, hi4;
	struct fw_ip lo6, hi6; /* squeezed */
};

static struct halves split(struct fw_ip lo, struct fw_ip hi)
{
	const struct fw_ip first = {0, MAPPED_LO}, last = {0, MAPPED_HI};
	struct halves h = {0};

	if (fw_ip_cmp(lo, last) <= 0 && fw_ip_cmp(hi, first) >= 0) {
		h.has4 = true;
		h.lo4 = fw_ip_cmp(lo, first) < 0 ? 0 : (uint32_t)lo.lo;
		h.hi4 = fw_ip_cmp(hi, last) > 0 ? UINT32_MAX : (uint32_t)hi.lo;
	}
	if (fw_ip_is4(lo))
		lo = plus(last, 1);
	if (fw_ip_is4(hi))
		hi = less(first, 1);
	if (fw_ip_cmp(lo, hi) <= 0) {
		h.has6 = true;
		h.lo6 = squeeze(lo);
		h.hi6 = squeeze(hi);
	}
	return h;
}

static bool is_max6(struct fw_ip squeezed)
{
	return squeezed.hi == UINT64_MAX &&
	       squeezed.lo == UINT64_MAX - N_MAPPED;
}

static void note_range(struct fw_atlas *at, struct fw_ip lo, struct fw_ip hi)
{
	const struct halves h = split(lo, hi);

	if (h.has4) {
		note_ip4(at, h.lo4);
		if (h.hi4 != UINT32_MAX)
			note_ip4(at, h.hi4 + 1);
	}
	if (h.has6) {
		note_ip6(at, h.lo6);
		if (!is_max6(h.hi6))
			note_ip6(at, plus(h.hi6, 1));
	}
}

static const struct fw_host *find_host(const struct fw_atlas *at,
                                       const char *name)
{
	for (size_t i = 0; i < at->n_hosts; i++) {
		if (slice_ieq(slice_str(at->hosts[i].name), slice_str(name)))
			return &at->hosts[i];
	}
	return NULL;
}

static void note_name(struct fw_atlas *at, const char *name)
{
	const struct fw_host *h = find_host(at, name);

	for (const struct fw_addr *a = h ? h->addrs.first : NULL; a;
	     a = a->next)
		note_range(at, a->lo, a->hi);
	at->names = grow(at, at->names, at->n_names, &at->cap_names,
	                 sizeof(*at->names));
	if (at->n_names < at->cap_names)
		at->names[at->n_names++] = name;
}

void fw_atlas_note_addrs(struct fw_atlas *at, const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (a->kind == FW_ADDR_RANGE)
			note_range(at, a->lo, a->hi);
		else if (a->kind == FW_ADDR_NAME)
			note_name(at, a->name);
	}
}

static void note_start(struct fw_atlas *at, struct slice s)
{
	at->zones = grow(at, at->zones, at->n_zones, &at->cap_zones,
	                 sizeof(*at->zones));
	if (at->n_zones < at->cap_zones)
		at->zones[at->n_zones++] = s;
}

/* The first string after all that begin with s. @return 0; ENOENT: there is
 * none; or ENOMEM */
static int after_prefix(struct arena *a, struct slice *out, struct slice s)
{
	char *p;

	while (s.n > 0 && s.p[s.n - 1] == UINT8_MAX)
		s.n--;
	if (s.n == 0)
		return ENOENT;
	p = arena_dup(a, s);
	if (!p)
		return ENOMEM;
	p[s.n - 1] = (char)(s.p[s.n - 1] + 1);
	*out = (struct slice){(const uint8_t *)p, s.n};
	return 0;
}

static bool is_pattern(struct slice s)
{
	return s.n > 0 && s.p[s.n - 1] == '*';
}

/* Are a name and its successor the entries @p back before the end? */
static bool is_noted(const struct fw_atlas *at, struct slice s, size_t back)
{
	const struct slice *z;

	if (at->n_zones < back)
		return false;
	z = &at->zones[at->n_zones - back];
	return z[1].n == s.n + 1 && slice_eq(z[0], s) && z[1].p[s.n] == 0;
}

void fw_atlas_note_zone(struct fw_atlas *at, const char *name)
{
	struct slice s = slice_str(name), end;
	int err;

	if (!is_pattern(s)) {
		/* Thousands of rules go between the same two zones. */
		if (is_noted(at, s, 2) || is_noted(at, s, 4))
			return;
		note_start(at, s);
		/* The successor of a string is itself with a NUL. */
		note_start(at, (struct slice){s.p, s.n + 1});
		return;
	}
	s.n--;
	note_start(at, s);
	err = after_prefix(&at->arena, &end, s);
	if (!err)
		note_start(at, end);
	at->is_short |= err == ENOMEM;
}

void fw_atlas_note_zones(struct fw_atlas *at, const struct fw_zones *set)
{
	for (const struct fw_zone *z = set->first; z; z = z->next) {
		if (!z->is_unknown)
			fw_atlas_note_zone(at, z->name);
	}
}

static int cmp_ip4(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int cmp_ip6(const void *a, const void *b)
{
	const struct fw_ip *x = a, *y = b;

	return fw_ip_cmp(*x, *y);
}

static int slice_cmp(struct slice a, struct slice b)
{
	const size_t n = a.n < b.n ? a.n : b.n;
	const int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int cmp_zone(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	return slice_cmp(*x, *y);
}

static int cmp_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcasecmp(*x, *y);
}

static size_t sort_unique(void *v, size_t n, size_t size,
                          int (*cmp)(const void *, const void *))
{
	uint8_t *p = v;
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(v, n, size, cmp);
	for (size_t i = 1; i < n; i++) {
		if (cmp(p + kept * size, p + i * size) != 0) {
			kept++;
			if (kept != i)
				memcpy(p + kept * size, p + i * size, size);
		}
	}
	return kept + 1;
}

int fw_atlas_close(struct fw_atlas *at)
{
	note_ip4(at, 0);
	note_ip6(at, (struct fw_ip){0, 0});
	note_start(at, (struct slice){(const uint8_t *)"", 0});
	if (at->is_short)
		return ENOMEM;
	at->n_ip4 = sort_unique(at->ip4, at->n_ip4, sizeof(*at->ip4), cmp_ip4);
	at->n_ip6 = sort_unique(at->ip6, at->n_ip6, sizeof(*at->ip6), cmp_ip6);
	at->n_names = sort_unique(at->names, at->n_names, sizeof(*at->names),
	                          cmp_name);
	at->n_zones = sort_unique(at->zones, at->n_zones, sizeof(*at->zones),
	                          cmp_zone);
	return 0;
}

/* Index of the last start that is not above the key. */
static size_t locate(const void *v, size_t n, size_t size, const void *key,
                     int (*cmp)(const void *, const void *))
{
	const uint8_t *p = v;
	size_t lo = 0, hi = n;

	while (hi - lo > 1) {
		const size_t mid = lo + (hi - lo) / 2;

		if (cmp(p + mid * size, key) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t id4(const struct fw_atlas *at, uint32_t v)
{
	return (uint32_t)locate(at->ip4, at->n_ip4, sizeof(v), &v, cmp_ip4);
}

static uint32_t base6(const struct fw_atlas *at)
{
	return (uint32_t)(at->n_ip4 + at->n_names);
}

static uint32_t id6(const struct fw_atlas *at, struct fw_ip v)
{
	return base6(at) +
	       (uint32_t)locate(at->ip6, at->n_ip6, sizeof(v), &v, cmp_ip6);
}

struct fw_ival fw_atlas_family(const struct fw_atlas *at, unsigned families)
{
	const uint32_t n4 = base6(at);
	const uint32_t n = n4 + (uint32_t)(at->n_ip6 + at->n_names);

	return (struct fw_ival){families & FW_IP4 ? 0 : n4,
	                        families & FW_IP6 ? n - 1 : n4 - 1};
}

struct fw_ival fw_atlas_all_zones(const struct fw_atlas *at)
{
	return (struct fw_ival){0, (uint32_t)at->n_zones - 1};
}

uint32_t fw_atlas_ip(const struct fw_atlas *at, struct fw_ip ip)
{
	return fw_ip_is4(ip) ? id4(at, (uint32_t)ip.lo) : id6(at, squeeze(ip));
}

static uint32_t zone_id(const struct fw_atlas *at, struct slice s)
{
	return (uint32_t)locate(at->zones, at->n_zones, sizeof(s), &s,
	                        cmp_zone);
}

uint32_t fw_atlas_zone(const struct fw_atlas *at, const char *name)
{
	return zone_id(at, slice_str(name));
}

struct fw_ip fw_atlas_ip_at(const struct fw_atlas *at, uint32_t id,
                            const char **name)
{
	const uint32_t n4 = (uint32_t)at->n_ip4, n6 = (uint32_t)at->n_ip6;
	const uint32_t b6 = base6(at);

	*name = NULL;
	if (id < n4)
		return (struct fw_ip){0, MAPPED_LO | at->ip4[id]};
	if (id < b6)
		*name = at->names[id - n4];
	else if (id - b6 < n6)
		return unsqueeze(at->ip6[id - b6]);
	else
		*name = at->names[id - b6 - n6];
	return (struct fw_ip){0, 0};
}

/* Of both families' ends, too; of IPv6 without what is cut out of it. */
static struct fw_ip start_of(const struct fw_atlas *at, bool is6, size_t i)
{
	if (!is6)
		return (struct fw_ip){0, i < at->n_ip4 ? at->ip4[i] : N_MAPPED};
	if (i < at->n_ip6)
		return at->ip6[i];
	return (struct fw_ip){UINT64_MAX, UINT64_MAX - N_MAPPED + 1};
}

/* Taken apart first, for a double has no room for an address of IPv6. */
static double distance(struct fw_ip from, struct fw_ip to)
{
	const double two64 = 18446744073709551616.0;
	const uint64_t hi = to.hi - from.hi - (to.lo < from.lo);

	return (double)hi * two64 + (double)(to.lo - from.lo);
}

double fw_atlas_ip_width(const struct fw_atlas *at, uint32_t lo, uint32_t hi)
{
	const size_t edges[] = {0, at->n_ip4, base6(at), base6(at) + at->n_ip6,
	                        base6(at) + at->n_ip6 + at->n_names};
	double sum = 0;

	for (size_t k = 0; k < 4; k++) {
		const size_t a = lo > edges[k] ? lo : edges[k];
		const size_t b =
			hi + 1U < edges[k + 1] ? hi + 1U : edges[k + 1];

		if (a >= b)
			continue;
		if (k % 2)
			sum += (double)(b - a);
		else
			sum += distance(start_of(at, k == 2, a - edges[k]),
			                start_of(at, k == 2, b - edges[k]));
	}
	return sum;
}

const char *fw_atlas_zone_at(const struct fw_atlas *at, uint32_t id,
                             bool *is_like)
{
	const struct slice s = at->zones[id];
	const bool is_after = s.n > 0 && s.p[s.n - 1] == 0;

	*is_like = false;
	if (s.n == 0 || is_after)
		return NULL;
	if (id + 1 < at->n_zones) {
		const struct slice t = at->zones[id + 1];

		/* s may be a pattern's beginning as well, with more behind. */
		if (t.n == s.n + 1 && t.p[s.n] == 0 &&
		    memcmp(t.p, s.p, s.n) == 0)
			return (const char *)t.p;
	}
	*is_like = true;
	return (const char *)s.p;
}

static void add_families(struct fw_ivals *out, const struct fw_atlas *at)
{
	const struct fw_ival all = fw_atlas_family(at, FW_IP4 | FW_IP6);

	fw_ivals_add(out, all.lo, all.hi);
}

static void add_range(struct fw_ivals *out, const struct fw_atlas *at,
                      const struct fw_addr *a, bool has_names)
{
	const struct halves h = split(a->lo, a->hi);

	if (h.has4) {
		const bool is_whole = h.lo4 == 0 && h.hi4 == UINT32_MAX;

		fw_ivals_add(out, id4(at, h.lo4),
		             is_whole ? base6(at) - 1 : id4(at, h.hi4));
		if (has_names && at->n_names && !is_whole)
			fw_ivals_add(out, (uint32_t)at->n_ip4, base6(at) - 1);
	}
	if (h.has6) {
		const uint32_t b6 = base6(at);
		const uint32_t end =
			b6 + (uint32_t)(at->n_ip6 + at->n_names) - 1;
		const bool is_whole =
			h.lo6.hi == 0 && h.lo6.lo == 0 && is_max6(h.hi6);

		fw_ivals_add(out, id6(at, h.lo6),
		             is_whole ? end : id6(at, h.hi6));
		if (has_names && at->n_names && !is_whole)
			fw_ivals_add(out, b6 + (uint32_t)at->n_ip6, end);
	}
}

static void add_name(struct fw_ivals *out, const struct fw_atlas *at,
                     const char *name)
{
	const uint32_t k = (uint32_t)locate(
		at->names, at->n_names, sizeof(*at->names), &name, cmp_name);
	const uint32_t n4 = (uint32_t)at->n_ip4 + k;
	const uint32_t n6 = base6(at) + (uint32_t)at->n_ip6 + k;

	fw_ivals_add(out, n4, n4);
	fw_ivals_add(out, n6, n6);
}

static void add_host(struct fw_ivals *out, const struct fw_atlas *at,
                     const struct fw_host *h, bool has_names)
{
	for (const struct fw_addr *a = h->addrs.first; a; a = a->next)
		add_range(out, at, a, has_names);
}

void fw_atlas_addrs(struct fw_ivals *out, const struct fw_atlas *at,
                    const struct fw_addrs *set, bool is_upper)
{
	const bool upper = is_upper != set->is_negated;

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		const struct fw_host *h;

		if (a->kind == FW_ADDR_RANGE) {
			add_range(out, at, a, upper && !a->is_stray);
			continue;
		}
		h = a->kind == FW_ADDR_NAME ? find_host(at, a->name) : NULL;
		if (a->kind == FW_ADDR_NAME)
			add_name(out, at, a->name);
		if (h)
			add_host(out, at, h, upper);
		else if (upper)
			add_families(out, at);
	}
	if (!set->first && !set->is_negated)
		add_families(out, at);
	fw_ivals_normalise(out);
	if (set->is_negated)
		fw_ivals_complement(out, fw_atlas_family(at, FW_IP4 | FW_IP6));
}

void fw_atlas_flow_addrs(struct fw_ivals *out, const struct fw_atlas *at,
                         const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		const struct fw_host *h = NULL;

		if (a->kind == FW_ADDR_NAME)
			h = find_host(at, a->name);
		if (a->kind == FW_ADDR_RANGE)
			add_range(out, at, a, false);
		else if (h)
			add_host(out, at, h, false);
		else if (a->kind == FW_ADDR_NAME)
			add_name(out, at, a->name);
	}
	if (!set->first)
		add_families(out, at);
	fw_ivals_normalise(out);
}

static void add_zone(struct fw_ivals *out, const struct fw_atlas *at,
                     const char *name)
{
	struct slice s = slice_str(name), end;
	struct arena scratch;
	uint32_t last;
	int err;

	if (!is_pattern(s)) {
		last = zone_id(at, s);
		fw_ivals_add(out, last, last);
		return;
	}
	s.n--;
	arena_init(&scratch);
	last = (uint32_t)at->n_zones - 1;
	err = after_prefix(&scratch, &end, s);
	if (!err)
		last = zone_id(at, end) - 1;
	out->no_memory |= err == ENOMEM;
	fw_ivals_add(out, zone_id(at, s), last);
	arena_fini(&scratch);
}

void fw_atlas_zones(struct fw_ivals *out, const struct fw_atlas *at,
                    const struct fw_zones *set, bool is_upper)
{
	const struct fw_ival all = fw_atlas_all_zones(at);
	const bool upper = is_upper != set->is_negated;

	for (const struct fw_zone *z = set->first; z; z = z->next) {
		if (!z->is_unknown)
			add_zone(out, at, z->name);
		else if (upper)
			fw_ivals_add(out, all.lo, all.hi);
	}
	if (!set->first && !set->is_negated)
		fw_ivals_add(out, all.lo, all.hi);
	fw_ivals_normalise(out);
	if (set->is_negated)
		fw_ivals_complement(out, all);
}

void fw_ivals_fini(struct fw_ivals *s)
{
	free(s->v);
	*s = (struct fw_ivals){0};
}

void fw_ivals_add(struct fw_ivals *s, uint32_t lo, uint32_t hi)
{
	if (s->n == s->cap) {
		const size_t cap = s->cap ? s->cap * 2 : 4;
		struct fw_ival *v = realloc(s->v, cap * sizeof(*v));

		if (!v) {
			s->no_memory = true;
			return;
		}
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct fw_ival){lo, hi};
}

static int cmp_ival(const void *a, const void *b)
{
	const struct fw_ival *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

void fw_ivals_normalise(struct fw_ivals *s)
{
	size_t kept = 0;

	if (s->n < 2)
		return;
	qsort(s->v, s->n, sizeof(*s->v), cmp_ival);
	for (size_t i = 1; i < s->n; i++) {
		struct fw_ival *last = &s->v[kept];

		if (last->hi != UINT32_MAX && s->v[i].lo > last->hi + 1)
			s->v[++kept] = s->v[i];
		else if (s->v[i].hi > last->hi)
			last->hi = s->v[i].hi;
	}
	s->n = kept + 1;
}

void fw_ivals_complement(struct fw_ivals *s, struct fw_ival all)
{
	struct fw_ivals out = {.no_memory = s->no_memory};
	uint32_t next = all.lo;
	bool is_done = false;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].lo > next)
			fw_ivals_add(&out, next, s->v[i].lo - 1);
		is_done = s->v[i].hi >= all.hi;
		next = s->v[i].hi + 1;
	}
	if (!is_done)
		fw_ivals_add(&out, next, all.hi);
	free(s->v);
	*s = out;
}

void fw_ivals_clip(struct fw_ivals *s, struct fw_ival to)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct fw_ival v = s->v[i];

		if (v.lo < to.lo)
			v.lo = to.lo;
		if (v.hi > to.hi)
			v.hi = to.hi;
		if (v.lo <= v.hi)
			s->v[kept++] = v;
	}
	s->n = kept;
}
