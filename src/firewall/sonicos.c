/* SPDX-License-Identifier: ISC */
/*
 * Design: both forms of a configuration end here. Rules are one list: pairs
 * of zones have an order each, by priority, and pairs do not compete. A rule
 * whose priority is not said among others that say it goes first and in
 * doubt, which is what not knowing its place means.
 *
 * An export of a box that shows no rule for everything else may have been
 * made without the rules from the factory, one of which opens LAN to WAN: so
 * the end of its list is in doubt, not closed. A script is what it says.
 *
 * SIP: what is written decides, and where SonicWall's documents do not settle
 * what a line means, the answer is unknown (vendor_facts.c names them).
 */
#include "firewall/sonicos.h"

#include <errno.h>
#include <stdlib.h>

enum {
	UDP_IDLE_S = 30,
	TCP_IDLE_S = 900,
	V_7 = 7000000,
	V_8 = 8000000,
};

void fw_sonic_init(struct fw_sonic *c, struct fw_rules *out, struct slice text,
                   struct diag *dg)
{
	*c = (struct fw_sonic){.rules = out, .dg = dg};
	arena_init(&c->scratch);
	fw_dict_init(&c->interfaces, &c->scratch, text);
	for (size_t i = 0; i < ARRAY_LEN(c->names); i++)
		c->names[i] = c->interfaces;
}

void fw_sonic_rule_init(struct fw_sonic_rule *r)
{
	*r = (struct fw_sonic_rule){.families = FW_IP4,
	                            .priority = -1,
	                            .udp_idle_s = FW_IDLE_UNSET,
	                            .tcp_idle_s = FW_IDLE_UNSET,
	                            .dscp = FW_DSCP_UNSET};
}

struct fw_sonic_rule *fw_sonic_rule_add(struct fw_sonic *c, unsigned line,
                                        struct slice raw)
{
	struct fw_sonic_rule *r = arena_alloc(&c->scratch, sizeof(*r));

	fw_sonic_check(c, r);
	if (!r)
		return NULL;
	fw_sonic_rule_init(r);
	r->line = line;
	r->raw = raw;
	if (c->last)
		c->last->next = r;
	else
		c->first = r;
	c->last = r;
	c->n_rules++;
	return r;
}

void fw_sonic_doubt(struct fw_sonic_rule *r, const char *why)
{
	if (!r->conditional)
		r->conditional = why;
}

/* ---- SIP and consistent NAT ---- */

struct verdict {
	enum fw_tri alg;
	const char *source;
};

static bool is_v7(const struct fw_sonic *c)
{
	const long v = fw_version_num(c->rules->version);

	return v >= V_7 && v < V_8;
}

static struct verdict judge_sip(const struct fw_sonic *c)
{
	const struct fw_sonic_voip *v = &c->voip;

	if (c->is_backup && !v->is_sip_seen)
		return (struct verdict){FW_UNKNOWN, "sonicos-exp-voip"};
	if (v->by_rule == FW_ON)
		return (struct verdict){FW_UNKNOWN, "sonicos-sip-by-rule"};
	if (v->is_odd)
		return (struct verdict){FW_UNKNOWN, "sonicos-sip-odd"};
	if (v->is_sip_seen && v->sip == FW_UNKNOWN)
		return (struct verdict){FW_UNKNOWN, "sonicos-sip-bare"};
	if (v->is_sip_seen)
		return (struct verdict){v->sip, v->is_sip_enable_said
		                                        ? "sonicos-sip-enable"
		                                        : "sonicos-sip-no"};
	/* A script says nothing of the box that it will run on. */
	if (!c->is_export)
		return (struct verdict){FW_UNKNOWN, "sonicos-sip-unseen"};
	if (is_v7(c))
		return (struct verdict){FW_OFF, "sonicos-sip-default"};
	return (struct verdict){FW_UNKNOWN, "sonicos-sip-release"};
}

static void set_place(struct fw_setting *s, bool is_seen, unsigned line,
                      struct slice raw)
{
	s->is_default = !is_seen;
	if (!is_seen)
		return;
	s->line = line;
	s->raw = raw;
}

static void read_nat(struct fw_sonic *c)
{
	const struct fw_sonic_voip *v = &c->voip;
	struct fw_setting *s = fw_setting_add(c->rules, "voip.consistent-nat");
	enum fw_tri nat = v->nat;

	fw_sonic_check(c, s);
	if (!s)
		return;
	set_place(s, nat != FW_UNSET, v->nat_line, v->nat_raw);
	s->source = "sonicos-nat";
	if (nat == FW_UNSET && c->is_export && !c->is_backup) {
		nat = FW_OFF;
		s->source = "sonicos-nat-default";
	} else if (nat == FW_UNSET) {
		nat = FW_UNKNOWN;
		s->source = c->is_backup ? "sonicos-exp-voip"
		                         : "sonicos-sip-unseen";
	}
	s->attrs.consistent_nat = c->rules->defaults.consistent_nat = nat;
}

void fw_sonic_read_voip(struct fw_sonic *c)
{
	const struct fw_sonic_voip *v = &c->voip;
	const struct verdict by = judge_sip(c);
	struct fw_setting *s = fw_setting_add(c->rules, "voip.sip");

	fw_sonic_check(c, s);
	if (!s)
		return;
	set_place(s, v->is_sip_seen, v->sip_line, v->sip_raw);
	s->attrs.alg = c->rules->defaults.alg = by.alg;
	s->source = by.source;
	read_nat(c);
	s = fw_setting_add(c->rules, "access-rule.udp-timeout");
	fw_sonic_check(c, s);
	if (!s)
		return;
	s->is_default = true;
	s->source = "sonicos-udp-default";
	s->attrs.udp_idle_s = c->rules->defaults.udp_idle_s = UDP_IDLE_S;
	s = fw_setting_add(c->rules, "access-rule.tcp-timeout");
	fw_sonic_check(c, s);
	if (!s)
		return;
	s->is_default = true;
	s->source = "sonicos-tcp-default";
	s->attrs.tcp_idle_s = c->rules->defaults.tcp_idle_s = TCP_IDLE_S;
}

enum fw_tri fw_sonic_rule_alg(const struct fw_sonic *c,
                              const struct fw_sonic_rule *r)
{
	const struct fw_sonic_voip *v = &c->voip;

	if (v->by_rule != FW_ON)
		return c->rules->defaults.alg;
	/* "Only when it is enabled on the rule": off there is off. */
	if (r->sip == FW_OFF)
		return FW_OFF;
	if (r->sip == FW_ON && v->is_sip_enable_said && v->sip == FW_ON)
		return FW_ON;
	return FW_UNKNOWN;
}

/* ---- rules ---- */

struct slot {
	const struct fw_sonic_rule *rule;
	int64_t key;
	size_t at;
	bool is_unplaced;
};

static int by_key(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static bool is_any_zone(struct slice name)
{
	return name.n == 0 || slice_ieq(name, slice_str("any"));
}

void fw_sonic_put_zone(struct fw_sonic *c, struct fw_zones *set,
                       struct slice name)
{
	if (!is_any_zone(name))
		fw_sonic_check(c, fw_zones_add(&c->rules->arena, set,
		                               fw_sonic_dup(c, name)));
}

static const char *id_of(struct fw_sonic *c, const struct fw_sonic_rule *from)
{
	const char *id;

	if (from->id.n)
		return fw_sonic_dup(c, from->id);
	if (from->name.n)
		return fw_sonic_dup(c, from->name);
	id = arena_fmt(&c->rules->arena, "line %u", from->line);
	fw_sonic_check(c, id);
	return id ? id : "";
}

static void put_attrs(struct fw_sonic *c, struct fw_rule *r,
                      const struct fw_sonic_rule *from)
{
	if (r->action != FW_ACCEPT)
		return;
	/* Said by the rule only where it is news: a doubtful rule would put
	 * what the box says of all in doubt. */
	r->attrs.alg = fw_sonic_rule_alg(c, from);
	if (r->attrs.alg == c->rules->defaults.alg &&
	    (r->conditional || r->attrs.alg == FW_OFF))
		r->attrs.alg = FW_UNSET;
	r->attrs.udp_idle_s = from->udp_idle_s;
	r->attrs.tcp_idle_s = from->tcp_idle_s;
	r->attrs.dscp = from->dscp;
}

/* It may accept, and it may drop. */
static void put_both(struct fw_sonic *c, struct fw_chain *to, struct fw_rule *r)
{
	struct fw_rule *other = fw_rule_add(c->rules, to);

	fw_sonic_check(c, other);
	if (!other)
		return;
	r->action = FW_ACCEPT;
	r->conditional = "its action is not said";
	*other = *r;
	other->next = NULL;
	other->action = FW_DROP;
}

static void put_rule(struct fw_sonic *c, struct fw_chain *to,
                     const struct slot *slot)
{
	const struct fw_sonic_rule *from = slot->rule;
	struct fw_rule *r = fw_rule_add(c->rules, to);

	fw_sonic_check(c, r);
	if (!r)
		return;
	r->id = id_of(c, from);
	r->name = from->name.n ? fw_sonic_dup(c, from->name) : NULL;
	r->line = from->line;
	r->raw = from->raw;
	r->families = from->families;
	r->is_disabled = from->is_disabled;
	r->conditional = from->conditional;
	r->action = from->action;
	/* A box that tracks connections asks its rules about new ones. */
	r->states = FW_STATE_NEW;
	if (from->schedule.n)
		r->schedule = fw_sonic_dup(c, from->schedule);
	if (slot->is_unplaced && !r->conditional)
		r->conditional = "its place in the order is not said";
	fw_sonic_put_zone(c, &r->in, from->from);
	fw_sonic_put_zone(c, &r->out, from->to);
	fw_sonic_put_addrs(c, &r->src, &from->src);
	fw_sonic_put_addrs(c, &r->dst, &from->dst);
	fw_sonic_put_services(c, r, &from->service);
	if (!from->has_action)
		put_both(c, to, r);
	put_attrs(c, r, from);
}

/* @return how many there are */
static size_t sort(struct fw_sonic *c, struct slot *slots)
{
	size_t n = 0, n_placed = 0;

	for (const struct fw_sonic_rule *r = c->first; r; r = r->next) {
		if (r->is_gone)
			continue;
		slots[n] = (struct slot){r, r->priority, n, false};
		n_placed += r->priority >= 0;
		n++;
	}
	if (n_placed == 0)
		return n;
	for (size_t i = 0; i < n; i++)
		slots[i].is_unplaced = slots[i].key < 0;
	qsort(slots, n, sizeof(*slots), by_key);
	return n;
}

static bool is_end(const struct fw_rule *r)
{
	return !fw_is_return_rule(r) && !r->src.first && !r->dst.first &&
	       !r->services.first && !r->conditional && !r->is_disabled &&
	       !r->schedule && r->families & FW_IP4;
}

/* Which pairs end in a rule for everything else is seen in the rules; the
 * other ones may end in one from the factory that the text leaves out. */
static void put_end(struct fw_sonic *c, struct fw_chain *to)
{
	struct fw_rule *r;

	if (!c->is_export || c->is_backup)
		return;
	for (r = to->first; r; r = r->next) {
		if (is_end(r) && !r->in.first && !r->out.first)
			return;
	}
	r = fw_rule_add(c->rules, to);
	fw_sonic_check(c, r);
	if (!r)
		return;
	r->id = "factory-rule";
	r->states = FW_STATE_NEW;
	r->action = FW_ACCEPT;
	r->conditional = "a rule from the factory that the text leaves out";
}

static void put_rules(struct fw_sonic *c)
{
	struct slot *slots =
		arena_alloc(&c->scratch, (c->n_rules + 1) * sizeof(*slots));
	struct fw_chain *to = fw_chain_add(c->rules, "access-rules");
	size_t n;

	fw_sonic_check(c, slots);
	fw_sonic_check(c, to);
	if (c->err)
		return;
	to->hook = FW_HOOK_FORWARD;
	to->policy = FW_DROP;
	fw_sonic_check(c, fw_return_rule_add(c->rules, to));
	/* The families have lists of their own; a text without one of them
	 * says nothing of it. */
	c->rules->families = FW_IP4 | (c->has_ip6 ? FW_IP6 : 0U);
	n = sort(c, slots);
	for (size_t i = 0; i < n && !c->err; i++)
		put_rule(c, to, &slots[i]);
	if (!c->err)
		put_end(c, to);
}

int fw_sonic_done(struct fw_sonic *c, size_t n_errors_before)
{
	if (!c->err)
		fw_sonic_read_voip(c);
	if (!c->err)
		put_rules(c);
	if (!c->err)
		fw_sonic_put_nats(c);
	for (size_t i = 0; i < ARRAY_LEN(c->names); i++) {
		if (c->names[i].no_memory)
			c->err = ENOMEM;
	}
	if (c->interfaces.no_memory)
		c->err = ENOMEM;
	arena_fini(&c->scratch);
	if (c->err)
		return c->err;
	return c->dg->n_errors > n_errors_before ? EBADMSG : 0;
}
