/* SPDX-License-Identifier: ISC */
/*
 * Design: everything is written as `set` lines, which all versions take. A
 * rule becomes one line group per family, protocol, pair of interfaces and
 * kind of address list, as a rule here can name one list per side only.
 *
 * EdgeOS and VyOS up to 1.3 bind a rule set to one interface and direction,
 * so there is a set per interface where flows enter. It cannot ask where they
 * leave: rules that enter at one interface and differ in where they leave are
 * refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vyatta_write.h"

enum {
	MAX_PORTS = 14,
	MAX_EDGEOS_RULE = 9999,
	MAX_SETS = 8,
	STEP = 10,
	TCP_ESTABLISHED_S = 432000,
	/* of firewall@ in the footer */
	FIRST_IFACE_NAME = 12,
	FIRST_BARE_STATE = 13,
};

enum kind {
	KIND_ANY,
	KIND_HOSTS, /**< addresses and ranges */
	KIND_NETS,
	KIND_NAMES,
	KINDS,
};

struct line {
	const struct fw_rule *r;
	const char *in, *out;
	enum kind src, dst;
	unsigned group;
};

enum fw_vy_form fw_vy_form_of(const char *dialect, const char *version)
{
	const long v = fw_version_num(version);

	if (strcmp(dialect, "edgeos") == 0)
		return FW_VY_EDGEOS;
	if (v >= 0 && v < 1004000)
		return FW_VY_OLD;
	return v >= 1005000 ? FW_VY_LATER : FW_VY_1_4;
}

bool fw_vy_has_base(enum fw_vy_form form)
{
	return form == FW_VY_1_4 || form == FW_VY_LATER;
}

void fw_vy_refuse(struct fw_vy_emitter *e, const struct fw_rule *r,
                  const char *why)
{
	const struct slice all = {NULL, 0};

	diag_add(e->dg, DIAG_ERROR, all,
	         _("Rule %s cannot be written here: %s."), r->id, why);
	e->err = ENOTSUP;
}

/* ---- addresses ---- */

static enum kind kind_of(const struct fw_addr *a)
{
	const int bits =
		a->kind == FW_ADDR_RANGE ? fw_ip_prefix_len(a->lo, a->hi) : -1;

	if (a->kind == FW_ADDR_NAME)
		return KIND_NAMES;
	if (bits == 0)
		return KIND_ANY;
	return bits > 0 && fw_ip_cmp(a->lo, a->hi) != 0 ? KIND_NETS
	                                                : KIND_HOSTS;
}

static bool is_of(const struct fw_addr *a, bool is6)
{
	return a->kind == FW_ADDR_NAME || fw_ip_is4(a->lo) == !is6;
}

static bool has_kind(const struct fw_addrs *set, bool is6, enum kind k)
{
	if (!set->first)
		return k == KIND_ANY;
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_of(a, is6) && kind_of(a) == k)
			return true;
	}
	return false;
}

static const char *group_word(enum kind k, bool is6)
{
	static const char *const words[KINDS][2] = {
		[KIND_HOSTS] = {"address-group", "ipv6-address-group"},
		[KIND_NETS] = {"network-group", "ipv6-network-group"},
		[KIND_NAMES] = {"domain-group", "domain-group"},
	};

	return words[k][is6];
}

/* EdgeOS repeats the family in the member's name, and in the rule; the rules
 * of VyOS have one word for the groups of both. */
static const char *member_word(const struct fw_vy_emitter *e, enum kind k)
{
	if (k == KIND_NETS)
		return e->form == FW_VY_EDGEOS && e->is6 ? "ipv6-network"
		                                         : "network";
	return e->form == FW_VY_EDGEOS && e->is6 ? "ipv6-address" : "address";
}

static void put_group_name(struct wr *w, const struct fw_vy_emitter *e,
                           unsigned n, char side, enum kind k)
{
	wr_str(w, e->prefix);
	fw_dec_put(w, n);
	wr_u8(w, '-');
	wr_u8(w, (uint8_t)side);
	if (k == KIND_NETS || k == KIND_NAMES)
		wr_u8(w, k == KIND_NETS ? 'N' : 'F');
	if (e->is6)
		wr_u8(w, '6');
}

static void put_groups(struct fw_vy_emitter *e, const struct fw_addrs *set,
                       unsigned n, char side)
{
	for (enum kind k = KIND_HOSTS; k < KINDS; k++) {
		bool has = false;

		for (const struct fw_addr *a = set->first; a; a = a->next) {
			if (!is_of(a, e->is6) || kind_of(a) != k)
				continue;
			has = true;
			wr_str(e->out, "set firewall group ");
			wr_str(e->out, group_word(k, e->is6));
			wr_u8(e->out, ' ');
			put_group_name(e->out, e, n, side, k);
			wr_u8(e->out, ' ');
			wr_str(e->out, member_word(e, k));
			wr_u8(e->out, ' ');
			if (k == KIND_NAMES)
				fw_clean_put(e->out, a->name);
			else
				fw_ip_put(e->out, a->lo, a->hi);
			wr_str(e->out, "\n");
		}
		if (!has)
			continue;
		wr_fmt(e->undo, "delete firewall group %s ",
		       group_word(k, e->is6));
		put_group_name(e->undo, e, n, side, k);
		wr_str(e->undo, "\n");
	}
}

/* ---- rules ---- */

unsigned long fw_vy_number_of(const struct fw_rule *r)
{
	const char *at = strrchr(r->id, ' ');

	return strtoul(at ? at + 1 : r->id, NULL, 10);
}

bool fw_vy_is_used(const struct fw_chain *c, unsigned long number,
                   unsigned long freed)
{
	for (const struct fw_rule *r = c ? c->first : NULL; r; r = r->next) {
		if (fw_vy_number_of(r) == number && number < freed)
			return true;
	}
	return false;
}

static unsigned long next_number(struct fw_vy_emitter *e,
                                 const struct fw_rule *r)
{
	do {
		if (e->is_down)
			e->number--;
		else
			e->number += e->form == FW_VY_EDGEOS ? 1 : STEP;
	} while (e->number > 0 && fw_vy_is_used(e->used, e->number, e->freed));
	if (e->number == 0 || e->number > e->limit) {
		fw_vy_refuse(e, r, _("no rule number is free"));
		e->number = 1;
	}
	return e->number;
}

static bool is_all(uint16_t lo, uint16_t hi)
{
	return lo == 0 && hi == FW_PORT_MAX;
}

static bool is_like(const struct fw_service *a, const struct fw_service *b)
{
	return a->proto == b->proto && a->sport_lo == b->sport_lo &&
	       a->sport_hi == b->sport_hi &&
	       is_all(a->dport_lo, a->dport_hi) ==
	               is_all(b->dport_lo, b->dport_hi);
}

static void put_path(struct fw_vy_emitter *e, unsigned long number)
{
	wr_str(e->out, "set ");
	wr_str(e->out, e->path);
	wr_str(e->out, " rule ");
	fw_dec_put(e->out, number);
	wr_u8(e->out, ' ');
}

static void put_range(struct wr *w, uint16_t lo, uint16_t hi)
{
	fw_dec_put(w, lo);
	if (lo == hi)
		return;
	wr_u8(w, '-');
	fw_dec_put(w, hi);
}

/* @return the first service that did not fit, or NULL. */
static const struct fw_service *put_ports(struct fw_vy_emitter *e,
                                          const struct fw_service *s,
                                          unsigned long number)
{
	unsigned n = 0;

	if (s->proto != FW_PROTO_ANY) {
		put_path(e, number);
		if (s->proto == FW_PROTO_TCP || s->proto == FW_PROTO_UDP)
			wr_fmt(e->out, "protocol %s\n",
			       fw_proto_name(s->proto));
		else
			wr_fmt(e->out, "protocol %d\n", s->proto);
	}
	if (!is_all(s->sport_lo, s->sport_hi)) {
		put_path(e, number);
		wr_str(e->out, "source port ");
		put_range(e->out, s->sport_lo, s->sport_hi);
		wr_str(e->out, "\n");
	}
	if (is_all(s->dport_lo, s->dport_hi))
		return NULL;
	put_path(e, number);
	wr_str(e->out, "destination port ");
	for (const struct fw_service *t = s; t; t = t->next) {
		if (!is_like(s, t))
			continue;
		if (n >= MAX_PORTS) {
			wr_str(e->out, "\n");
			return t;
		}
		if (n)
			wr_str(e->out, ",");
		put_range(e->out, t->dport_lo, t->dport_hi);
		n += t->dport_lo == t->dport_hi ? 1 : 2;
	}
	wr_str(e->out, "\n");
	return NULL;
}

/* Words of 1.4 changed while it was being made. */
static bool has_words(const struct fw_vy_emitter *e, long first)
{
	return fw_vy_has_base(e->form) &&
	       (e->firewall == 0 || e->firewall >= first);
}

static void put_states(struct fw_vy_emitter *e, unsigned states,
                       unsigned long number)
{
	static const char *const names[] = {"new", "established", "related",
	                                    "invalid"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (states == FW_STATE_ALL || !(states & 1U << i))
			continue;
		put_path(e, number);
		wr_fmt(e->out, "state %s%s\n", names[i],
		       has_words(e, FIRST_BARE_STATE) ? "" : " enable");
	}
}

static void put_head(struct fw_vy_emitter *e, const struct line *l,
                     unsigned long number)
{
	static const char *const actions[] = {
		[FW_ACCEPT] = "accept",
		[FW_DROP] = "drop",
		[FW_REJECT] = "reject",
	};
	const struct fw_rule *r = l->r;

	put_path(e, number);
	wr_fmt(e->out, "action %s\n", actions[r->action]);
	put_path(e, number);
	wr_str(e->out, "description \"prumo: ");
	fw_clean_put(e->out, r->name ? r->name : r->id);
	wr_str(e->out, "\"\n");
	if (r->is_disabled) {
		put_path(e, number);
		wr_str(e->out, "disable\n");
	}
	put_states(e, r->states, number);
	for (int i = 0; i < 2; i++) {
		const char *iface = i ? l->out : l->in;
		const enum kind k = i ? l->dst : l->src;

		if (iface && fw_vy_has_base(e->form)) {
			put_path(e, number);
			wr_fmt(e->out, "%s-interface %sname ",
			       i ? "outbound" : "inbound",
			       has_words(e, FIRST_IFACE_NAME) ? ""
			                                      : "interface-");
			wr_str(e->out, iface);
			wr_u8(e->out, '\n');
		}
		if (k == KIND_ANY)
			continue;
		put_path(e, number);
		wr_str(e->out, i ? "destination group " : "source group ");
		wr_str(e->out,
		       group_word(k, e->is6 && e->form == FW_VY_EDGEOS));
		wr_u8(e->out, ' ');
		put_group_name(e->out, e, l->group, i ? 'D' : 'S', k);
		wr_str(e->out, "\n");
	}
}

static void put_lines(struct fw_vy_emitter *e, const struct line *l)
{
	const struct fw_service *s = l->r->services.first;

	if (!s) {
		const unsigned long number = next_number(e, l->r);

		put_head(e, l, number);
	}
	for (; s && !e->err; s = s->next) {
		const struct fw_service *t = l->r->services.first, *more = s;

		while (!is_like(t, s))
			t = t->next;
		if (t != s && !is_all(s->dport_lo, s->dport_hi))
			continue;
		while (more && !e->err) {
			const unsigned long number = next_number(e, l->r);

			put_head(e, l, number);
			more = put_ports(e, more, number);
		}
	}
}

static void put_kinds(struct fw_vy_emitter *e, struct line *l)
{
	for (enum kind s = KIND_ANY; s < KINDS; s++) {
		for (enum kind d = KIND_ANY; d < KINDS && !e->err; d++) {
			if (!has_kind(&l->r->src, e->is6, s) ||
			    !has_kind(&l->r->dst, e->is6, d))
				continue;
			l->src = s;
			l->dst = d;
			put_lines(e, l);
		}
	}
}

static bool has_half(const struct fw_rule *r, bool is6)
{
	bool src = false, dst = false;

	for (enum kind k = KIND_ANY; k < KINDS; k++) {
		src |= has_kind(&r->src, is6, k);
		dst |= has_kind(&r->dst, is6, k);
	}
	return src && dst && r->families & (is6 ? FW_IP6 : FW_IP4);
}

void fw_vy_put_rule(struct fw_vy_emitter *e, const struct fw_rule *r,
                    unsigned group)
{
	const struct fw_zone any = {.name = NULL};
	struct line l = {.r = r, .group = group};

	if (!has_half(r, e->is6))
		return;
	put_groups(e, &r->src, group, 'S');
	put_groups(e, &r->dst, group, 'D');
	if (!fw_vy_has_base(e->form)) {
		put_kinds(e, &l);
		return;
	}
	for (const struct fw_zone *in = r->in.first ? r->in.first : &any; in;
	     in = in->next) {
		for (const struct fw_zone *out = r->out.first ? r->out.first
		                                              : &any;
		     out; out = out->next) {
			l.in = in->name;
			l.out = out->name;
			put_kinds(e, &l);
		}
	}
}

/* ---- what can be said ---- */

static void check_zones(struct fw_vy_emitter *e, const struct fw_rule *r,
                        const struct fw_zones *set)
{
	for (const struct fw_zone *z = set->first; z; z = z->next) {
		if (z->is_unknown || !fw_name_is_word(z->name))
			fw_vy_refuse(e, r,
			             _("its interfaces are not plain names"));
		else if (z->next && !fw_vy_has_base(e->form))
			fw_vy_refuse(e, r, _("it names several interfaces"));
	}
}

static void check_addrs(struct fw_vy_emitter *e, const struct fw_rule *r,
                        const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN)
			fw_vy_refuse(e, r, _("an address of it is not known"));
		else if (a->kind == FW_ADDR_NAME && !fw_vy_has_base(e->form))
			fw_vy_refuse(
				e, r,
				_("this version has no rules for host names"));
	}
}

void fw_vy_check_rule(struct fw_vy_emitter *e, const struct fw_rule *r)
{
	const unsigned known = FW_STATE_NEW | FW_STATE_ESTABLISHED |
	                       FW_STATE_RELATED | FW_STATE_INVALID;

	if (r->action != FW_ACCEPT && r->action != FW_DROP &&
	    r->action != FW_REJECT)
		fw_vy_refuse(e, r, _("its action has no word"));
	if (r->states != FW_STATE_ALL && r->states & ~known)
		fw_vy_refuse(e, r, _("its connection states have no word"));
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (s->proto != FW_PROTO_TCP && s->proto != FW_PROTO_UDP &&
		    (!is_all(s->dport_lo, s->dport_hi) ||
		     !is_all(s->sport_lo, s->sport_hi)))
			fw_vy_refuse(e, r, _("ports need TCP or UDP"));
	}
	check_zones(e, r, &r->in);
	check_zones(e, r, &r->out);
	check_addrs(e, r, &r->src);
	check_addrs(e, r, &r->dst);
}

static const char *hook_word(enum fw_hook hook)
{
	if (hook == FW_HOOK_FORWARD)
		return "forward";
	if (hook == FW_HOOK_INPUT)
		return "input";
	return hook == FW_HOOK_OUTPUT ? "output" : NULL;
}

static void check_all(struct fw_vy_emitter *e, const struct fw_rules *rules)
{
	const struct slice all = {NULL, 0};

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (!hook_word(c->hook) || c->kind != FW_CHAIN_FILTER ||
		    (!fw_vy_has_base(e->form) && c->hook != FW_HOOK_FORWARD)) {
			diag_add(e->dg, DIAG_ERROR, all,
			         _("Chain %s cannot be written here."),
			         c->name);
			e->err = ENOTSUP;
		}
		for (const struct fw_rule *r = c->first; r; r = r->next)
			fw_vy_check_rule(e, r);
	}
}

/* ---- rule sets and their interfaces ---- */

struct binding {
	const char *iface;
	const char *other; /**< the one interface at the other end, or NULL */
	bool is_out;
};

struct bindings {
	struct binding v[MAX_SETS];
	size_t n;
};

static const char *zone_name(const struct fw_zones *set)
{
	return set->first ? set->first->name : NULL;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void bind_rule(struct fw_vy_emitter *e, struct bindings *b,
                      const struct fw_rule *r)
{
	const char *in = zone_name(&r->in), *out = zone_name(&r->out);
	const struct binding want = {in ? in : out, in ? out : NULL, !in};

	if (!want.iface)
		return;
	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i].is_out != want.is_out ||
		    strcmp(b->v[i].iface, want.iface) != 0)
			continue;
		if (!is_same(b->v[i].other, want.other))
			fw_vy_refuse(
				e, r,
				_("a rule set is bound to one interface, and "
			          "rules that enter there leave by several"));
		return;
	}
	if (b->n == MAX_SETS) {
		fw_vy_refuse(e, r, _("too many interfaces"));
		return;
	}
	b->v[b->n++] = want;
}

static void find_bindings(struct fw_vy_emitter *e, struct bindings *b,
                          const struct fw_chain *c)
{
	const struct slice all = {NULL, 0};

	for (const struct fw_rule *r = c->first; r; r = r->next)
		bind_rule(e, b, r);
	if (b->n || e->err)
		return;
	diag_add(e->dg, DIAG_ERROR, all,
	         _("Rules are bound to interfaces here: say which interface "
	           "the phones are at."));
	e->err = ENOTSUP;
}

static void put_iface(struct fw_vy_emitter *e, struct wr *w, const char *name)
{
	static const struct {
		const char *prefix, *kind;
	} rows[] = {
		{"eth", "ethernet"}, {"switch", "switch"}, {"bond", "bonding"},
		{"br", "bridge"},    {"wg", "wireguard"},  {"vtun", "openvpn"},
		{"tun", "tunnel"},   {"wlan", "wireless"},
	};
	const size_t n = strcspn(name, ".");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!fw_has_prefix(slice_str(name), rows[i].prefix))
			continue;
		wr_fmt(w, "interfaces %s %.*s", rows[i].kind, (int)n, name);
		if (name[n])
			wr_fmt(w, " vif %s", name + n + 1);
		return;
	}
	diag_add(e->dg, DIAG_ERROR, (struct slice){NULL, 0},
	         _("Interface %s is of no kind that rules can be bound to "
	           "here, such as eth1, switch0 or eth1.10."),
	         name);
	e->err = ENOTSUP;
}

static void put_sets(struct fw_vy_emitter *e, const struct fw_chain *c,
                     const struct bindings *b)
{
	char path[64];

	for (size_t i = 0; i < b->n && !e->err; i++) {
		const struct binding *at = &b->v[i];
		struct wr w = wr_init(path, sizeof(path));
		unsigned group = (unsigned)(i + 1) * 10000;

		wr_fmt(&w, "firewall %s PRUMO%s-%zu%c",
		       e->is6 ? "ipv6-name" : "name", e->is6 ? "6" : "", i + 1,
		       '\0');
		e->path = path;
		e->number = e->form == FW_VY_EDGEOS ? 99 : 0;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			const char *in = zone_name(&r->in);
			const char *out = zone_name(&r->out);

			group++;
			if (!(in || out) || (at->is_out == !in &&
			                     is_same(at->iface, in ? in : out)))
				fw_vy_put_rule(e, r, group);
		}
		wr_fmt(e->out, "set %s default-action %s\nset ", path,
		       c->policy == FW_DROP ? "drop" : "accept");
		put_iface(e, e->out, at->iface);
		wr_fmt(e->out, " firewall %s %s\n", at->is_out ? "out" : "in",
		       path + strlen("firewall "));
		wr_str(e->undo, "delete ");
		put_iface(e, e->undo, at->iface);
		wr_fmt(e->undo, " firewall %s %s\ndelete %s\n",
		       at->is_out ? "out" : "in", e->is6 ? "ipv6-name" : "name",
		       path);
	}
	e->path = NULL;
}

static void put_base(struct fw_vy_emitter *e, const struct fw_chain *c)
{
	const char *family = e->is6 ? "ipv6" : "ipv4";
	unsigned group = 0;
	char path[64];
	struct wr w = wr_init(path, sizeof(path));

	wr_fmt(&w, "firewall %s %s filter%c", family, hook_word(c->hook), '\0');
	e->path = path;
	e->number = 0;
	for (const struct fw_rule *r = c->first; r; r = r->next)
		fw_vy_put_rule(e, r, ++group);
	if (c->policy == FW_DROP)
		wr_str(e->out,
		       "# What no rule accepts is dropped. On a router with "
		       "rules of its own these\n"
		       "# numbers may be taken: there, use the patch of prumo "
		       "audit, which takes others.\n");
	wr_fmt(e->out, "set %s default-action %s\n", path,
	       c->policy == FW_DROP ? "drop" : "accept");
	wr_fmt(e->undo, "delete %s default-action\n", path);
	for (unsigned long n = STEP; n <= e->number; n += STEP)
		wr_fmt(e->undo, "delete %s rule %lu\n", path, n);
	e->path = NULL;
}

/* ---- the box ---- */

void fw_vy_put_alg(struct fw_vy_emitter *e)
{
	wr_fmt(e->out, "%s\n",
	       e->is_named ? "delete system conntrack modules sip"
	                   : "set system conntrack modules sip disable");
}

/* Nobody knows here whether it was on: that is not for everyone to paste. */
static void put_alg_back(struct fw_vy_emitter *e)
{
	wr_fmt(e->out,
	       "# The SIP ALG stays off; only if it was on before, and is to "
	       "be so again:\n"
	       "#     %s\n",
	       fw_vy_has_base(e->form)
	               ? "set system conntrack modules sip"
	               : "delete system conntrack modules sip disable");
}

void fw_vy_put_idle(struct fw_vy_emitter *e, const char *what, int64_t s)
{
	const char *place = e->form == FW_VY_LATER
	                            ? "firewall global-options timeout"
	                            : "system conntrack timeout";

	wr_fmt(e->out, "set %s %s %lld\n", place, what, (long long)s);
	wr_fmt(e->undo, "delete %s %s\n", place, what);
}

/* @return whether it turns the SIP ALG off */
static bool put_box(struct fw_vy_emitter *e, const struct fw_rules *rules)
{
	int64_t udp_s = 0, tcp_s = 0;
	bool has_alg = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			has_alg |= r->attrs.alg == FW_OFF;
			if (r->attrs.alg == FW_ON)
				fw_vy_refuse(e, r,
				             _("it wants the SIP ALG on"));
			if (r->attrs.udp_idle_s > udp_s)
				udp_s = r->attrs.udp_idle_s;
			if (r->attrs.tcp_idle_s > tcp_s)
				tcp_s = r->attrs.tcp_idle_s;
		}
	}
	if (has_alg)
		fw_vy_put_alg(e);
	if (udp_s > 0)
		fw_vy_put_idle(e, "udp stream", udp_s);
	if (tcp_s > TCP_ESTABLISHED_S)
		fw_vy_put_idle(e, "tcp established", tcp_s);
	return has_alg;
}

static void put_title(struct fw_vy_emitter *e)
{
	static const char *const titles[] = {
		[FW_VY_EDGEOS] = "# EdgeOS\n",
		[FW_VY_OLD] = "# VyOS 1.2 and 1.3\n"
			      "# vyos-config-version: \"conntrack@2\"\n",
		[FW_VY_1_4] = "# VyOS 1.4\n"
			      "# vyos-config-version: \"conntrack@3\"\n",
		[FW_VY_LATER] = "# VyOS 1.5\n"
				"# vyos-config-version: \"conntrack@5\"\n",
	};

	wr_str(e->out, titles[e->form]);
	wr_str(e->out, "configure\n");
}

static void put_undo(struct wr *out, struct slice undo)
{
	struct rd rd = rd_init(undo);
	struct slice line;

	wr_str(out, "\n# Undo:\n");
	while (rd_line(&rd, &line)) {
		wr_str(out, "#     ");
		wr_put(out, line);
		wr_str(out, "\n");
	}
}

int fw_vy_emit(struct wr *out, const struct fw_rules *rules,
               enum fw_vy_form form, struct diag *dg)
{
	struct wr undo = wr_init_heap();
	const size_t n_before = out->n;
	bool has_alg = false;
	struct fw_vy_emitter e = {
		.out = out,
		.undo = &undo,
		.dg = dg,
		.form = form,
		.is_named = fw_vy_has_base(form),
		.prefix = "PRUMO-",
		.limit = form == FW_VY_EDGEOS ? MAX_EDGEOS_RULE : 999999};

	if (rules->dialect && rules->text.n &&
	    strcmp(rules->dialect, form == FW_VY_EDGEOS ? "edgeos" : "vyos") ==
	            0) {
		wr_put(out, rules->text);
		return 0;
	}
	check_all(&e, rules);
	if (!e.err) {
		put_title(&e);
		has_alg = put_box(&e, rules);
	}
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		struct bindings b = {.n = 0};

		if (!e.err && !fw_vy_has_base(form))
			find_bindings(&e, &b, c);
		for (int i = 0; i < 2 && !e.err; i++) {
			e.is6 = i;
			if (!(c->families & (i ? FW_IP6 : FW_IP4)))
				continue;
			if (fw_vy_has_base(form))
				put_base(&e, c);
			else
				put_sets(&e, c, &b);
		}
	}
	wr_str(out, "commit\nsave\nexit\n"
	            "\n# Old connections keep the old treatment; forget those "
	            "to the provider, for\n"
	            "# each of its addresses:\n"
	            "#     sudo conntrack -D -d ADDRESS\n");
	put_undo(out, wr_slice(&undo));
	if (has_alg)
		put_alg_back(&e);
	if (e.err)
		out->n = n_before;
	out->bad |= undo.bad;
	wr_fini(&undo);
	return e.err;
}
