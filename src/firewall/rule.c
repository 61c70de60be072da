/* SPDX-License-Identifier: ISC */
/*
 * Design: the model keeps what was written (lists in order, names, the raw
 * line) and no normal form, because the audit quotes it and a patch must fit
 * between its lines. Meaning is space.c's. Negation of address and zone sets
 * is kept too: its complement over names would not be finite.
 */
#include "firewall/rule.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

void fw_rules_init(struct fw_rules *r)
{
	*r = (struct fw_rules){.defaults = fw_attrs_unset(),
	                       .families = FW_IP4 | FW_IP6,
	                       .offload_idle_s = FW_IDLE_UNSET,
	                       .helper_idle_s = FW_IDLE_UNSET};
	arena_init(&r->arena);
}

void fw_rules_fini(struct fw_rules *r)
{
	arena_fini(&r->arena);
	fw_rules_init(r);
}

struct fw_attrs fw_attrs_unset(void)
{
	return (struct fw_attrs){
		.udp_idle_s = FW_IDLE_UNSET,
		.tcp_idle_s = FW_IDLE_UNSET,
		.dscp = FW_DSCP_UNSET,
	};
}

const char *fw_tri_name(enum fw_tri t)
{
	static const char *const names[] = {
		[FW_UNSET] = "unset",
		[FW_OFF] = "off",
		[FW_ON] = "on",
		[FW_UNKNOWN] = "unknown",
	};

	return names[t];
}

/*
 * Chains and objects by name. Slots grow when something is added, which is
 * where memory may be lacking; things are linked into them when something is
 * looked up, since their table is set after they were added.
 */
struct fw_index {
	struct fw_chain **chains;
	struct fw_object **objects;
	size_t n_chains, cap_chains, n_objects, cap_objects;
	const struct fw_chain *chain_at; /* the last one linked; NULL: none */
	const struct fw_object *object_at;
	uint64_t seed;
};

enum {
	INDEX_MIN = 64,
};

static struct fw_index *index_of(struct fw_rules *r)
{
	if (!r->index) {
		r->index = arena_alloc(&r->arena, sizeof(*r->index));
		/* Where memory is, no writer of a configuration knows. */
		if (r->index)
			r->index->seed = (uint64_t)(uintptr_t)r->index;
	}
	return r->index;
}

static bool grow_chains(struct fw_rules *r)
{
	struct fw_index *ix = index_of(r);
	size_t cap;

	if (!ix)
		return false;
	if (ix->n_chains++ < ix->cap_chains)
		return true;
	cap = ix->cap_chains ? 2 * ix->cap_chains : INDEX_MIN;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers it is */
	ix->chains = arena_alloc(&r->arena, cap * sizeof(*ix->chains));
	ix->cap_chains = ix->chains ? cap : 0;
	ix->chain_at = NULL;
	return ix->chains;
}

static bool grow_objects(struct fw_rules *r)
{
	struct fw_index *ix = index_of(r);
	size_t cap;

	if (!ix)
		return false;
	if (ix->n_objects++ < ix->cap_objects)
		return true;
	cap = ix->cap_objects ? 2 * ix->cap_objects : INDEX_MIN;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers it is */
	ix->objects = arena_alloc(&r->arena, cap * sizeof(*ix->objects));
	ix->cap_objects = ix->objects ? cap : 0;
	ix->object_at = NULL;
	return ix->objects;
}

/* FNV-1a, with a start of its own and its bits mixed. */
static size_t slot(const struct fw_index *ix, unsigned kind, const char *table,
                   const char *name, size_t cap)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ ix->seed ^ kind;

	for (const char *s = table; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	h = (h ^ 0xff) * UINT64_C(1099511628211);
	for (const char *s = name; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	h = (h ^ h >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(h >> 20) % cap;
}

struct fw_chain *fw_chain_add(struct fw_rules *r, const char *name)
{
	struct fw_chain *c = arena_alloc(&r->arena, sizeof(*c));

	if (!c || !grow_chains(r))
		return NULL;
	c->name = name;
	c->table = "";
	c->families = FW_IP4 | FW_IP6;
	c->policy = FW_ACCEPT;
	if (r->chains_last)
		r->chains_last->next = c;
	else
		r->chains = c;
	r->chains_last = c;
	return c;
}

struct fw_rule *fw_rule_add(struct fw_rules *r, struct fw_chain *c)
{
	struct fw_rule *rule;

	r->is_full |= r->n_rules == FW_RULES_MAX;
	rule = r->is_full ? NULL : arena_alloc(&r->arena, sizeof(*rule));
	if (!rule)
		return NULL;
	rule->chain = c;
	rule->id = "";
	rule->families = FW_IP4 | FW_IP6;
	rule->states = FW_STATE_ALL;
	rule->attrs = fw_attrs_unset();
	if (c->last)
		c->last->next = rule;
	else
		c->first = rule;
	c->last = rule;
	c->n_rules++;
	r->n_rules++;
	return rule;
}

struct fw_object *fw_object_add(struct fw_rules *r, enum fw_object_kind kind,
                                const char *name)
{
	struct fw_object *o = arena_alloc(&r->arena, sizeof(*o));

	if (!o || !grow_objects(r))
		return NULL;
	o->kind = kind;
	o->name = name;
	o->table = "";
	o->attrs = fw_attrs_unset();
	if (r->objects_last)
		r->objects_last->next = o;
	else
		r->objects = o;
	r->objects_last = o;
	return o;
}

struct fw_setting *fw_setting_add(struct fw_rules *r, const char *id)
{
	struct fw_setting *s = arena_alloc(&r->arena, sizeof(*s));

	if (!s)
		return NULL;
	s->id = id;
	s->attrs = fw_attrs_unset();
	if (r->settings_last)
		r->settings_last->next = s;
	else
		r->settings = s;
	r->settings_last = s;
	return s;
}

struct fw_kept *fw_kept_add(struct fw_rules *r, unsigned line, struct slice raw)
{
	struct fw_kept *k = arena_alloc(&r->arena, sizeof(*k));

	if (!k)
		return NULL;
	k->line = line;
	k->raw = raw;
	if (r->kept_last)
		r->kept_last->next = k;
	else
		r->kept = k;
	r->kept_last = k;
	return k;
}

static void addrs_append(struct fw_addrs *set, struct fw_addr *ad)
{
	if (set->last)
		set->last->next = ad;
	else
		set->first = ad;
	set->last = ad;
}

struct fw_addr *fw_addrs_add_range(struct arena *a, struct fw_addrs *set,
                                   struct fw_ip lo, struct fw_ip hi)
{
	struct fw_addr *ad = arena_alloc(a, sizeof(*ad));

	if (!ad)
		return NULL;
	ad->kind = FW_ADDR_RANGE;
	ad->lo = lo;
	ad->hi = hi;
	addrs_append(set, ad);
	return ad;
}

struct fw_addr *fw_addrs_add_name(struct arena *a, struct fw_addrs *set,
                                  enum fw_addr_kind kind, const char *name)
{
	struct fw_addr *ad = arena_alloc(a, sizeof(*ad));

	if (!ad)
		return NULL;
	ad->kind = kind;
	ad->name = name;
	addrs_append(set, ad);
	return ad;
}

struct fw_zone *fw_zones_add(struct arena *a, struct fw_zones *set,
                             const char *name)
{
	struct fw_zone *z = arena_alloc(a, sizeof(*z));

	if (!z)
		return NULL;
	z->name = name;
	if (set->last)
		set->last->next = z;
	else
		set->first = z;
	set->last = z;
	return z;
}

struct fw_service *fw_services_add(struct arena *a, struct fw_services *set,
                                   int proto, uint16_t dport_lo,
                                   uint16_t dport_hi)
{
	struct fw_service *s = arena_alloc(a, sizeof(*s));

	if (!s)
		return NULL;
	s->proto = proto;
	s->sport_hi = FW_PORT_MAX;
	s->dport_lo = dport_lo;
	s->dport_hi = dport_hi;
	if (set->last)
		set->last->next = s;
	else
		set->first = s;
	set->last = s;
	return s;
}

static struct fw_chain *chain_in(struct fw_chain *c, const char *table,
                                 const char *name)
{
	while (c &&
	       (strcmp(c->name, name) != 0 || strcmp(c->table, table) != 0))
		c = c->same_hash;
	return c;
}

static void link_chains(const struct fw_rules *r, struct fw_index *ix)
{
	struct fw_chain *c = ix->chain_at ? ix->chain_at->next : r->chains;

	for (; c; c = c->next) {
		struct fw_chain **head = &ix->chains[slot(
			ix, 0, c->table, c->name, ix->cap_chains)];

		ix->chain_at = c;
		c->same_hash = NULL;
		if (chain_in(*head, c->table, c->name))
			continue; /* the first one is meant */
		c->same_hash = *head;
		*head = c;
	}
}

struct fw_chain *fw_chain_find(const struct fw_rules *r, const char *table,
                               const char *name)
{
	struct fw_chain *c = r->chains;

	if (!name)
		return NULL;
	if (table && r->index && r->index->chains) {
		link_chains(r, r->index);
		return chain_in(r->index->chains[slot(r->index, 0, table, name,
		                                      r->index->cap_chains)],
		                table, name);
	}
	while (c && ((table && strcmp(c->table, table) != 0) ||
	             strcmp(c->name, name) != 0))
		c = c->next;
	return c;
}

static struct fw_object *object_in(struct fw_object *o,
                                   enum fw_object_kind kind, const char *table,
                                   const char *name)
{
	while (o && (o->kind != kind || strcmp(o->name, name) != 0 ||
	             strcmp(o->table, table) != 0))
		o = o->same_hash;
	return o;
}

static void link_objects(const struct fw_rules *r, struct fw_index *ix)
{
	struct fw_object *o = ix->object_at ? ix->object_at->next : r->objects;

	for (; o; o = o->next) {
		struct fw_object **head = &ix->objects[slot(
			ix, o->kind, o->table, o->name, ix->cap_objects)];

		ix->object_at = o;
		o->same_hash = NULL;
		if (object_in(*head, o->kind, o->table, o->name))
			continue;
		o->same_hash = *head;
		*head = o;
	}
}

struct fw_object *fw_object_find(const struct fw_rules *r,
                                 enum fw_object_kind kind, const char *table,
                                 const char *name)
{
	struct fw_object *o = r->objects;

	if (!name)
		return NULL;
	if (table && r->index && r->index->objects) {
		link_objects(r, r->index);
		return object_in(
			r->index->objects[slot(r->index, kind, table, name,
		                               r->index->cap_objects)],
			kind, table, name);
	}
	while (o && (o->kind != kind || strcmp(o->name, name) != 0 ||
	             (table && strcmp(o->table, table) != 0)))
		o = o->next;
	return o;
}

/* ::ffff:0:0/96 */
#define MAPPED UINT64_C(0xffff00000000)

struct fw_ip fw_ip_of(const struct addr *a)
{
	struct fw_ip ip = {0};
	const unsigned n = a->family == ADDR_IP4 ? 4 : 16;

	for (unsigned i = 0; i < n; i++) {
		ip.hi = ip.hi << 8 | ip.lo >> 56;
		ip.lo = ip.lo << 8 | a->ip[i];
	}
	if (a->family == ADDR_IP4)
		ip.lo |= MAPPED;
	return ip;
}

bool fw_ip_is4(struct fw_ip ip)
{
	return ip.hi == 0 && ip.lo >> 32 == MAPPED >> 32;
}

struct addr fw_ip_addr(struct fw_ip ip)
{
	struct addr a = {.family = fw_ip_is4(ip) ? ADDR_IP4 : ADDR_IP6};
	const unsigned n = a.family == ADDR_IP4 ? 4 : 16;

	for (unsigned i = n; i-- > 0;) {
		a.ip[i] = (uint8_t)ip.lo;
		ip.lo = ip.lo >> 8 | ip.hi << 56;
		ip.hi >>= 8;
	}
	return a;
}

int fw_ip_cmp(struct fw_ip a, struct fw_ip b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	if (a.lo != b.lo)
		return a.lo < b.lo ? -1 : 1;
	return 0;
}

static bool takes_names(const struct fw_addrs *dst)
{
	bool is_any = !dst->first;

	for (const struct fw_addr *a = dst->first; a; a = a->next)
		is_any |= a->kind == FW_ADDR_NAME;
	return is_any;
}

void fw_rules_note_names(struct fw_rules *rules)
{
	unsigned families = 0;
	bool is_for_names = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->action != FW_ACCEPT || r->is_disabled ||
			    !(r->states & FW_STATE_NEW) ||
			    c->kind != FW_CHAIN_FILTER)
				continue;
			families |= r->families;
			is_for_names |= takes_names(&r->dst);
		}
	}
	rules->no_names = is_for_names && families == FW_IP4 ? FW_IP6 : 0;
}

void fw_ip_family(struct fw_ip *lo, struct fw_ip *hi, unsigned families)
{
	const bool is4 = families == FW_IP4;

	*lo = (struct fw_ip){.lo = is4 ? MAPPED : 0};
	*hi = (struct fw_ip){is4 ? 0 : UINT64_MAX,
	                     is4 ? MAPPED | UINT32_MAX : UINT64_MAX};
}

/* The bits that are free under a prefix length of 0..128. */
static struct fw_ip free_bits(unsigned n_bits)
{
	if (n_bits == 0)
		return (struct fw_ip){UINT64_MAX, UINT64_MAX};
	if (n_bits < 64)
		return (struct fw_ip){UINT64_MAX >> n_bits, UINT64_MAX};
	if (n_bits == 64)
		return (struct fw_ip){0, UINT64_MAX};
	if (n_bits < 128)
		return (struct fw_ip){0, UINT64_MAX >> (n_bits - 64)};
	return (struct fw_ip){0, 0};
}

static void span(struct fw_ip *lo, struct fw_ip *hi, struct fw_ip ip,
                 unsigned n_bits)
{
	const struct fw_ip mask = free_bits(n_bits);

	*lo = (struct fw_ip){ip.hi & ~mask.hi, ip.lo & ~mask.lo};
	*hi = (struct fw_ip){ip.hi | mask.hi, ip.lo | mask.lo};
}

static unsigned total_bits(const struct addr *a, unsigned n_bits)
{
	return a->family == ADDR_IP4 ? n_bits + 96 : n_bits;
}

void fw_ip_prefix(struct fw_ip *lo, struct fw_ip *hi, const struct prefix *p)
{
	span(lo, hi, fw_ip_of(&p->net), total_bits(&p->net, p->n_bits));
}

/* "24" or "255.255.255.0", as a length of 0..128 */
static int mask_parse(unsigned *n_bits, struct slice text, const struct addr *a,
                      bool is_mapped)
{
	const bool is4 = a->family == ADDR_IP4;
	struct addr mask;
	uint64_t v;
	unsigned n = 0;

	/* "::ffff:0.0.0.0/96" */
	if (is_mapped) {
		if (text_u64(&v, text, 128) || v < 96)
			return EBADMSG;
		*n_bits = (unsigned)v;
		return 0;
	}
	if (text_u64(&v, text, is4 ? 32 : 128) == 0) {
		*n_bits = total_bits(a, (unsigned)v);
		return 0;
	}
	if (addr_parse(&mask, text) || mask.family != a->family)
		return EBADMSG;
	while (n < (is4 ? 32U : 128U) && mask.ip[n / 8] & 0x80 >> n % 8)
		n++;
	for (unsigned i = n; i < (is4 ? 32U : 128U); i++) {
		if (mask.ip[i / 8] & 0x80 >> i % 8)
			return EBADMSG;
	}
	*n_bits = total_bits(a, n);
	return 0;
}

int fw_ip_parse(struct fw_ip *lo, struct fw_ip *hi, struct slice text)
{
	size_t cut = slice_find(text, slice_str("/"));
	struct addr a, b;
	unsigned n_bits;

	if (cut != SIZE_MAX) {
		const struct slice host = slice_sub(text, 0, cut);

		if (addr_parse(&a, host) ||
		    mask_parse(&n_bits, slice_sub(text, cut + 1, SIZE_MAX), &a,
		               a.family == ADDR_IP4 &&
		                       slice_find(host, slice_str(":")) !=
		                               SIZE_MAX))
			return EBADMSG;
		span(lo, hi, fw_ip_of(&a), n_bits);
		return 0;
	}
	cut = slice_find(text, slice_str("-"));
	if (addr_parse(&a, slice_sub(text, 0, cut)))
		return EBADMSG;
	b = a;
	if (cut != SIZE_MAX &&
	    (addr_parse(&b, slice_sub(text, cut + 1, SIZE_MAX)) ||
	     a.family != b.family || fw_ip_cmp(fw_ip_of(&a), fw_ip_of(&b)) > 0))
		return EBADMSG;
	*lo = fw_ip_of(&a);
	*hi = fw_ip_of(&b);
	return 0;
}

int fw_ip_prefix_len(struct fw_ip lo, struct fw_ip hi)
{
	const bool is4 = fw_ip_is4(lo) && fw_ip_is4(hi);
	/* A prefix's last address has ones where its first has zeros. */
	const struct fw_ip free = {lo.hi ^ hi.hi, lo.lo ^ hi.lo};
	const int n_bits = 128 - __builtin_popcountll(free.hi) -
	                   __builtin_popcountll(free.lo);
	const struct fw_ip mask = free_bits((unsigned)n_bits);

	if (fw_ip_cmp(free, mask) != 0 || lo.hi & mask.hi || lo.lo & mask.lo)
		return -1;
	return is4 ? n_bits - 96 : n_bits;
}

void fw_dec_put(struct wr *w, uint64_t v)
{
	uint8_t text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v);
	wr_put(w, (struct slice){text + at, sizeof(text) - at});
}

/* inet_ntop() is a printf, and thousands of rules have an address each. */
static void put_one(struct wr *w, struct fw_ip ip)
{
	const struct addr a = fw_ip_addr(ip);
	char text[ADDR_TEXT_BYTES];

	if (!fw_ip_is4(ip)) {
		wr_str(w, addr_ip_text(&a, text));
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			wr_u8(w, '.');
		fw_dec_put(w, a.ip[i]);
	}
}

void fw_ip_put(struct wr *w, struct fw_ip lo, struct fw_ip hi)
{
	const int n_bits = fw_ip_prefix_len(lo, hi);

	put_one(w, lo);
	if (n_bits < 0) {
		wr_u8(w, '-');
		put_one(w, hi);
	} else if (fw_ip_cmp(lo, hi) != 0) {
		wr_u8(w, '/');
		fw_dec_put(w, (unsigned)n_bits);
	}
}

static const struct {
	const char *name;
	int proto;
} protos[] = {
	{"tcp", 6},    {"udp", 17},      {"icmp", 1},  {"icmpv6", 58},
	{"esp", 50},   {"ah", 51},       {"gre", 47},  {"sctp", 132},
	{"igmp", 2},   {"udplite", 136}, {"dccp", 33}, {"ipv6-icmp", 58},
	{"comp", 108}, {"ipcomp", 108},  {"ospf", 89}, {"vrrp", 112},
	{"pim", 103},  {"ipencap", 4},   {"ipip", 4},  {"ipv6", 41},
	{"l2tp", 115},
};

int fw_proto_parse(int *proto, struct slice text)
{
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(protos); i++) {
		if (slice_ieq(text, slice_str(protos[i].name))) {
			*proto = protos[i].proto;
			return 0;
		}
	}
	if (text_u64(&v, text, UINT8_MAX))
		return EBADMSG;
	*proto = (int)v;
	return 0;
}

const char *fw_proto_name(int proto)
{
	for (size_t i = 0; i < ARRAY_LEN(protos); i++) {
		if (protos[i].proto == proto)
			return protos[i].name;
	}
	return NULL;
}

/* Names that firewalls print; IANA's registry. */
static const struct {
	const char *name;
	uint16_t port;
} ports[] = {
	{"ftp-data", 20},      {"ftp", 21},
	{"ssh", 22},           {"telnet", 23},
	{"smtp", 25},          {"domain", 53},
	{"bootps", 67},        {"bootpc", 68},
	{"tftp", 69},          {"http", 80},
	{"kerberos", 88},      {"pop3", 110},
	{"sunrpc", 111},       {"ntp", 123},
	{"netbios-ns", 137},   {"netbios-dgm", 138},
	{"netbios-ssn", 139},  {"imap", 143},
	{"imap2", 143},        {"snmp", 161},
	{"snmp-trap", 162},    {"snmptrap", 162},
	{"bgp", 179},          {"ldap", 389},
	{"https", 443},        {"microsoft-ds", 445},
	{"isakmp", 500},       {"syslog", 514},
	{"submission", 587},   {"ldaps", 636},
	{"domain-s", 853},     {"imaps", 993},
	{"pop3s", 995},        {"openvpn", 1194},
	{"l2f", 1701},         {"l2tp", 1701},
	{"pptp", 1723},        {"radius", 1812},
	{"stun", 3478},        {"ms-wbt-server", 3389},
	{"ipsec-nat-t", 4500}, {"sip", 5060},
	{"sip-tls", 5061},     {"sips", 5061},
	{"xmpp-client", 5222}, {"mdns", 5353},
	{"postgresql", 5432},  {"mysql", 3306},
	{"http-alt", 8080},    {"stuns", 5349},
};

int fw_port_parse(uint16_t *port, struct slice text)
{
	uint64_t v;

	if (text_u64(&v, text, FW_PORT_MAX) == 0) {
		*port = (uint16_t)v;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		if (slice_ieq(text, slice_str(ports[i].name))) {
			*port = ports[i].port;
			return 0;
		}
	}
	return EBADMSG;
}
