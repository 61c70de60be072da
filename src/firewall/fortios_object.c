/* SPDX-License-Identifier: ISC */
/*
 * Design: objects are read when a policy first names them, and remembered.
 * What a group holds is copied into it, within a budget for the whole text,
 * so that groups of groups cannot blow up. An object that is missing from
 * the text is never taken for "any" without a doubt.
 */
#include "firewall/fortios_read.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

enum {
	MAX_GROUP_DEPTH = 16,
	MAX_COPIES = 1 << 21,
};

struct fw_forti_words fw_forti_words_of(const struct fw_forti_node *entry,
                                        const char *name)
{
	struct fw_forti_words w = {.at = fw_forti_value(entry, name)};

	if (w.at) {
		w.name = w.at->key;
		w.rest = w.at->rest;
	}
	return w;
}

/* Values of the last set, then of what was appended to it. */
bool fw_forti_word_next(struct fw_forti_words *w, struct slice *word)
{
	while (w->at) {
		if (fw_word_next(&w->rest, word))
			return true;
		do
			w->at = w->at->next;
		while (w->at &&
		       (w->at->kind != FW_FORTI_APPEND || w->at->is_deleted ||
		        !slice_eq(w->at->key, w->name)));
		if (w->at)
			w->rest = w->at->rest;
	}
	return false;
}

const char *fw_forti_dup(struct fw_forti_ctx *c, struct slice s)
{
	const char *text = arena_dup(&c->rules->arena, s);

	if (!text)
		c->err = ENOMEM;
	return text ? text : "";
}

void fw_forti_check(struct fw_forti_ctx *c, const void *made)
{
	if (!made)
		c->err = ENOMEM;
}

int64_t fw_forti_number(struct slice word, int64_t fallback)
{
	uint64_t v;

	return text_u64(&v, word, INT32_MAX) ? fallback : (int64_t)v;
}

int64_t fw_forti_seconds(struct slice word, int64_t fallback)
{
	return slice_eq_str(word, "never") ? FW_IDLE_NEVER
	                                   : fw_forti_number(word, fallback);
}

/* ---- addresses ---- */

bool fw_forti_budget(struct fw_forti_ctx *c, const struct fw_forti_node *at)
{
	if (++c->n_copies <= MAX_COPIES)
		return true;
	if (c->n_copies == MAX_COPIES + 1)
		diag_add(c->dg, DIAG_ERROR, at->raw,
		         _("Groups hold too many members in all; from here on "
		           "they are not known."));
	return false;
}

static void add_unknown(struct fw_forti_ctx *c, struct fw_addrs *set,
                        const char *name)
{
	fw_forti_check(c, fw_addrs_add_name(&c->rules->arena, set,
	                                    FW_ADDR_UNKNOWN, name));
}

static void read_subnet(struct fw_forti_ctx *c, struct fw_forti_adr *a,
                        const struct fw_forti_node *e, const char *name)
{
	struct fw_forti_words w = fw_forti_words_of(e, name);
	struct slice ip, mask;
	struct fw_ip lo, hi;
	uint8_t text[2 * ADDR_TEXT_BYTES];
	struct wr whole = wr_init(text, sizeof(text));

	if (!fw_forti_word_next(&w, &ip)) {
		a->is_all[0] = true; /* 0.0.0.0/0 is what absence means */
		return;
	}
	wr_put(&whole, ip);
	if (fw_forti_word_next(&w, &mask)) {
		wr_u8(&whole, '/');
		wr_put(&whole, mask);
	}
	if (whole.bad || fw_ip_parse(&lo, &hi, wr_slice(&whole))) {
		diag_add(c->dg, DIAG_ERROR, w.at ? w.at->raw : ip,
		         _("Not an address with a mask."));
		add_unknown(c, &a->object->addrs, a->object->name);
		return;
	}
	a->is_all[0] = fw_ip_is4(lo) && fw_ip_prefix_len(lo, hi) == 0;
	if (!a->is_all[0])
		fw_forti_check(c,
		               fw_addrs_add_range(&c->rules->arena,
		                                  &a->object->addrs, lo, hi));
}

/* The network of an interface, unless somebody else gives it its address. */
static void read_interface(struct fw_forti_ctx *c,
                           const struct fw_forti_scope *sc,
                           struct fw_forti_adr *a,
                           const struct fw_forti_node *e)
{
	const struct slice name = fw_forti_word(e, "interface");
	const struct fw_forti_node *port = fw_forti_entry(
		&c->t, fw_forti_config(&c->t, c->global, "system interface"),
		name);
	struct slice mode;

	if (!port)
		port = fw_forti_find_entry(c, sc, "system interface", name);
	mode = fw_forti_word(port, "mode");
	if (!mode.n || slice_eq_str(mode, "static")) {
		const bool is_said = fw_forti_word(port, "ip").n > 0;

		if (is_said || fw_forti_word(e, "subnet").n) {
			read_subnet(c, a, is_said ? port : e,
			            is_said ? "ip" : "subnet");
			return;
		}
	}
	add_unknown(c, &a->object->addrs, a->object->name);
}

static void read_range(struct fw_forti_ctx *c, struct fw_forti_adr *a,
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
	fw_forti_check(c, fw_addrs_add_range(&c->rules->arena,
	                                     &a->object->addrs, lo, hi));
}

static void read_ip6(struct fw_forti_ctx *c, struct fw_forti_adr *a,
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
	fw_forti_check(c, fw_addrs_add_range(&c->rules->arena,
	                                     &a->object->addrs, lo, hi));
}

static void read_address(struct fw_forti_ctx *c,
                         const struct fw_forti_scope *sc,
                         struct fw_forti_adr *a, const struct fw_forti_node *e,
                         bool is6)
{
	const struct slice type = fw_forti_word(e, "type");

	a->object->line = e->line;
	a->object->raw = e->raw;
	a->why = fw_forti_doubt_of(c, FW_FORTI_ADDRESS, e);
	if (slice_eq_str(type, "fqdn"))
		fw_forti_check(
			c, fw_addrs_add_name(
				   &c->rules->arena, &a->object->addrs,
				   FW_ADDR_NAME,
				   fw_forti_dup(c, fw_forti_word(e, "fqdn"))));
	else if (slice_eq_str(type, "iprange"))
		read_range(c, a, e);
	else if (is6 && (type.n == 0 || slice_eq_str(type, "ipprefix")))
		read_ip6(c, a, e);
	else if (!is6 && (type.n == 0 || slice_eq_str(type, "ipmask") ||
	                  slice_eq_str(type, "subnet")))
		read_subnet(c, a, e, "subnet");
	else if (!is6 && slice_eq_str(type, "interface-subnet"))
		read_interface(c, sc, a, e);
	else
		add_unknown(c, &a->object->addrs, a->object->name);
}

/* Names like "192.0.2.1/32-Phone" are how people keep such objects apart; an
 * excerpt without its objects is read by them, and never surely. */
static void read_missing(struct fw_forti_ctx *c, struct fw_forti_adr *a,
                         struct slice name)
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
	fw_forti_check(c, fw_addrs_add_range(&c->rules->arena,
	                                     &a->object->addrs, lo, hi));
}

void fw_forti_put_adr(struct fw_forti_ctx *c, struct fw_addrs *to,
                      const struct fw_forti_adr *a,
                      const struct fw_forti_node *at)
{
	for (const struct fw_addr *ad = a->object->addrs.first; ad && !c->err;
	     ad = ad->next) {
		struct fw_addr *n;

		if (!fw_forti_budget(c, at)) {
			if (c->n_copies == MAX_COPIES + 1)
				add_unknown(c, to, a->object->name);
			return;
		}
		n = fw_addrs_add_name(&c->rules->arena, to, ad->kind, ad->name);
		fw_forti_check(c, n);
		if (n) {
			n->lo = ad->lo;
			n->hi = ad->hi;
		}
	}
}

static void read_group(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                       struct fw_forti_adr *a, const struct fw_forti_node *e,
                       bool is6, unsigned depth)
{
	struct fw_forti_words w = fw_forti_words_of(e, "member");
	struct slice name;

	a->object->line = e->line;
	a->object->raw = e->raw;
	a->why = fw_forti_doubt_of(c, FW_FORTI_ADDRGRP, e);
	while (!c->err && fw_forti_word_next(&w, &name)) {
		const struct fw_forti_adr *m =
			fw_forti_find_adr(c, sc, name, is6, depth + 1);

		if (!m || m->is_busy) {
			add_unknown(c, &a->object->addrs, a->object->name);
			continue;
		}
		a->is_all[0] |= m->is_all[0];
		a->is_all[1] |= m->is_all[1];
		a->is_guess |= m->is_guess;
		if (!a->why)
			a->why = m->why;
		fw_forti_put_adr(c, &a->object->addrs, m, e);
	}
	/* What is taken out again leaves none of it certain. */
	if (fw_forti_is(e, "exclude", "enable")) {
		a->is_all[0] = a->is_all[1] = false;
		a->object->addrs = (struct fw_addrs){0};
		add_unknown(c, &a->object->addrs, a->object->name);
	}
}

struct fw_forti_node *fw_forti_find_entry(const struct fw_forti_ctx *c,
                                          const struct fw_forti_scope *sc,
                                          const char *path, struct slice name)
{
	return fw_forti_entry(&c->t, fw_forti_config(&c->t, sc->node, path),
	                      name);
}

/* Objects are remembered by the name that they have at the end. */
static struct slice last_name(const struct fw_forti_ctx *c,
                              const struct fw_forti_scope *sc,
                              struct slice name, const char *const *paths,
                              size_t n)
{
	for (size_t i = 0; c->t.has_renamed && i < n; i++) {
		const struct fw_forti_node *e =
			fw_forti_find_entry(c, sc, paths[i], name);

		if (e)
			return e->key;
	}
	return name;
}

/* An address of either family, whatever kind of object it is. */
struct fw_forti_adr *fw_forti_find_adr(struct fw_forti_ctx *c,
                                       const struct fw_forti_scope *sc,
                                       struct slice name, bool is6,
                                       unsigned depth)
{
	static const char *const paths[2][2] = {
		{"firewall address", "firewall addrgrp"},
		{"firewall address6", "firewall addrgrp6"},
	};
	const void *key = is6 ? (const void *)&sc->name : sc->node;
	const struct fw_forti_node *e;
	struct fw_forti_adr *a;

	name = last_name(c, sc, name, paths[is6], 2);
	a = fw_dict_get(&c->adrs, key, name);
	if (a || depth > MAX_GROUP_DEPTH)
		return a;
	a = arena_alloc(&c->scratch, sizeof(*a));
	fw_forti_check(c, a);
	if (!a)
		return NULL;
	a->object =
		fw_object_add(c->rules, FW_OBJECT_ADDRS, fw_forti_dup(c, name));
	if (!a->object) {
		c->err = ENOMEM;
		return NULL;
	}
	a->object->table = sc->name;
	fw_dict_put(&c->adrs, key, name, a);
	a->is_busy = true;
	e = fw_forti_find_entry(c, sc, paths[is6][0], name);
	if (slice_eq_str(name, "all"))
		a->is_all[is6] = true;
	else if (e)
		read_address(c, sc, a, e, is6);
	else if ((e = fw_forti_find_entry(c, sc, paths[is6][1], name)) != NULL)
		read_group(c, sc, a, e, is6, depth);
	else if (!slice_eq_str(name, "none"))
		read_missing(c, a, name);
	a->is_busy = false;
	return a;
}

/* ---- services ---- */

/* dst[-dst][:src[-src]] */
static void read_portrange(struct fw_forti_ctx *c, struct fw_forti_svc *s,
                           int proto, struct slice text)
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
	fw_forti_check(c, sv);
	if (sv) {
		sv->sport_lo = slo;
		sv->sport_hi = shi;
		sv->name = s->object->name;
	}
}

static void add_proto(struct fw_forti_ctx *c, struct fw_forti_svc *s, int proto)
{
	fw_forti_check(c,
	               fw_services_add(&c->rules->arena, &s->object->services,
	                               proto, 0, FW_PORT_MAX));
}

static void read_ports(struct fw_forti_ctx *c, struct fw_forti_svc *s,
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
		struct fw_forti_words w = fw_forti_words_of(e, kinds[i].name);
		struct slice range;

		while (!c->err && fw_forti_word_next(&w, &range)) {
			if (range.n) /* '' is none */
				read_portrange(c, s, kinds[i].proto, range);
		}
	}
}

/* Keys that say more than ports: an address, or an application. */
static const struct fw_forti_node *narrowing(struct fw_forti_ctx *c,
                                             const struct fw_forti_node *e)
{
	static const char *const names[] = {"iprange", "fqdn",
	                                    "app-service-type"};
	const struct fw_forti_node *doubt =
		fw_forti_doubt_of(c, FW_FORTI_SERVICE, e);

	for (size_t i = 0; i < ARRAY_LEN(names) && !doubt; i++) {
		const struct fw_forti_node *n = fw_forti_value(e, names[i]);

		if (n && !fw_forti_is_unused(n->rest) &&
		    !slice_eq_str(n->rest, "0.0.0.0-255.255.255.255"))
			doubt = n;
	}
	return doubt;
}

static void read_service(struct fw_forti_ctx *c, struct fw_forti_svc *s,
                         const struct fw_forti_node *e)
{
	const struct slice proto = fw_forti_word(e, "protocol");
	const struct slice num = fw_forti_word(e, "protocol-number");

	s->object->line = e->line;
	s->object->raw = e->raw;
	s->is_helper_off = fw_forti_is(e, "helper", "disable");
	s->udp_idle_s = fw_forti_number(fw_forti_word(e, "udp-idle-timer"), 0);
	s->ttl_s = fw_forti_seconds(fw_forti_word(e, "session-ttl"), 0);
	if (s->udp_idle_s > 0)
		s->object->attrs.udp_idle_s = s->udp_idle_s;
	s->why = narrowing(c, e);
	s->is_doubtful = s->why != NULL;
	s->has_icmp_type = fw_has_prefix(proto, "ICMP") &&
	                   fw_forti_value(e, "icmptype") != NULL;
	if (slice_eq_str(proto, "ALL") ||
	    (slice_eq_str(proto, "IP") && fw_forti_number(num, 0) == 0))
		s->is_any = true;
	else if (slice_eq_str(proto, "IP"))
		add_proto(c, s, (int)(fw_forti_number(num, 0) & UINT8_MAX));
	else if (slice_eq_str(proto, "ICMP"))
		add_proto(c, s, 1);
	else if (slice_eq_str(proto, "ICMP6"))
		add_proto(c, s, 58);
	else
		read_ports(c, s, e);
}

/* Of the factory set, which FortiOS 5.2 to 7.4 share: a full backup holds
 * them, an excerpt does not. */
static const struct {
	const char *name;
	int proto;
	uint16_t lo, hi;
} factory[] = {
	{"ALL_TCP", 6, 1, 65535},   {"ALL_UDP", 17, 1, 65535},
	{"ALL_ICMP", 1, 0, 65535},  {"ALL_ICMP6", 58, 0, 65535},
	{"PING", 1, 0, 65535},      {"PING6", 58, 0, 65535},
	{"AH", 51, 0, 65535},       {"ESP", 50, 0, 65535},
	{"GRE", 47, 0, 65535},      {"OSPF", 89, 0, 65535},
	{"BGP", 6, 179, 179},       {"DCE-RPC", 6, 135, 135},
	{"DCE-RPC", 17, 135, 135},  {"DHCP", 17, 67, 68},
	{"DHCP6", 17, 546, 547},    {"DNS", 6, 53, 53},
	{"DNS", 17, 53, 53},        {"FTP", 6, 21, 21},
	{"FTP_GET", 6, 21, 21},     {"FTP_PUT", 6, 21, 21},
	{"H323", 6, 1720, 1720},    {"H323", 6, 1503, 1503},
	{"H323", 17, 1719, 1719},   {"HTTP", 6, 80, 80},
	{"HTTPS", 6, 443, 443},     {"IKE", 17, 500, 500},
	{"IKE", 17, 4500, 4500},    {"IMAP", 6, 143, 143},
	{"IMAPS", 6, 993, 993},     {"IRC", 6, 6660, 6669},
	{"KERBEROS", 6, 88, 88},    {"KERBEROS", 6, 464, 464},
	{"KERBEROS", 17, 88, 88},   {"KERBEROS", 17, 464, 464},
	{"L2TP", 6, 1701, 1701},    {"L2TP", 17, 1701, 1701},
	{"LDAP", 6, 389, 389},      {"LDAP_UDP", 17, 389, 389},
	{"MS-SQL", 6, 1433, 1434},  {"MYSQL", 6, 3306, 3306},
	{"NONE", 6, 0, 0},          {"NTP", 6, 123, 123},
	{"NTP", 17, 123, 123},      {"POP3", 6, 110, 110},
	{"POP3S", 6, 995, 995},     {"PPTP", 6, 1723, 1723},
	{"RADIUS", 17, 1812, 1813}, {"RDP", 6, 3389, 3389},
	{"RTSP", 6, 554, 554},      {"RTSP", 6, 7070, 7070},
	{"RTSP", 6, 8554, 8554},    {"RTSP", 17, 554, 554},
	{"SAMBA", 6, 139, 139},     {"SCCP", 6, 2000, 2000},
	{"SIP", 6, 5060, 5060},     {"SIP", 17, 5060, 5060},
	{"SMB", 6, 445, 445},       {"SMTP", 6, 25, 25},
	{"SMTPS", 6, 465, 465},     {"SNMP", 6, 161, 162},
	{"SNMP", 17, 161, 162},     {"SSH", 6, 22, 22},
	{"SYSLOG", 17, 514, 514},   {"TELNET", 6, 23, 23},
	{"TFTP", 17, 69, 69},       {"TRACEROUTE", 17, 33434, 33535},
	{"VNC", 6, 5900, 5900},
};

static void read_factory(struct fw_forti_ctx *c, struct fw_forti_svc *s,
                         struct slice name)
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
		fw_forti_check(c,
		               fw_services_add(&c->rules->arena,
		                               &s->object->services,
		                               factory[i].proto, factory[i].lo,
		                               factory[i].hi));
	}
	if (is_known)
		return;
	diag_add(c->dg, DIAG_WARN, name, _("This service is not in the text."));
	s->is_any = true;
	s->is_doubtful = true;
}

static struct fw_forti_svc *new_svc(struct fw_forti_ctx *c,
                                    const struct fw_forti_scope *sc,
                                    struct slice name)
{
	struct fw_forti_svc *s = arena_alloc(&c->scratch, sizeof(*s));

	fw_forti_check(c, s);
	if (!s)
		return NULL;
	s->object = fw_object_add(c->rules, FW_OBJECT_SERVICES,
	                          fw_forti_dup(c, name));
	if (!s->object) {
		c->err = ENOMEM;
		return NULL;
	}
	s->object->table = sc->name;
	fw_dict_put(&c->svcs, sc->node, name, s);
	return s;
}

struct fw_forti_svc *fw_forti_find_svc(struct fw_forti_ctx *c,
                                       const struct fw_forti_scope *sc,
                                       struct slice name)
{
	static const char *const path[] = {"firewall service custom"};
	const struct fw_forti_node *e;
	struct fw_forti_svc *s;

	name = last_name(c, sc, name, path, 1);
	s = fw_dict_get(&c->svcs, sc->node, name);
	if (s)
		return s;
	s = new_svc(c, sc, name);
	if (!s)
		return NULL;
	e = fw_forti_find_entry(c, sc, path[0], name);
	if (e && !slice_eq_str(name, "ALL"))
		read_service(c, s, e);
	else
		read_factory(c, s, name);
	return s;
}
