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

struct fw_chain *fw_chain_add(struct fw_rules *r, const char *name)
{
	struct fw_chain *c = arena_alloc(&r->arena, sizeof(*c));

	if (!c)
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
	struct fw_rule *rule = arena_alloc(&r->arena, sizeof(*rule));

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

	if (!o)
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

struct fw_chain *fw_chain_find(const struct fw_rules *r, const char *table,
                               const char *name)
{
	for (struct fw_chain *c = r->chains; c; c = c->next) {
		if ((!table || strcmp(c->table, table) == 0) &&
		    strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

struct fw_object *fw_object_find(const struct fw_rules *r,
                                 enum fw_object_kind kind, const char *table,
                                 const char *name)
{
	for (struct fw_object *o = r->objects; o; o = o->next) {
		if (o->kind == kind &&
		    (!table || strcmp(o->table, table) == 0) &&
		    strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
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
static int mask_parse(unsigned *n_bits, struct slice text, const struct addr *a)
{
	const bool is4 = a->family == ADDR_IP4;
	struct addr mask;
	uint64_t v;
	unsigned n = 0;

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
		if (addr_parse(&a, slice_sub(text, 0, cut)) ||
		    mask_parse(&n_bits, slice_sub(text, cut + 1, SIZE_MAX), &a))
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

	for (unsigned n = is4 ? 96 : 0; n <= 128; n++) {
		struct fw_ip a, b;

		span(&a, &b, lo, n);
		if (fw_ip_cmp(a, lo) == 0 && fw_ip_cmp(b, hi) == 0)
			return (int)(is4 ? n - 96 : n);
	}
	return -1;
}

void fw_ip_put(struct wr *w, struct fw_ip lo, struct fw_ip hi)
{
	const int n_bits = fw_ip_prefix_len(lo, hi);
	const struct addr a = fw_ip_addr(lo), b = fw_ip_addr(hi);
	char text[ADDR_TEXT_BYTES];

	wr_str(w, addr_ip_text(&a, text));
	if (n_bits < 0)
		wr_fmt(w, "-%s", addr_ip_text(&b, text));
	else if (fw_ip_cmp(lo, hi) != 0)
		wr_fmt(w, "/%d", n_bits);
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
