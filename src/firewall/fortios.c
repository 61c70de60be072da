/* SPDX-License-Identifier: ISC */
/*
 * Design: the tree (fortios_tree.c) is read scope by scope: one, or one per
 * VDOM. Each VDOM is a chain; when there are several, a first chain sends
 * packets to the one that owns the interface they came by.
 *
 * FortiOS tracks connections, so policies see new ones only, and the answers
 * pass by a rule that is built in.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/fortios_read.h"

enum {
	MAX_GROUP_DEPTH = 16,
};

/* ---- policies ---- */

struct policy {
	const struct fw_forti_scope *sc;
	const struct fw_forti_node *e;
	struct fw_rule *rule;
	bool is_any_service, is_doubtful, is_only_icmp_types, is_helper_off;
	size_t n_services;
	const struct fw_forti_node *why; /* is_doubtful: the line, or NULL */
	struct fw_forti_times times;
};

static void doubt(struct fw_forti_ctx *c, struct fw_rule *r, struct slice why)
{
	if (!r->conditional)
		r->conditional = fw_forti_dup(c, why);
}

static void put_svc(struct fw_forti_ctx *c, struct policy *p,
                    const struct fw_forti_svc *s)
{
	p->n_services++;
	p->is_any_service |= s->is_any;
	p->is_doubtful |= s->is_doubtful;
	if (!p->why)
		p->why = s->why;
	p->is_only_icmp_types &= s->has_icmp_type;
	p->is_helper_off &= s->is_helper_off;
	fw_forti_times_use(c, p->sc, &p->times, s);
	for (const struct fw_service *sv = s->object->services.first;
	     sv && !c->err; sv = sv->next) {
		struct fw_service *n;

		if (!fw_forti_budget(c, p->e)) {
			p->is_any_service = p->is_doubtful = true;
			return;
		}
		n = fw_services_add(&c->rules->arena, &p->rule->services,
		                    sv->proto, sv->dport_lo, sv->dport_hi);
		fw_forti_check(c, n);
		if (n) {
			n->sport_lo = sv->sport_lo;
			n->sport_hi = sv->sport_hi;
			n->name = s->object->name;
		}
	}
}

/* Told once, whatever the number of its policies. */
static void doubt_group(struct fw_forti_ctx *c, struct policy *p,
                        const struct fw_forti_node *g)
{
	struct fw_forti_group *seen =
		fw_dict_get(&c->groups, p->sc->node, g->key);

	if (!seen) {
		seen = arena_alloc(&c->scratch, sizeof(*seen));
		fw_forti_check(c, seen);
		if (!seen)
			return;
		seen->why = fw_forti_doubt_of(c, FW_FORTI_SERVICE_GROUP, g);
		fw_dict_put(&c->groups, p->sc->node, g->key, seen);
	}
	p->is_doubtful |= seen->why != NULL;
	if (!p->why)
		p->why = seen->why;
}

/* A service, or a group of them, which may hold groups. */
static void put_service_name(struct fw_forti_ctx *c, struct policy *p,
                             struct slice name, unsigned depth)
{
	const struct fw_forti_node *g =
		fw_forti_find_entry(c, p->sc, "firewall service group", name);
	const struct fw_forti_svc *s;

	if (g && depth < MAX_GROUP_DEPTH) {
		struct fw_forti_words w = fw_forti_words_of(g, "member");
		struct slice member;

		doubt_group(c, p, g);
		while (!c->err && fw_forti_word_next(&w, &member)) {
			if (!fw_forti_budget(c, p->e))
				return;
			put_service_name(c, p, member, depth + 1);
		}
		return;
	}
	s = fw_forti_find_svc(c, p->sc, name);
	if (s)
		put_svc(c, p, s);
}

static void read_services(struct fw_forti_ctx *c, struct policy *p)
{
	struct fw_forti_words w = fw_forti_words_of(p->e, "service");
	struct slice name;

	p->is_helper_off = p->is_only_icmp_types = true;
	while (!c->err && fw_forti_word_next(&w, &name))
		put_service_name(c, p, name, 0);
	p->is_helper_off &= p->n_services > 0;
	if (p->n_services == 0 || fw_forti_is(p->e, "service-negate", "enable"))
		doubt(c, p->rule, slice_str("service"));
	if (p->is_doubtful || p->is_only_icmp_types)
		doubt(c, p->rule, p->why ? p->why->raw : slice_str("service"));
	if (p->n_services == 0 || p->is_any_service ||
	    fw_forti_is(p->e, "service-negate", "enable"))
		p->rule->services = (struct fw_services){0};
}

/* One side of one family. @return 0 no value, 1 some, 2 all of them. */
static int read_side(struct fw_forti_ctx *c, struct policy *p, const char *name,
                     bool is6, struct fw_addrs *set)
{
	struct fw_forti_words w = fw_forti_words_of(p->e, name);
	struct slice word;
	int seen = 0;

	while (!c->err && fw_forti_word_next(&w, &word)) {
		const struct fw_forti_adr *a =
			fw_forti_find_adr(c, p->sc, word, is6, 0);

		if (!a)
			continue;
		if (seen == 0)
			seen = 1;
		if (a->is_all[is6])
			seen = 2;
		if (a->is_guess)
			doubt(c, p->rule,
			      slice_str("an object that is not in the text"));
		if (a->why)
			doubt(c, p->rule, a->why->raw);
		fw_forti_put_adr(c, set, a, p->e);
	}
	return seen;
}

static void add_family(struct fw_forti_ctx *c, struct fw_addrs *set,
                       unsigned family)
{
	struct fw_ip lo, hi;

	fw_ip_family(&lo, &hi, family);
	fw_forti_check(c, fw_addrs_add_range(&c->rules->arena, set, lo, hi));
}

/* Since 6.4 one policy holds both families; a family needs both sides. */
static void read_addrs(struct fw_forti_ctx *c, struct policy *p,
                       bool is_policy6)
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
	if (any_src && fw_forti_is(p->e, "srcaddr-negate", "enable"))
		doubt(c, p->rule, slice_str("srcaddr-negate"));
	if (any_dst && fw_forti_is(p->e, "dstaddr-negate", "enable"))
		doubt(c, p->rule, slice_str("dstaddr-negate"));
}

/* A zone is its name and its members: either may be asked for. */
static void add_zone(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                     struct fw_zones *set, struct slice name,
                     const struct fw_forti_node *at)
{
	const struct fw_forti_node *e =
		fw_forti_find_entry(c, sc, "system zone", name);
	struct fw_forti_words w = fw_forti_words_of(e, "interface");
	struct slice member;

	fw_forti_check(c, fw_zones_add(&c->rules->arena, set,
	                               fw_forti_dup(c, e ? e->key : name)));
	while (!c->err && fw_forti_word_next(&w, &member)) {
		if (!fw_forti_budget(c, at))
			return;
		fw_forti_check(c, fw_zones_add(&c->rules->arena, set,
		                               fw_forti_dup(c, member)));
	}
}

static void read_zones(struct fw_forti_ctx *c, struct policy *p,
                       const char *name, struct fw_zones *set)
{
	struct fw_forti_words w = fw_forti_words_of(p->e, name);
	struct slice word;
	size_t n = 0;

	for (; !c->err && fw_forti_word_next(&w, &word); n++) {
		if (slice_eq_str(word, "any")) {
			*set = (struct fw_zones){0};
			return;
		}
		add_zone(c, p->sc, set, word, p->e);
	}
	if (n == 1 && set->first && set->first->next)
		set->first->is_group = true;
	if (!set->first)
		doubt(c, p->rule, slice_str(name));
	set->is_negated = set->first &&
	                  fw_forti_is(p->e,
	                              set == &p->rule->in ? "srcintf-negate"
	                                                  : "dstintf-negate",
	                              "enable");
}

/* Policies that say whom they are for in the vendor's own tables, or in one
 * below them: that is why, whatever else they leave unsaid. */
static void doubt_tables(struct fw_forti_ctx *c, struct policy *p)
{
	static const struct {
		const char *name, *said_by;
	} rows[] = {
		{"identity-based", "groups"},
		{"internet-service", "internet-service-name"},
		{"internet-service6", "internet-service6-name"},
		{"internet-service-src", "internet-service-src-name"},
		{"internet-service6-src", "internet-service6-src-name"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_forti_node *n =
			fw_forti_value(p->e, rows[i].said_by);

		if (!fw_forti_is(p->e, rows[i].name, "enable"))
			continue;
		if (!n || fw_forti_is_unused(n->rest))
			n = fw_forti_value(p->e, rows[i].name);
		doubt(c, p->rule, n->raw);
	}
}

static void open_internet(struct policy *p)
{
	static const struct {
		const char *name;
		bool is_src;
	} rows[] = {
		{"internet-service", false},
		{"internet-service6", false},
		{"internet-service-src", true},
		{"internet-service6-src", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!fw_forti_is(p->e, rows[i].name, "enable"))
			continue;
		if (rows[i].is_src) {
			p->rule->src = (struct fw_addrs){0};
		} else {
			p->rule->dst = (struct fw_addrs){0};
			p->rule->services = (struct fw_services){0};
		}
		p->rule->families = FW_IP4 | FW_IP6;
	}
}

static void doubt_apps(struct fw_forti_ctx *c, struct policy *p)
{
	const struct fw_forti_node *n =
		fw_forti_value(p->e, "application-list");

	if (!n)
		n = fw_forti_value(p->e, "profile-group");
	doubt(c, p->rule, n ? n->raw : slice_str("application-list"));
}

/* What narrows a policy in ways that addresses and ports cannot say. */
static void read_doubts(struct fw_forti_ctx *c, struct policy *p)
{
	const struct fw_forti_node *n =
		fw_forti_doubt_of(c, FW_FORTI_POLICY, p->e);

	if (n)
		doubt(c, p->rule, n->raw);
	open_internet(p);
	if (p->rule->action == FW_ACCEPT && fw_forti_apps_block(c, p->sc, p->e))
		doubt_apps(c, p);
	if (p->rule->action == FW_ACCEPT && p->sc->decides_first)
		doubt(c, p->rule, slice_str(p->sc->decides_first));
}

static void read_sip(struct fw_forti_ctx *c, struct policy *p)
{
	bool is_missing;
	struct slice profile = fw_forti_profile_word(
		c, p->sc, p->e, "voip-profile", &is_missing);
	const struct fw_forti_node *at = NULL;
	struct fw_forti_sip in = {
		.version = c->version,
		.mode = p->sc->mode,
		.helper = c->helper,
		.profile = p->sc->default_profile,
		.is_helper_off = p->is_helper_off,
		.is_ngfw = p->sc->is_ngfw,
		.is_flow = !fw_forti_is(p->e, "inspection-mode", "proxy"),
	};
	struct fw_forti_sip_state st;

	/* Since 7.2 the profile of the IPS engine has a key of its own. */
	if (!profile.n)
		profile = fw_forti_profile_word(c, p->sc, p->e,
		                                "ips-voip-filter", &is_missing);
	in.has_profile = profile.n > 0;
	if (is_missing)
		in.profile = FW_UNKNOWN;
	else if (in.has_profile)
		in.profile = fw_forti_profile_state(c, p->sc, profile, &at);
	st = fw_forti_sip_judge(&in);
	p->rule->attrs.alg = st.alg;
	p->rule->attrs.helper = st.by;
	p->rule->attrs.alg_source = st.source;
	if (in.has_profile && p->rule->attrs.alg != FW_OFF)
		p->rule->attrs.helper = fw_forti_dup(c, profile);
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

static void read_attrs(struct fw_forti_ctx *c, struct policy *p)
{
	struct fw_attrs *at = &p->rule->attrs;

	at->dscp = dscp_of(p->e);
	at->offload = fw_forti_is(p->e, "auto-asic-offload", "disable") ? FW_OFF
	                                                                : FW_ON;
	if (fw_forti_is(p->e, "nat", "enable")) {
		p->rule->nat.kind = FW_NAT_SOURCE;
		if (fw_forti_is(p->e, "ippool", "enable"))
			p->rule->nat.to = fw_forti_dup(
				c, fw_forti_word(p->e, "poolname"));
	}
	read_sip(c, p);
}

static void read_action(struct fw_forti_ctx *c, struct policy *p)
{
	const struct slice action = fw_forti_word(p->e, "action");

	p->rule->action = FW_DROP;
	if (slice_eq_str(action, "accept"))
		p->rule->action = FW_ACCEPT;
	else if (slice_eq_str(action, "ipsec") ||
	         slice_eq_str(action, "learn")) {
		p->rule->action = FW_ACCEPT;
		doubt(c, p->rule, action);
	} else if (fw_forti_is(p->e, "send-deny-packet", "enable"))
		p->rule->action = FW_REJECT;
	else if (action.n && !slice_eq_str(action, "deny"))
		doubt(c, p->rule, action);
}

static void read_schedule(struct fw_forti_ctx *c, struct policy *p)
{
	const struct slice name = fw_forti_word(p->e, "schedule");
	const enum fw_forti_when when =
		name.n ? fw_forti_schedule(c, p->sc, name) : FW_FORTI_ALWAYS;

	if (when == FW_FORTI_NEVER)
		p->rule->is_disabled = true;
	else if (when == FW_FORTI_SOMETIMES)
		p->rule->schedule = fw_forti_dup(c, name);
}

static void read_policy(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                        struct fw_chain *ch, const struct fw_forti_node *e,
                        bool is_policy6)
{
	const struct slice name = fw_forti_word(e, "name");
	struct policy p = {.sc = sc, .e = e};

	fw_forti_times_init(&p.times);
	p.rule = fw_rule_add(c->rules, ch);
	if (!p.rule) {
		c->err = ENOMEM;
		return;
	}
	p.rule->id = fw_forti_dup(c, e->key);
	if (slice_eq_str(e->key, "0")) {
		p.rule->id = arena_fmt(&c->rules->arena, "new-%u", ++c->n_new);
		if (!p.rule->id)
			c->err = ENOMEM;
	}
	p.rule->name = name.n ? fw_forti_dup(c, name) : NULL;
	p.rule->line = e->line;
	p.rule->raw = e->raw;
	p.rule->states = FW_STATE_NEW;
	p.rule->is_disabled = fw_forti_is(e, "status", "disable");
	read_schedule(c, &p);
	read_action(c, &p);
	read_zones(c, &p, "srcintf", &p.rule->in);
	read_zones(c, &p, "dstintf", &p.rule->out);
	doubt_tables(c, &p);
	read_services(c, &p);
	read_addrs(c, &p, is_policy6);
	read_doubts(c, &p);
	/* Until 5.0 who is asked for by name is told in a table of its own. */
	if (fw_forti_is(e, "identity-based", "enable"))
		p.rule->families = FW_IP4 | FW_IP6;
	/* Such a policy matches nothing, and matching nothing is exact. */
	if (!p.rule->families)
		p.rule->is_disabled = true;
	if (p.rule->action != FW_ACCEPT)
		return;
	read_attrs(c, &p);
	fw_forti_times_put(c, &p.times, e, p.rule);
}

/* A box without policies says so with an empty list. A text without the list
 * is an excerpt, and what is let through is not known. */
static void add_unseen(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                       struct fw_chain *ch)
{
	static const struct fw_forti_node nothing = {.kind = FW_FORTI_EDIT};
	struct policy p = {.sc = sc, .e = &nothing};

	p.rule = fw_rule_add(c->rules, ch);
	fw_forti_check(c, p.rule);
	if (!p.rule)
		return;
	p.rule->id = "config firewall policy";
	p.rule->action = FW_ACCEPT;
	p.rule->states = FW_STATE_NEW;
	p.rule->families = FW_IP4 | FW_IP6;
	p.rule->conditional = p.rule->id;
	read_sip(c, &p);
}

static void read_policies(struct fw_forti_ctx *c,
                          const struct fw_forti_scope *sc, struct fw_chain *ch)
{
	static const char *const paths[] = {"firewall policy",
	                                    "firewall policy6"};

	fw_forti_check(c, fw_return_rule_add(c->rules, ch));
	fw_forti_times_table(c, sc, ch);
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
	if (!ch->line && !c->err)
		add_unseen(c, sc, ch);
}

/* ---- the text ---- */

/* #config-version=FGT61F-7.0.14-FW-build0601-240206:opmode=0:vdom=0 */
static void read_version(struct fw_forti_ctx *c, struct slice text)
{
	const struct slice mark = slice_str("#config-version=");
	const size_t at = slice_find(slice_sub(text, 0, 4096), mark);
	struct slice rest, part;

	c->version = -1;
	if (at == SIZE_MAX)
		return;
	rest = slice_sub(text, at + mark.n, 200);
	/* The model comes first. */
	if (!fw_part_next(&rest, '-', &part))
		return;
	if (fw_part_next(&rest, '-', &part) && part.n < 16) {
		c->rules->version = fw_forti_dup(c, part);
		c->version = fw_version_num(c->rules->version);
	}
}

static void read_scope(struct fw_forti_ctx *c, struct fw_forti_node *node,
                       const char *name)
{
	struct fw_forti_scope *sc = arena_alloc(&c->scratch, sizeof(*sc));
	struct fw_chain *ch;

	fw_forti_check(c, sc);
	if (!sc)
		return;
	sc->node = node;
	sc->name = name;
	fw_forti_read_settings(c, sc);
	fw_forti_warn_rates(c, sc);
	fw_forti_read_first(c, sc);
	ch = fw_chain_add(c->rules, "policy");
	fw_forti_check(c, ch);
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
static void add_dispatch(struct fw_forti_ctx *c, struct fw_chain *top,
                         const struct fw_chain *vdom)
{
	struct fw_rule *r = fw_rule_add(c->rules, top);
	struct fw_forti_node *ifs =
		fw_forti_config(&c->t, c->global, "system interface");

	fw_forti_check(c, r);
	if (!r)
		return;
	r->id = vdom->table;
	r->action = FW_GOTO;
	r->target = vdom->name;
	for (struct fw_forti_node *e =
	             fw_forti_next(ifs ? ifs->first : NULL, FW_FORTI_EDIT);
	     e && !c->err; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		if (!fw_forti_budget(c, e))
			break;
		if (fw_forti_is(e, "vdom", vdom->table))
			fw_forti_check(c,
			               fw_zones_add(&c->rules->arena, &r->in,
			                            fw_forti_dup(c, e->key)));
	}
	for (const struct fw_rule *p = vdom->first; p && !c->err; p = p->next) {
		for (const struct fw_zone *z = p->in.first; z; z = z->next)
			fw_forti_check(c, fw_zones_add(&c->rules->arena, &r->in,
			                               z->name));
	}
	if (!r->in.first)
		doubt(c, r, slice_str("vdom"));
}

static void read_vdoms(struct fw_forti_ctx *c, struct fw_forti_node *list)
{
	struct fw_forti_node *n = next_vdom(list->first);
	struct fw_chain *top;

	if (!n)
		return;
	if (!next_vdom(n->next)) {
		read_scope(c, n, fw_forti_dup(c, n->key));
		return;
	}
	top = fw_chain_add(c->rules, "vdoms");
	fw_forti_check(c, top);
	if (!top)
		return;
	top->hook = FW_HOOK_FORWARD;
	top->policy = FW_DROP;
	/* Answers belong to a session, wherever they enter. */
	fw_forti_check(c, fw_return_rule_add(c->rules, top));
	for (; n && !c->err; n = next_vdom(n->next)) {
		struct fw_chain *ch;

		read_scope(c, n, fw_forti_dup(c, n->key));
		ch = c->rules->chains_last;
		if (c->err || ch == top)
			return;
		ch->hook = FW_HOOK_NONE;
		ch->name =
			arena_fmt(&c->rules->arena, "policy of %s", ch->table);
		fw_forti_check(c, ch->name);
		if (ch->name)
			add_dispatch(c, top, ch);
	}
}

static void read_all(struct fw_forti_ctx *c)
{
	struct fw_forti_node *vdoms;

	c->global = fw_forti_config(&c->t, c->t.root, "global");
	if (!c->global)
		c->global = c->t.root;
	fw_forti_read_global(c);
	vdoms = fw_forti_config(&c->t, c->t.root, "vdom");
	if (vdoms && next_vdom(vdoms->first))
		read_vdoms(c, vdoms);
	else
		read_scope(c, c->t.root, "");
	fw_rules_note_names(c->rules);
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	struct fw_forti_ctx c = {.rules = out, .dg = dg};
	const size_t n_before = dg->n_errors;

	arena_init(&c.scratch);
	out->dialect = "fortios";
	out->text = text;
	if (fw_has_prefix(text, "\xff\xfe") || fw_has_prefix(text, "\xfe\xff"))
		diag_add_at(dg, DIAG_ERROR, 1, 1,
		            _("This text is UTF-16; save it as UTF-8."));
	if (fw_has_prefix(text, "\xef\xbb\xbf"))
		text = slice_sub(text, 3, SIZE_MAX);
	c.t = (struct fw_forti_tree){
		.arena = &c.scratch, .rules = out, .dg = dg};
	read_version(&c, text);
	fw_forti_read(&c.t, text);
	fw_dict_init_like(&c.adrs, &c.t.dict);
	fw_dict_init_like(&c.svcs, &c.t.dict);
	fw_dict_init_like(&c.apps, &c.t.dict);
	fw_dict_init_like(&c.groups, &c.t.dict);
	if (!c.t.no_memory && !c.err)
		read_all(&c);
	if (c.t.no_memory || c.adrs.no_memory || c.svcs.no_memory ||
	    c.apps.no_memory || c.groups.no_memory)
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
                FW_CAP_OFFLOAD | FW_CAP_DSCP | FW_CAP_COMMENT |
                FW_CAP_RULE_IDLE | FW_CAP_RULE_OFFLOAD,
	.recognise = recognise,
	.parse = parse,
	.emit = fw_forti_emit,
	.patch = fw_forti_patch,
};
