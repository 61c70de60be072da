/* SPDX-License-Identifier: ISC */
/*
 * Design: the tree (fortios_tree.c) is read scope by scope: one, or one per
 * VDOM. Each VDOM is a chain; when there are several, a first chain sends
 * packets to the one that owns the interface they came by. Objects are
 * resolved on first use and remembered; what they hold is copied into rules,
 * within a budget, so that groups of groups cannot blow up.
 *
 * FortiOS tracks connections, so policies see new ones only, and the answers
 * pass by a rule that is built in.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/fortios.h"

enum {
	MAX_GROUP_DEPTH = 16,
	MAX_COPIES = 1 << 21,
	UDP_IDLE_S = 180,
	TCP_IDLE_S = 3600,
	V_5_2 = 5002000,
};

struct svc {
	struct fw_object *object;
	int64_t udp_idle_s, ttl_s; /* _UNSET: the box's */
	bool is_helper_off;
	bool is_any;
	bool is_doubtful; /* matches less than its ports say */
	bool is_busy;
};

struct adr {
	struct fw_object *object;
	bool is_all[2]; /* IPv4, IPv6 */
	bool is_busy;
	bool is_guess; /* not in the text: read from its name */
};

struct port_ttl {
	struct port_ttl *next;
	int proto;
	uint16_t lo, hi;
	int64_t ttl_s;
};

/* What holds for one VDOM. */
struct scope {
	const char *name; /* "" when there are none */
	struct fw_forti_node *node;
	enum fw_forti_mode mode;
	bool is_ngfw, is_flow;
	enum fw_tri default_profile;
	struct port_ttl *ttls;
	int64_t default_ttl_s;
};

struct ctx {
	struct fw_forti_tree t;
	struct fw_rules *rules;
	struct diag *dg;
	struct arena scratch;
	struct fw_forti_node *global;
	struct fw_dict adrs, svcs; /* by scope node */
	long version;
	enum fw_tri helper;
	int64_t udp_idle_s;
	size_t n_copies;
	unsigned n_new; /* entries "edit 0" */
	int err;
};

struct words {
	const struct fw_forti_node *at;
	struct slice name, rest;
};

static struct words words_of(const struct fw_forti_node *entry,
                             const char *name)
{
	struct words w = {.at = fw_forti_value(entry, name)};

	if (w.at) {
		w.name = w.at->key;
		w.rest = w.at->rest;
	}
	return w;
}

/* Values of the last set, then of what was appended to it. */
static bool word_next(struct words *w, struct slice *word)
{
	while (w->at) {
		if (fw_word_next(&w->rest, word))
			return true;
		do
			w->at = w->at->next;
		while (w->at && (w->at->kind != FW_FORTI_APPEND ||
		                 !slice_eq(w->at->key, w->name)));
		if (w->at)
			w->rest = w->at->rest;
	}
	return false;
}

static const char *dup(struct ctx *c, struct slice s)
{
	const char *text = arena_dup(&c->rules->arena, s);

	if (!text)
		c->err = ENOMEM;
	return text ? text : "";
}

static void check(struct ctx *c, const void *made)
{
	if (!made)
		c->err = ENOMEM;
}

static struct fw_setting *add_setting(struct ctx *c, const char *id,
                                      const char *source,
                                      const struct fw_forti_node *at)
{
	struct fw_setting *s = fw_setting_add(c->rules, id);

	if (!s) {
		c->err = ENOMEM;
		return NULL;
	}
	s->source = source;
	s->is_default = !at;
	if (at) {
		s->line = at->line;
		s->raw = at->raw;
	}
	return s;
}

static void add_alg_setting(struct ctx *c, const char *id, const char *source,
                            const struct fw_forti_node *at, enum fw_tri alg)
{
	struct fw_setting *s = add_setting(c, id, source, at);

	if (s)
		s->attrs.alg = alg;
}

static int64_t number(struct slice word, int64_t fallback)
{
	uint64_t v;

	return text_u64(&v, word, INT32_MAX) ? fallback : (int64_t)v;
}

/* ---- addresses ---- */

static bool budget(struct ctx *c, const struct fw_forti_node *at)
{
	if (++c->n_copies <= MAX_COPIES)
		return true;
	if (c->n_copies == MAX_COPIES + 1)
		diag_add(c->dg, DIAG_ERROR, at->raw,
		         _("Groups hold too many members in all; from here on "
		           "they are not known."));
	return false;
}

static void add_unknown(struct ctx *c, struct fw_addrs *set, const char *name)
{
	check(c,
	      fw_addrs_add_name(&c->rules->arena, set, FW_ADDR_UNKNOWN, name));
}

static void read_subnet(struct ctx *c, struct adr *a,
                        const struct fw_forti_node *e)
{
	struct words w = words_of(e, "subnet");
	struct slice ip, mask;
	struct fw_ip lo, hi;
	char *text;

	if (!word_next(&w, &ip)) {
		a->is_all[0] = true; /* 0.0.0.0/0 is what absence means */
		return;
	}
	text = word_next(&w, &mask)
	               ? arena_fmt(&c->scratch, "%.*s/%.*s", (int)ip.n,
	                           (const char *)ip.p, (int)mask.n,
	                           (const char *)mask.p)
	               : arena_dup(&c->scratch, ip);
	if (!text) {
		c->err = ENOMEM;
		return;
	}
	if (fw_ip_parse(&lo, &hi, slice_str(text))) {
		diag_add(c->dg, DIAG_ERROR, w.at ? w.at->raw : ip,
		         _("Not an address with a mask."));
		add_unknown(c, &a->object->addrs, a->object->name);
		return;
	}
	a->is_all[0] = fw_ip_is4(lo) && fw_ip_prefix_len(lo, hi) == 0;
	if (!a->is_all[0])
		check(c, fw_addrs_add_range(&c->rules->arena, &a->object->addrs,
		                            lo, hi));
}

static void read_range(struct ctx *c, struct adr *a,
                       const struct fw_forti_node *e)
{
	struct fw_ip lo, hi, x, y;

	if (fw_ip_parse(&lo, &x, fw_forti_word(e, "start-ip")) ||
	    fw_ip_parse(&y, &hi, fw_forti_word(e, "end-ip")) ||
	    fw_ip_cmp(lo, hi) > 0) {
		diag_add(c->dg, DIAG_ERROR, e->raw,
		         _("This range has no good first and last address."));
		add_unknown(c, &a->object->addrs, a->object->name);
		return;
	}
	check(c,
	      fw_addrs_add_range(&c->rules->arena, &a->object->addrs, lo, hi));
}

static void read_ip6(struct ctx *c, struct adr *a,
                     const struct fw_forti_node *e)
{
	const struct slice word = fw_forti_word(e, "ip6");
	struct fw_ip lo, hi;

	if (word.n == 0 || slice_eq_str(word, "::/0")) {
		a->is_all[1] = true;
		return;
	}
	if (fw_ip_parse(&lo, &hi, word)) {
		diag_add(c->dg, DIAG_ERROR, word, _("Not an IPv6 prefix."));
		add_unknown(c, &a->object->addrs, a->object->name);
		return;
	}
	check(c,
	      fw_addrs_add_range(&c->rules->arena, &a->object->addrs, lo, hi));
}

static void read_address(struct ctx *c, struct adr *a,
                         const struct fw_forti_node *e, bool is6)
{
	const struct slice type = fw_forti_word(e, "type");

	a->object->line = e->line;
	a->object->raw = e->raw;
	if (slice_eq_str(type, "fqdn"))
		check(c, fw_addrs_add_name(&c->rules->arena, &a->object->addrs,
		                           FW_ADDR_NAME,
		                           dup(c, fw_forti_word(e, "fqdn"))));
	else if (slice_eq_str(type, "iprange"))
		read_range(c, a, e);
	else if (is6 && (type.n == 0 || slice_eq_str(type, "ipprefix")))
		read_ip6(c, a, e);
	else if (!is6 && (type.n == 0 || slice_eq_str(type, "ipmask") ||
	                  slice_eq_str(type, "subnet")))
		read_subnet(c, a, e);
	else
		add_unknown(c, &a->object->addrs, a->object->name);
}

/* Names like "192.0.2.1/32-Phone" are how people keep such objects apart; an
 * excerpt without its objects is read by them, and never surely. */
static void read_missing(struct ctx *c, struct adr *a, struct slice name)
{
	struct slice head = slice_sub(name, 0, 64);
	struct fw_ip lo, hi;

	while (head.n && fw_ip_parse(&lo, &hi, head))
		head.n--;
	if (head.n < 7) {
		diag_add(c->dg, DIAG_WARN, name,
		         _("This address object is not in the text."));
		add_unknown(c, &a->object->addrs, a->object->name);
		return;
	}
	diag_add(c->dg, DIAG_WARN, name,
	         _("This address object is not in the text; it is taken for "
	           "what its name says."));
	a->is_guess = true;
	check(c,
	      fw_addrs_add_range(&c->rules->arena, &a->object->addrs, lo, hi));
}

static struct adr *find_adr(struct ctx *c, const struct scope *sc,
                            struct slice name, bool is6, unsigned depth);

static void put_adr(struct ctx *c, struct fw_addrs *to, const struct adr *a,
                    const struct fw_forti_node *at)
{
	for (const struct fw_addr *ad = a->object->addrs.first; ad && !c->err;
	     ad = ad->next) {
		struct fw_addr *n;

		if (!budget(c, at)) {
			if (c->n_copies == MAX_COPIES + 1)
				add_unknown(c, to, a->object->name);
			return;
		}
		n = fw_addrs_add_name(&c->rules->arena, to, ad->kind, ad->name);
		check(c, n);
		if (n) {
			n->lo = ad->lo;
			n->hi = ad->hi;
		}
	}
}

static void read_group(struct ctx *c, const struct scope *sc, struct adr *a,
                       const struct fw_forti_node *e, bool is6, unsigned depth)
{
	struct words w = words_of(e, "member");
	struct slice name;

	a->object->line = e->line;
	a->object->raw = e->raw;
	while (!c->err && word_next(&w, &name)) {
		const struct adr *m = find_adr(c, sc, name, is6, depth + 1);

		if (!m || m->is_busy) {
			add_unknown(c, &a->object->addrs, a->object->name);
			continue;
		}
		a->is_all[0] |= m->is_all[0];
		a->is_all[1] |= m->is_all[1];
		a->is_guess |= m->is_guess;
		put_adr(c, &a->object->addrs, m, e);
	}
	if (fw_forti_is(e, "exclude", "enable"))
		add_unknown(c, &a->object->addrs, a->object->name);
}

static struct fw_forti_node *find_entry(const struct ctx *c,
                                        const struct scope *sc,
                                        const char *path, struct slice name)
{
	struct fw_forti_node *e, *at = fw_forti_config(&c->t, sc->node, path);

	e = at ? fw_dict_get(&c->t.dict, at, name) : NULL;
	return e && !e->is_deleted && e->kind == FW_FORTI_EDIT ? e : NULL;
}

/* An address of either family, whatever kind of object it is. */
static struct adr *find_adr(struct ctx *c, const struct scope *sc,
                            struct slice name, bool is6, unsigned depth)
{
	static const struct {
		const char *plain, *group;
	} paths[] = {
		{"firewall address", "firewall addrgrp"},
		{"firewall address6", "firewall addrgrp6"},
	};
	const void *key = is6 ? (const void *)&sc->name : sc->node;
	struct adr *a = fw_dict_get(&c->adrs, key, name);
	const struct fw_forti_node *e;

	if (a || depth > MAX_GROUP_DEPTH)
		return a;
	a = arena_alloc(&c->scratch, sizeof(*a));
	check(c, a);
	if (!a)
		return NULL;
	a->object = fw_object_add(c->rules, FW_OBJECT_ADDRS, dup(c, name));
	if (!a->object) {
		c->err = ENOMEM;
		return NULL;
	}
	a->object->table = sc->name;
	fw_dict_put(&c->adrs, key, name, a);
	a->is_busy = true;
	e = find_entry(c, sc, paths[is6].plain, name);
	if (slice_eq_str(name, "all"))
		a->is_all[is6] = true;
	else if (e)
		read_address(c, a, e, is6);
	else if ((e = find_entry(c, sc, paths[is6].group, name)) != NULL)
		read_group(c, sc, a, e, is6, depth);
	else if (!slice_eq_str(name, "none"))
		read_missing(c, a, name);
	a->is_busy = false;
	return a;
}

/* ---- services ---- */

/* dst[-dst][:src[-src]] */
static void read_portrange(struct ctx *c, struct svc *s, int proto,
                           struct slice text)
{
	uint16_t dlo, dhi, slo = 0, shi = FW_PORT_MAX;
	struct slice rest = text, dst;
	struct fw_service *sv;

	if (!fw_part_next(&rest, ':', &dst) ||
	    fw_ports_parse(&dlo, &dhi, dst) ||
	    (rest.n && fw_ports_parse(&slo, &shi, rest))) {
		diag_add(c->dg, DIAG_ERROR, text, _("Not a range of ports."));
		s->is_doubtful = true;
		dlo = 0;
		dhi = FW_PORT_MAX;
	}
	sv = fw_services_add(&c->rules->arena, &s->object->services, proto, dlo,
	                     dhi);
	check(c, sv);
	if (sv) {
		sv->sport_lo = slo;
		sv->sport_hi = shi;
		sv->name = s->object->name;
	}
}

static void add_proto(struct ctx *c, struct svc *s, int proto)
{
	check(c, fw_services_add(&c->rules->arena, &s->object->services, proto,
	                         0, FW_PORT_MAX));
}

static void read_ports(struct ctx *c, struct svc *s,
                       const struct fw_forti_node *e)
{
	static const struct {
		const char *name;
		int proto;
	} kinds[] = {
		{"tcp-portrange", 6},
		{"udp-portrange", 17},
		{"sctp-portrange", 132},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct words w = words_of(e, kinds[i].name);
		struct slice range;

		while (!c->err && word_next(&w, &range))
			read_portrange(c, s, kinds[i].proto, range);
	}
}

static void read_service(struct ctx *c, struct svc *s,
                         const struct fw_forti_node *e)
{
	const struct slice proto = fw_forti_word(e, "protocol");
	const struct slice num = fw_forti_word(e, "protocol-number");

	s->object->line = e->line;
	s->object->raw = e->raw;
	s->is_helper_off = fw_forti_is(e, "helper", "disable");
	s->udp_idle_s = number(fw_forti_word(e, "udp-idle-timer"), 0);
	s->ttl_s = number(fw_forti_word(e, "session-ttl"), 0);
	if (s->udp_idle_s > 0)
		s->object->attrs.udp_idle_s = s->udp_idle_s;
	if (fw_forti_is(e, "session-ttl", "never"))
		s->ttl_s = INT32_MAX;
	s->is_doubtful = fw_forti_value(e, "iprange") != NULL ||
	                 fw_forti_value(e, "fqdn") != NULL ||
	                 fw_forti_value(e, "icmptype") != NULL;
	if (slice_eq_str(proto, "IP") && number(num, 0) == 0)
		s->is_any = true;
	else if (slice_eq_str(proto, "IP"))
		add_proto(c, s, (int)(number(num, 0) & UINT8_MAX));
	else if (slice_eq_str(proto, "ALL"))
		s->is_any = true;
	else if (slice_eq_str(proto, "ICMP"))
		add_proto(c, s, 1);
	else if (slice_eq_str(proto, "ICMP6"))
		add_proto(c, s, 58);
	else
		read_ports(c, s, e);
}

/* Of the factory set: a full backup holds them, an excerpt does not. */
static const struct {
	const char *name;
	int proto;
	uint16_t lo, hi;
} factory[] = {
	{"ALL_TCP", 6, 1, 65535},  {"ALL_UDP", 17, 1, 65535},
	{"ALL_ICMP", 1, 0, 65535}, {"PING", 1, 0, 65535},
	{"DNS", 6, 53, 53},        {"DNS", 17, 53, 53},
	{"HTTP", 6, 80, 80},       {"HTTPS", 6, 443, 443},
	{"NTP", 6, 123, 123},      {"NTP", 17, 123, 123},
	{"SIP", 6, 5060, 5060},    {"SIP", 17, 5060, 5060},
	{"SSH", 6, 22, 22},        {"FTP", 6, 21, 21},
	{"SMTP", 6, 25, 25},       {"IMAPS", 6, 993, 993},
	{"RDP", 6, 3389, 3389},
};

static void read_factory(struct ctx *c, struct svc *s, struct slice name)
{
	bool is_known = false;

	if (slice_ieq(name, slice_str("ALL")) ||
	    slice_ieq(name, slice_str("ANY"))) {
		s->is_any = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(factory); i++) {
		if (!slice_eq_str(name, factory[i].name))
			continue;
		is_known = true;
		check(c, fw_services_add(&c->rules->arena, &s->object->services,
		                         factory[i].proto, factory[i].lo,
		                         factory[i].hi));
	}
	if (is_known)
		return;
	diag_add(c->dg, DIAG_WARN, name, _("This service is not in the text."));
	s->is_any = true;
	s->is_doubtful = true;
}

static struct svc *new_svc(struct ctx *c, const struct scope *sc,
                           struct slice name)
{
	struct svc *s = arena_alloc(&c->scratch, sizeof(*s));

	check(c, s);
	if (!s)
		return NULL;
	s->object = fw_object_add(c->rules, FW_OBJECT_SERVICES, dup(c, name));
	if (!s->object) {
		c->err = ENOMEM;
		return NULL;
	}
	s->object->table = sc->name;
	fw_dict_put(&c->svcs, sc->node, name, s);
	return s;
}

static struct svc *find_svc(struct ctx *c, const struct scope *sc,
                            struct slice name)
{
	const struct fw_forti_node *e;
	struct svc *s = fw_dict_get(&c->svcs, sc->node, name);

	if (s)
		return s;
	s = new_svc(c, sc, name);
	if (!s)
		return NULL;
	e = find_entry(c, sc, "firewall service custom", name);
	if (e && !slice_eq_str(name, "ALL"))
		read_service(c, s, e);
	else
		read_factory(c, s, name);
	return s;
}

/* ---- policies ---- */

struct policy {
	const struct scope *sc;
	const struct fw_forti_node *e;
	struct fw_rule *rule;
	bool is_any_service, is_doubtful, is_helper_off;
	size_t n_services;
	int64_t udp_s, tcp_s; /* lowest of its services so far */
};

static void doubt(struct ctx *c, struct fw_rule *r, struct slice why)
{
	if (!r->conditional)
		r->conditional = dup(c, why);
}

static void lower(int64_t *to, int64_t v)
{
	if (*to == FW_IDLE_UNSET || v < *to)
		*to = v;
}

/* The table of session-ttl by port, for one service. */
static int64_t table_ttl(const struct scope *sc, int proto, uint16_t lo,
                         uint16_t hi, int64_t fallback)
{
	int64_t ttl_s = FW_IDLE_UNSET;

	for (const struct port_ttl *p = sc->ttls; p; p = p->next) {
		if (p->proto != proto || p->hi < lo || p->lo > hi)
			continue;
		lower(&ttl_s, p->ttl_s);
		if (p->lo > lo || p->hi < hi)
			lower(&ttl_s, fallback);
	}
	return ttl_s == FW_IDLE_UNSET ? fallback : ttl_s;
}

/* KB 191228: for UDP the service's udp-idle-timer comes before its
 * session-ttl, that before the table by port, that before the box. */
static void take_idle(struct ctx *c, struct policy *p, const struct svc *s,
                      int proto, uint16_t lo, uint16_t hi)
{
	const bool is_udp = proto == FW_PROTO_UDP;
	int64_t v = is_udp ? c->udp_idle_s : p->sc->default_ttl_s;

	if (is_udp && s->udp_idle_s > 0)
		v = s->udp_idle_s;
	else if (s->ttl_s > 0)
		v = s->ttl_s;
	else
		v = table_ttl(p->sc, proto, lo, hi, v);
	lower(is_udp ? &p->udp_s : &p->tcp_s, v);
}

static void put_svc(struct ctx *c, struct policy *p, const struct svc *s)
{
	p->n_services++;
	p->is_any_service |= s->is_any;
	p->is_doubtful |= s->is_doubtful;
	p->is_helper_off &= s->is_helper_off;
	if (s->is_any) {
		take_idle(c, p, s, FW_PROTO_UDP, 0, FW_PORT_MAX);
		take_idle(c, p, s, FW_PROTO_TCP, 0, FW_PORT_MAX);
	}
	for (const struct fw_service *sv = s->object->services.first;
	     sv && !c->err; sv = sv->next) {
		struct fw_service *n;

		if (!budget(c, p->e)) {
			p->is_any_service = p->is_doubtful = true;
			return;
		}
		if (sv->proto == FW_PROTO_UDP || sv->proto == FW_PROTO_TCP)
			take_idle(c, p, s, sv->proto, sv->dport_lo,
			          sv->dport_hi);
		n = fw_services_add(&c->rules->arena, &p->rule->services,
		                    sv->proto, sv->dport_lo, sv->dport_hi);
		check(c, n);
		if (n) {
			n->sport_lo = sv->sport_lo;
			n->sport_hi = sv->sport_hi;
			n->name = s->object->name;
		}
	}
}

/* A service, or a group of them, which may hold groups. */
static void put_service_name(struct ctx *c, struct policy *p, struct slice name,
                             unsigned depth)
{
	const struct fw_forti_node *g =
		find_entry(c, p->sc, "firewall service group", name);
	const struct svc *s;

	if (g && depth < MAX_GROUP_DEPTH) {
		struct words w = words_of(g, "member");
		struct slice member;

		while (!c->err && word_next(&w, &member)) {
			if (!budget(c, p->e))
				return;
			put_service_name(c, p, member, depth + 1);
		}
		return;
	}
	s = find_svc(c, p->sc, name);
	if (s)
		put_svc(c, p, s);
}

static void read_services(struct ctx *c, struct policy *p)
{
	struct words w = words_of(p->e, "service");
	struct slice name;

	p->is_helper_off = true;
	while (!c->err && word_next(&w, &name))
		put_service_name(c, p, name, 0);
	p->is_helper_off &= p->n_services > 0;
	if (p->n_services == 0 || fw_forti_is(p->e, "service-negate", "enable"))
		doubt(c, p->rule, slice_str("service"));
	if (p->is_doubtful)
		doubt(c, p->rule, slice_str("service"));
	if (p->n_services == 0 || p->is_any_service ||
	    fw_forti_is(p->e, "service-negate", "enable"))
		p->rule->services = (struct fw_services){0};
}

/* One side of one family. @return 0 no value, 1 some, 2 all of them. */
static int read_side(struct ctx *c, struct policy *p, const char *name,
                     bool is6, struct fw_addrs *set)
{
	struct words w = words_of(p->e, name);
	struct slice word;
	int seen = 0;

	while (!c->err && word_next(&w, &word)) {
		const struct adr *a = find_adr(c, p->sc, word, is6, 0);

		if (!a)
			continue;
		if (seen == 0)
			seen = 1;
		if (a->is_all[is6])
			seen = 2;
		if (a->is_guess)
			doubt(c, p->rule,
			      slice_str("an object that is not in the text"));
		put_adr(c, set, a, p->e);
	}
	return seen;
}

static void add_family(struct ctx *c, struct fw_addrs *set, unsigned family)
{
	struct fw_ip lo, hi;

	fw_ip_family(&lo, &hi, family);
	check(c, fw_addrs_add_range(&c->rules->arena, set, lo, hi));
}

/* Since 6.4 one policy holds both families; a family needs both sides. */
static void read_addrs(struct ctx *c, struct policy *p, bool is_policy6)
{
	struct fw_addrs src[2] = {{0}}, dst[2] = {{0}};
	unsigned families = 0;
	int s[2] = {0}, d[2] = {0};
	bool any_src = true, any_dst = true;

	s[is_policy6] =
		read_side(c, p, "srcaddr", is_policy6, &src[is_policy6]);
	d[is_policy6] =
		read_side(c, p, "dstaddr", is_policy6, &dst[is_policy6]);
	if (!is_policy6) {
		s[1] = read_side(c, p, "srcaddr6", true, &src[1]);
		d[1] = read_side(c, p, "dstaddr6", true, &dst[1]);
	}
	for (int i = 0; i < 2; i++) {
		if (!s[i] || !d[i])
			continue;
		families |= i ? FW_IP6 : FW_IP4;
		any_src &= s[i] == 2;
		any_dst &= d[i] == 2;
	}
	for (int i = 0; i < 2 && !c->err; i++) {
		const unsigned family = i ? FW_IP6 : FW_IP4;

		if (!(families & family))
			continue;
		if (!any_src && s[i] == 2)
			add_family(c, &p->rule->src, family);
		else if (!any_src)
			c->err = fw_addrs_copy(&c->rules->arena, &p->rule->src,
			                       &src[i]);
		if (c->err)
			return;
		if (!any_dst && d[i] == 2)
			add_family(c, &p->rule->dst, family);
		else if (!any_dst)
			c->err = fw_addrs_copy(&c->rules->arena, &p->rule->dst,
			                       &dst[i]);
	}
	p->rule->families = families;
	p->rule->src.is_negated =
		!any_src && fw_forti_is(p->e, "srcaddr-negate", "enable");
	p->rule->dst.is_negated =
		!any_dst && fw_forti_is(p->e, "dstaddr-negate", "enable");
}

/* A zone is its name and its members: either may be asked for. */
static void add_zone(struct ctx *c, const struct scope *sc,
                     struct fw_zones *set, struct slice name,
                     const struct fw_forti_node *at)
{
	const struct fw_forti_node *e = find_entry(c, sc, "system zone", name);
	struct words w = words_of(e, "interface");
	struct slice member;

	check(c, fw_zones_add(&c->rules->arena, set, dup(c, name)));
	while (!c->err && word_next(&w, &member)) {
		if (!budget(c, at))
			return;
		check(c, fw_zones_add(&c->rules->arena, set, dup(c, member)));
	}
}

static void read_zones(struct ctx *c, struct policy *p, const char *name,
                       struct fw_zones *set)
{
	struct words w = words_of(p->e, name);
	struct slice word;

	while (!c->err && word_next(&w, &word)) {
		if (slice_eq_str(word, "any")) {
			*set = (struct fw_zones){0};
			return;
		}
		add_zone(c, p->sc, set, word, p->e);
	}
	if (!set->first)
		doubt(c, p->rule, slice_str(name));
	set->is_negated = set->first &&
	                  fw_forti_is(p->e,
	                              set == &p->rule->in ? "srcintf-negate"
	                                                  : "dstintf-negate",
	                              "enable");
}

/* What narrows a policy in ways that addresses and ports cannot say. */
static void read_doubts(struct ctx *c, struct policy *p)
{
	static const char *const names[] = {
		"groups",      "users",         "fsso-groups",
		"devices",     "ztna-status",   "internet-service-src-name",
		"application", "app-category",  "url-category",
		"rtp-nat",     "geoip-anycast",
	};
	static const char *const internet[] = {
		"internet-service",
		"internet-service6",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct fw_forti_node *n = fw_forti_value(p->e, names[i]);

		if (n && !fw_forti_is(p->e, names[i], "disable"))
			doubt(c, p->rule, n->raw);
	}
	for (size_t i = 0; i < ARRAY_LEN(internet); i++) {
		if (!fw_forti_is(p->e, internet[i], "enable"))
			continue;
		p->rule->dst = (struct fw_addrs){0};
		p->rule->services = (struct fw_services){0};
		p->rule->families = FW_IP4 | FW_IP6;
		doubt(c, p->rule, slice_str("internet-service"));
	}
}

static enum fw_tri profile_state(struct ctx *c, const struct scope *sc,
                                 struct slice name,
                                 const struct fw_forti_node **at)
{
	const struct fw_forti_node *e = find_entry(c, sc, "voip profile", name);
	const struct fw_forti_node *sip;

	if (!e)
		return FW_UNKNOWN;
	sip = fw_forti_config(&c->t, e, "sip");
	*at = fw_forti_value(sip, "status");
	return *at && fw_forti_is(sip, "status", "disable") ? FW_OFF : FW_ON;
}

static void read_sip(struct ctx *c, struct policy *p)
{
	const struct slice profile = fw_forti_word(p->e, "voip-profile");
	const struct fw_forti_node *at = NULL;
	struct fw_forti_sip in = {
		.version = c->version,
		.mode = p->sc->mode,
		.helper = c->helper,
		.profile = p->sc->default_profile,
		.has_profile = profile.n > 0,
		.is_helper_off = p->is_helper_off,
		.is_ngfw = p->sc->is_ngfw,
		.is_flow = !fw_forti_is(p->e, "inspection-mode", "proxy"),
	};
	struct fw_forti_sip_state st;

	if (in.has_profile)
		in.profile = profile_state(c, p->sc, profile, &at);
	st = fw_forti_sip_judge(&in);
	p->rule->attrs.alg = st.alg;
	p->rule->attrs.helper = st.by;
	if (in.has_profile && p->rule->attrs.alg != FW_OFF)
		p->rule->attrs.helper = dup(c, profile);
}

static int dscp_of(const struct fw_forti_node *e)
{
	const struct slice bits = fw_forti_word(e, "diffservcode-forward");
	int v = 0;

	if (!fw_forti_is(e, "diffserv-forward", "enable") || bits.n != 6)
		return FW_DSCP_UNSET;
	for (size_t i = 0; i < bits.n; i++) {
		if (bits.p[i] != '0' && bits.p[i] != '1')
			return FW_DSCP_UNSET;
		v = v * 2 + (bits.p[i] - '0');
	}
	return v;
}

static void read_attrs(struct ctx *c, struct policy *p)
{
	struct fw_attrs *at = &p->rule->attrs;
	const struct slice word = fw_forti_word(p->e, "session-ttl");
	int64_t ttl_s = number(word, 0);

	if (slice_eq_str(word, "never"))
		ttl_s = INT32_MAX;
	at->udp_idle_s = p->udp_s;
	at->tcp_idle_s = p->tcp_s;
	if (ttl_s > 0) {
		/* Which of the two wins for UDP is not documented when the
		 * service has its own timer: the lower one is sure. */
		if (at->udp_idle_s == c->udp_idle_s || ttl_s < at->udp_idle_s)
			at->udp_idle_s = ttl_s;
		at->tcp_idle_s = ttl_s;
	}
	at->dscp = dscp_of(p->e);
	at->offload = fw_forti_is(p->e, "auto-asic-offload", "disable") ? FW_OFF
	                                                                : FW_ON;
	if (fw_forti_is(p->e, "nat", "enable")) {
		p->rule->nat.kind = FW_NAT_SOURCE;
		if (fw_forti_is(p->e, "ippool", "enable"))
			p->rule->nat.to =
				dup(c, fw_forti_word(p->e, "poolname"));
	}
	read_sip(c, p);
}

static void read_action(struct ctx *c, struct policy *p)
{
	const struct slice action = fw_forti_word(p->e, "action");

	p->rule->action = FW_DROP;
	if (slice_eq_str(action, "accept"))
		p->rule->action = FW_ACCEPT;
	else if (slice_eq_str(action, "ipsec")) {
		p->rule->action = FW_ACCEPT;
		doubt(c, p->rule, action);
	} else if (fw_forti_is(p->e, "send-deny-packet", "enable"))
		p->rule->action = FW_REJECT;
	else if (action.n && !slice_eq_str(action, "deny"))
		doubt(c, p->rule, action);
}

static void read_policy(struct ctx *c, const struct scope *sc,
                        struct fw_chain *ch, const struct fw_forti_node *e,
                        bool is_policy6)
{
	const struct slice name = fw_forti_word(e, "name");
	const struct slice schedule = fw_forti_word(e, "schedule");
	struct policy p = {.sc = sc,
	                   .e = e,
	                   .udp_s = FW_IDLE_UNSET,
	                   .tcp_s = FW_IDLE_UNSET};

	p.rule = fw_rule_add(c->rules, ch);
	if (!p.rule) {
		c->err = ENOMEM;
		return;
	}
	p.rule->id = dup(c, e->key);
	if (slice_eq_str(e->key, "0")) {
		p.rule->id = arena_fmt(&c->rules->arena, "new-%u", ++c->n_new);
		if (!p.rule->id)
			c->err = ENOMEM;
	}
	p.rule->name = name.n ? dup(c, name) : NULL;
	p.rule->line = e->line;
	p.rule->raw = e->raw;
	p.rule->states = FW_STATE_NEW;
	p.rule->is_disabled = fw_forti_is(e, "status", "disable");
	if (schedule.n && !slice_eq_str(schedule, "always"))
		p.rule->schedule = dup(c, schedule);
	read_action(c, &p);
	read_zones(c, &p, "srcintf", &p.rule->in);
	read_zones(c, &p, "dstintf", &p.rule->out);
	read_services(c, &p);
	read_addrs(c, &p, is_policy6);
	read_doubts(c, &p);
	/* Such a policy matches nothing, and matching nothing is exact. */
	if (!p.rule->families)
		p.rule->is_disabled = true;
	if (p.rule->action == FW_ACCEPT)
		read_attrs(c, &p);
}

static void read_policies(struct ctx *c, const struct scope *sc,
                          struct fw_chain *ch)
{
	static const char *const paths[] = {"firewall policy",
	                                    "firewall policy6"};

	check(c, fw_return_rule_add(c->rules, ch));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct fw_forti_node *at =
			fw_forti_config(&c->t, sc->node, paths[i]);

		if (!at)
			continue;
		if (!ch->line) {
			ch->line = at->line;
			ch->raw = at->raw;
		}
		for (struct fw_forti_node *e =
		             fw_forti_next(at->first, FW_FORTI_EDIT);
		     e && !c->err; e = fw_forti_next(e->next, FW_FORTI_EDIT))
			read_policy(c, sc, ch, e, i == 1);
	}
}

/* ---- settings ---- */

static void read_ttls(struct ctx *c, struct scope *sc,
                      const struct fw_forti_node *ttl)
{
	struct fw_forti_node *ports = fw_forti_config(&c->t, ttl, "port");
	struct fw_forti_node *e;

	sc->default_ttl_s = number(fw_forti_word(ttl, "default"), TCP_IDLE_S);
	for (e = fw_forti_next(ports ? ports->first : NULL, FW_FORTI_EDIT);
	     e && !c->err; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		struct port_ttl *p = arena_alloc(&c->scratch, sizeof(*p));

		check(c, p);
		if (!p)
			return;
		p->proto = (int)number(fw_forti_word(e, "protocol"), 0);
		p->lo = (uint16_t)(number(fw_forti_word(e, "start-port"), 0) &
		                   FW_PORT_MAX);
		p->hi = (uint16_t)(number(fw_forti_word(e, "end-port"), p->lo) &
		                   FW_PORT_MAX);
		p->ttl_s = number(fw_forti_word(e, "timeout"), TCP_IDLE_S);
		p->next = sc->ttls;
		sc->ttls = p;
	}
}

/* Switches that are told but decide nothing. */
static void report_switches(struct ctx *c, const struct fw_forti_node *settings)
{
	static const struct {
		const char *name;
		const char *source;
	} rows[] = {
		{"sip-helper", "fortios-sip-helper-switch"},
		{"sip-expectation", "fortios-sip-expectation"},
		{"sip-nat-trace", "fortios-sip-nat-trace"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_forti_node *n =
			fw_forti_value(settings, rows[i].name);

		if (n)
			(void)add_setting(c, rows[i].name, rows[i].source, n);
	}
}

static void read_settings(struct ctx *c, struct scope *sc)
{
	const struct fw_forti_node *settings =
		fw_forti_config(&c->t, sc->node, "system settings");
	const struct fw_forti_node *mode =
		fw_forti_value(settings, "default-voip-alg-mode");
	const struct fw_forti_node *profile = NULL;
	enum fw_tri state = FW_ON;

	sc->is_ngfw = fw_forti_is(settings, "ngfw-mode", "policy-based");
	if (mode && fw_forti_is(settings, "default-voip-alg-mode",
	                        "kernel-helper-based")) {
		sc->mode = FW_FORTI_MODE_KERNEL;
		state = FW_OFF;
	} else if (mode) {
		sc->mode = FW_FORTI_MODE_PROXY;
	} else if (c->version < V_5_2) {
		state = c->version < 0 ? FW_UNKNOWN : FW_OFF;
	}
	add_alg_setting(c, "default-voip-alg-mode", "fortios-mode-default",
	                mode, state);
	report_switches(c, settings);
	sc->default_profile =
		profile_state(c, sc, slice_str("default"), &profile);
	/* The factory profile is there even when the text is silent. */
	if (sc->default_profile == FW_UNKNOWN)
		sc->default_profile = FW_ON;
	add_alg_setting(c, "voip-profile.default", "fortios-profile-default",
	                profile, sc->default_profile);
	read_ttls(c, sc,
	          fw_forti_config(&c->t, sc->node, "system session-ttl"));
}

/* The entry is found by its name: its number differs between versions. */
static void read_helpers(struct ctx *c)
{
	struct fw_forti_node *at =
		fw_forti_config(&c->t, c->global, "system session-helper");
	struct fw_forti_node *e;
	bool found = false;

	/* A table that only deletes says nothing of the rest of it. */
	c->helper = at && fw_forti_next(at->first, FW_FORTI_EDIT) ? FW_OFF
	                                                          : FW_UNKNOWN;
	for (e = fw_forti_next(at ? at->first : NULL, FW_FORTI_EDIT); e;
	     e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		if (!fw_forti_is(e, "name", "sip"))
			continue;
		found = true;
		c->helper = FW_ON;
		add_alg_setting(c, "session-helper.sip", "fortios-helper-sip",
		                e, FW_ON);
	}
	if (!found)
		add_alg_setting(c, "session-helper.sip", "fortios-helper-sip",
		                c->helper == FW_OFF ? at : NULL, c->helper);
}

static void read_global(struct ctx *c)
{
	const struct fw_forti_node *sys =
		fw_forti_config(&c->t, c->global, "system global");
	const struct fw_forti_node *n = fw_forti_value(sys, "udp-idle-timer");
	struct fw_setting *s;

	c->udp_idle_s =
		number(fw_forti_word(sys, "udp-idle-timer"), UDP_IDLE_S);
	s = add_setting(c, "udp-idle-timer", "fortios-udp-idle", n);
	if (s)
		s->attrs.udp_idle_s = c->udp_idle_s;
	c->rules->defaults.udp_idle_s = c->udp_idle_s;
	read_helpers(c);
}

/* #config-version=FGT61F-7.0.14-FW-build0601-240206:opmode=0:vdom=0 */
static void read_version(struct ctx *c, struct slice text)
{
	const struct slice mark = slice_str("#config-version=");
	const size_t at = slice_find(slice_sub(text, 0, 4096), mark);
	struct slice rest, part;

	c->version = -1;
	if (at == SIZE_MAX)
		return;
	rest = slice_sub(text, at + mark.n, 200);
	if (fw_part_next(&rest, '-', &part) &&
	    fw_part_next(&rest, '-', &part) && part.n < 16) {
		c->rules->version = dup(c, part);
		c->version = fw_version_num(c->rules->version);
	}
}

static void read_scope(struct ctx *c, struct fw_forti_node *node,
                       const char *name)
{
	struct scope *sc = arena_alloc(&c->scratch, sizeof(*sc));
	struct fw_chain *ch;

	check(c, sc);
	if (!sc)
		return;
	sc->node = node;
	sc->name = name;
	read_settings(c, sc);
	ch = fw_chain_add(c->rules, "policy");
	check(c, ch);
	if (!ch)
		return;
	ch->table = name;
	ch->policy = FW_DROP;
	ch->hook = FW_HOOK_FORWARD;
	read_policies(c, sc, ch);
}

static struct fw_forti_node *next_vdom(struct fw_forti_node *n)
{
	n = fw_forti_next(n, FW_FORTI_EDIT);
	while (n && !n->first)
		n = fw_forti_next(n->next, FW_FORTI_EDIT);
	return n;
}

/* Which interfaces belong to which VDOM: packets go to the chain of theirs. */
static void add_dispatch(struct ctx *c, struct fw_chain *top,
                         const struct fw_chain *vdom)
{
	struct fw_rule *r = fw_rule_add(c->rules, top);
	struct fw_forti_node *ifs =
		fw_forti_config(&c->t, c->global, "system interface");

	check(c, r);
	if (!r)
		return;
	r->id = vdom->table;
	r->action = FW_GOTO;
	r->target = vdom->name;
	for (struct fw_forti_node *e =
	             fw_forti_next(ifs ? ifs->first : NULL, FW_FORTI_EDIT);
	     e && !c->err; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		if (!budget(c, e))
			break;
		if (fw_forti_is(e, "vdom", vdom->table))
			check(c, fw_zones_add(&c->rules->arena, &r->in,
			                      dup(c, e->key)));
	}
	for (const struct fw_rule *p = vdom->first; p && !c->err; p = p->next) {
		for (const struct fw_zone *z = p->in.first; z; z = z->next)
			check(c,
			      fw_zones_add(&c->rules->arena, &r->in, z->name));
	}
	if (!r->in.first)
		doubt(c, r, slice_str("vdom"));
}

static void read_vdoms(struct ctx *c, struct fw_forti_node *list)
{
	struct fw_forti_node *n = next_vdom(list->first);
	struct fw_chain *top;

	if (!n)
		return;
	if (!next_vdom(n->next)) {
		read_scope(c, n, dup(c, n->key));
		return;
	}
	top = fw_chain_add(c->rules, "vdoms");
	check(c, top);
	if (!top)
		return;
	top->hook = FW_HOOK_FORWARD;
	top->policy = FW_DROP;
	for (; n && !c->err; n = next_vdom(n->next)) {
		struct fw_chain *ch;

		read_scope(c, n, dup(c, n->key));
		ch = c->rules->chains_last;
		if (c->err || ch == top)
			return;
		ch->hook = FW_HOOK_NONE;
		ch->name =
			arena_fmt(&c->rules->arena, "policy of %s", ch->table);
		check(c, ch->name);
		if (ch->name)
			add_dispatch(c, top, ch);
	}
}

static void read_all(struct ctx *c)
{
	struct fw_forti_node *vdoms;

	c->global = fw_forti_config(&c->t, c->t.root, "global");
	if (!c->global)
		c->global = c->t.root;
	read_global(c);
	vdoms = fw_forti_config(&c->t, c->t.root, "vdom");
	if (vdoms && next_vdom(vdoms->first))
		read_vdoms(c, vdoms);
	else
		read_scope(c, c->t.root, "");
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	struct ctx c = {.rules = out, .dg = dg};
	const size_t n_before = dg->n_errors;

	arena_init(&c.scratch);
	out->dialect = "fortios";
	out->text = text;
	if (fw_has_prefix(text, "\xff\xfe") || fw_has_prefix(text, "\xfe\xff"))
		diag_add_at(dg, DIAG_ERROR, 1, 1,
		            _("This text is UTF-16; save it as UTF-8."));
	if (fw_has_prefix(text, "\xef\xbb\xbf"))
		text = slice_sub(text, 3, SIZE_MAX);
	fw_dict_init(&c.adrs, &c.scratch, text);
	fw_dict_init(&c.svcs, &c.scratch, text);
	c.t = (struct fw_forti_tree){
		.arena = &c.scratch, .rules = out, .dg = dg};
	read_version(&c, text);
	fw_forti_read(&c.t, text);
	if (!c.t.no_memory && !c.err)
		read_all(&c);
	if (c.t.no_memory || c.adrs.no_memory || c.svcs.no_memory)
		c.err = ENOMEM;
	arena_fini(&c.scratch);
	if (c.err)
		return c.err;
	return dg->n_errors > n_before ? EBADMSG : 0;
}

static int recognise(struct slice text)
{
	struct rd rd = rd_init(slice_sub(text, 0, 1 << 16));
	struct slice line;
	int score = 0;

	while (rd_line(&rd, &line)) {
		line = slice_trim(line);
		if (fw_has_prefix(line, "#config-version="))
			return 100;
		if (fw_has_prefix(line, "config firewall ") ||
		    fw_has_prefix(line, "config system ") ||
		    fw_has_prefix(line, "config voip "))
			score = 90;
	}
	return score;
}

const struct fw_dialect fw_dialect_fortios = {
	.name = "fortios",
	.title = "Fortinet FortiOS",
	.file_ext = ".conf",
	.caps = FW_CAP_IP6 | FW_CAP_NAMES | FW_CAP_NEGATION | FW_CAP_ZONES |
                FW_CAP_SPORT | FW_CAP_STATES | FW_CAP_SCHEDULE | FW_CAP_REJECT |
                FW_CAP_DISABLED | FW_CAP_NAT | FW_CAP_ALG | FW_CAP_UDP_IDLE |
                FW_CAP_OFFLOAD | FW_CAP_DSCP | FW_CAP_COMMENT,
	.recognise = recognise,
	.parse = parse,
	.emit = fw_forti_emit,
	.patch = fw_forti_patch,
};
