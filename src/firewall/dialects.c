/* SPDX-License-Identifier: ISC */
/*
 * Design: the table of dialects, and what all of them share: fw_emit() adds
 * up what the rules need and compares it with what the dialect can say, so no
 * emitter has to remember to refuse.
 */
#include "firewall/dialect.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

extern const struct fw_dialect fw_dialect_edgeos;
extern const struct fw_dialect fw_dialect_fortios;
extern const struct fw_dialect fw_dialect_routeros;
extern const struct fw_dialect fw_dialect_sonicos;
extern const struct fw_dialect fw_dialect_sonicos_exp;
extern const struct fw_dialect fw_dialect_iptables;
extern const struct fw_dialect fw_dialect_nftables;
extern const struct fw_dialect fw_dialect_arris;
extern const struct fw_dialect fw_dialect_barracuda;
extern const struct fw_dialect fw_dialect_dlink;
extern const struct fw_dialect fw_dialect_linksys;
extern const struct fw_dialect fw_dialect_netgear;
extern const struct fw_dialect fw_dialect_tplink;
extern const struct fw_dialect fw_dialect_vyos;
extern const struct fw_dialect fw_dialect_windows;

const struct fw_dialect *const fw_dialects[] = {
	&fw_dialect_fortios,     &fw_dialect_routeros,
	&fw_dialect_edgeos,      &fw_dialect_vyos,
	&fw_dialect_windows,     &fw_dialect_arris,
	&fw_dialect_barracuda,   &fw_dialect_dlink,
	&fw_dialect_linksys,     &fw_dialect_netgear,
	&fw_dialect_tplink,      &fw_dialect_iptables,
	&fw_dialect_nftables,    &fw_dialect_sonicos,
	&fw_dialect_sonicos_exp, NULL,
};

unsigned fw_dialect_caps(const struct fw_dialect *d,
                         const struct fw_rules *rules)
{
	return d->caps & ~(d->lacks ? d->lacks(rules) : 0U);
}

const struct fw_dialect *fw_dialect_find(const char *name)
{
	for (size_t i = 0; fw_dialects[i]; i++) {
		if (strcmp(fw_dialects[i]->name, name) == 0)
			return fw_dialects[i];
	}
	return NULL;
}

const struct fw_dialect *fw_dialect_recognise(struct slice text)
{
	const struct fw_dialect *best = NULL;
	int score = 0;

	for (size_t i = 0; fw_dialects[i]; i++) {
		const struct fw_dialect *d = fw_dialects[i];
		const int s = d->recognise ? d->recognise(text) : 0;

		if (s > score) {
			score = s;
			best = d;
		}
	}
	return best;
}

static unsigned addrs_caps(const struct fw_addrs *set)
{
	unsigned caps = set->is_negated ? FW_CAP_NEGATION : 0U;

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (a->kind != FW_ADDR_RANGE)
			caps |= FW_CAP_NAMES;
		else if (!fw_ip_is4(a->lo))
			caps |= FW_CAP_IP6;
	}
	return caps;
}

static unsigned attrs_caps(const struct fw_attrs *at)
{
	unsigned caps = 0;

	if (at->alg != FW_UNSET)
		caps |= FW_CAP_ALG;
	if (at->udp_idle_s > 0 || at->tcp_idle_s > 0)
		caps |= FW_CAP_UDP_IDLE;
	if (at->offload != FW_UNSET)
		caps |= FW_CAP_OFFLOAD;
	if (at->dscp != FW_DSCP_UNSET)
		caps |= FW_CAP_DSCP;
	return caps;
}

static unsigned rule_caps(const struct fw_rule *r)
{
	unsigned caps = addrs_caps(&r->src) | addrs_caps(&r->dst) |
	                attrs_caps(&r->attrs);

	if (r->in.first || r->out.first)
		caps |= FW_CAP_ZONES;
	if (r->in.is_negated || r->out.is_negated)
		caps |= FW_CAP_NEGATION;
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (s->sport_lo > 0 || s->sport_hi < FW_PORT_MAX)
			caps |= FW_CAP_SPORT;
	}
	if (r->states != FW_STATE_ALL)
		caps |= FW_CAP_STATES;
	if (r->schedule)
		caps |= FW_CAP_SCHEDULE;
	if (r->action == FW_JUMP || r->action == FW_GOTO ||
	    r->action == FW_RETURN)
		caps |= FW_CAP_CHAINS;
	if (r->action == FW_REJECT)
		caps |= FW_CAP_REJECT;
	if (r->is_disabled)
		caps |= FW_CAP_DISABLED;
	if (r->nat.kind != FW_NAT_NONE)
		caps |= FW_CAP_NAT;
	return caps;
}

unsigned fw_rules_caps(const struct fw_rules *rules)
{
	unsigned caps = 0;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next)
			caps |= rule_caps(r);
	}
	return caps;
}

static const struct {
	unsigned cap;
	const char *what;
} words[] = {
	{FW_CAP_IP6, N_("IPv6 addresses")},
	{FW_CAP_NAMES, N_("host names as addresses")},
	{FW_CAP_NEGATION, N_("matches with \"not\"")},
	{FW_CAP_ZONES, N_("interfaces or zones")},
	{FW_CAP_SPORT, N_("source ports")},
	{FW_CAP_STATES, N_("connection states")},
	{FW_CAP_SCHEDULE, N_("schedules")},
	{FW_CAP_CHAINS, N_("chains that call each other")},
	{FW_CAP_REJECT, N_("refusal with an answer (reject)")},
	{FW_CAP_DISABLED, N_("rules that are switched off")},
	{FW_CAP_NAT, N_("address translation")},
	{FW_CAP_ALG, N_("switching the SIP ALG")},
	{FW_CAP_UDP_IDLE, N_("session times")},
	{FW_CAP_OFFLOAD, N_("offload to hardware")},
	{FW_CAP_DSCP, N_("DSCP marks")},
};

static void refuse(struct diag *dg, const struct fw_dialect *d,
                   const struct fw_rule *r, const char *what)
{
	const struct slice all = {NULL, 0};

	diag_add(dg, DIAG_ERROR, all, _("%s cannot say this: %s (rule %s)."),
	         d->title, what, r->name ? r->name : r->id);
}

/* @param others  What other versions can say. */
static void refuse_caps(struct diag *dg, const struct fw_dialect *d,
                        const struct fw_rule *r, unsigned missing,
                        unsigned others)
{
	const struct slice all = {NULL, 0};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!(missing & words[i].cap))
			continue;
		if (others & words[i].cap)
			diag_add(dg, DIAG_ERROR, all,
			         _("This version of %s cannot say this: %s "
			           "(rule %s)."),
			         d->title, _(words[i].what),
			         r->name ? r->name : r->id);
		else
			refuse(dg, d, r, _(words[i].what));
	}
}

static unsigned families_of(const struct fw_addrs *set)
{
	unsigned families = 0;

	if (!set->first || set->is_negated)
		return FW_IP4 | FW_IP6;
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (a->kind != FW_ADDR_RANGE)
			return FW_IP4 | FW_IP6;
		families |= fw_ip_is4(a->lo) ? FW_IP4 : FW_IP6;
	}
	return families;
}

static void check_names(struct diag *dg, const struct fw_dialect *d,
                        const struct fw_rule *r)
{
	bool is_ok = fw_name_is_clean(r->target) &&
	             fw_name_is_clean(r->schedule) &&
	             fw_name_is_clean(r->nat.to);

	for (const struct fw_zone *z = r->in.first; z; z = z->next)
		is_ok &= fw_name_is_clean(z->name);
	for (const struct fw_zone *z = r->out.first; z; z = z->next)
		is_ok &= fw_name_is_clean(z->name);
	for (const struct fw_addr *a = r->dst.first; a; a = a->next)
		is_ok &= fw_name_is_clean(a->name);
	if (!is_ok)
		refuse(dg, d, r, _("a name with quotation marks"));
	if (!fw_hosts_are_plain(&r->src) || !fw_hosts_are_plain(&r->dst))
		refuse(dg, d, r, _("a host name that is none"));
}

int fw_emit(struct wr *out, const struct fw_dialect *d,
            const struct fw_rules *rules, struct diag *dg)
{
	const size_t n_before = dg->n_errors;
	const bool is_own =
		rules->dialect && strcmp(rules->dialect, d->name) == 0;
	const unsigned caps = fw_dialect_caps(d, rules);
	int err;

	if (!d->emit)
		return ENOTSUP;
	for (const struct fw_chain *c = rules->chains; c && !is_own;
	     c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			refuse_caps(dg, d, r, rule_caps(r) & ~caps, d->caps);
			if (r->conditional)
				refuse(dg, d, r, r->conditional);
			check_names(dg, d, r);
			if (!(families_of(&r->src) & families_of(&r->dst)))
				refuse(dg, d, r,
				       _("its two ends are of different "
				         "families"));
		}
	}
	if (dg->n_errors > n_before)
		return ENOTSUP;
	err = d->emit(out, rules, dg);
	return !err && out->bad ? ENOMEM : err;
}

static int copy_addrs(struct arena *a, struct fw_addrs *to,
                      const struct fw_addrs *from)
{
	for (const struct fw_addr *ad = from->first; ad; ad = ad->next) {
		struct fw_addr *n;

		n = fw_addrs_add_name(a, to, ad->kind, ad->name);
		if (!n)
			return ENOMEM;
		n->lo = ad->lo;
		n->hi = ad->hi;
	}
	to->is_negated = from->is_negated;
	return 0;
}

static int copy_services(struct arena *a, struct fw_services *to,
                         const struct fw_services *from)
{
	for (const struct fw_service *s = from->first; s; s = s->next) {
		struct fw_service *n = fw_services_add(
			a, to, s->proto, s->dport_lo, s->dport_hi);

		if (!n)
			return ENOMEM;
		n->sport_lo = s->sport_lo;
		n->sport_hi = s->sport_hi;
		n->name = s->name;
	}
	return 0;
}

static bool has_proto(const struct fw_services *set, int proto)
{
	for (const struct fw_service *s = set->first; s; s = s->next) {
		if (s->proto == proto)
			return true;
	}
	return false;
}

int fw_rule_set_place(struct arena *a, struct fw_rule *r,
                      const struct fw_place *place)
{
	if (place->path == FW_PATH_FORWARD && place->in &&
	    !fw_zones_add(a, &r->in, place->in))
		return ENOMEM;
	if (place->out && !fw_zones_add(a, &r->out, place->out))
		return ENOMEM;
	return copy_addrs(a, &r->src, &place->src);
}

static int add_flow(struct fw_rules *out, struct fw_chain *c,
                    const struct fw_flow *f, const struct fw_place *place)
{
	struct fw_rule *r = fw_rule_add(out, c);
	int err;

	if (!r)
		return ENOMEM;
	r->id = f->id;
	r->name = f->title ? f->title : f->id;
	r->states = FW_STATE_NEW;
	r->action = FW_ACCEPT;
	if (has_proto(&f->services, FW_PROTO_UDP))
		r->attrs.udp_idle_s = f->min_udp_idle_s;
	if (has_proto(&f->services, FW_PROTO_TCP))
		r->attrs.tcp_idle_s = f->min_tcp_idle_s;
	err = fw_rule_set_place(&out->arena, r, place);
	if (!err)
		err = copy_addrs(&out->arena, &r->dst, &f->dst);
	if (!err)
		err = copy_services(&out->arena, &r->services, &f->services);
	if (!err && f->is_sip)
		r->attrs.alg = FW_OFF;
	return err;
}

int fw_rules_from_flows(struct fw_rules *out, const struct fw_flow *flows,
                        size_t n, const struct fw_place *place)
{
	const bool is_router = place->path == FW_PATH_FORWARD;
	struct fw_chain *c =
		fw_chain_add(out, is_router ? "forward" : "output");
	struct fw_rule *back;
	int err = 0;

	if (!c)
		return ENOMEM;
	c->hook = is_router ? FW_HOOK_FORWARD : FW_HOOK_OUTPUT;
	c->policy = FW_DROP;
	back = fw_rule_add(out, c);
	if (!back)
		return ENOMEM;
	back->id = "return-traffic";
	back->name = back->id;
	back->states = FW_STATE_ESTABLISHED | FW_STATE_RELATED;
	back->action = FW_ACCEPT;
	for (size_t i = 0; i < n && !err; i++) {
		err = add_flow(out, c, &flows[i], place);
		if (!err)
			err = copy_addrs(&out->arena, &out->peers,
			                 &flows[i].dst);
	}
	return err;
}

static int add_inbound(struct fw_rules *rules, struct fw_chain *c,
                       const struct fw_flow *f, const struct fw_place *place)
{
	struct arena *a = &rules->arena;
	struct fw_rule *r = fw_rule_add(rules, c);
	int err;

	if (!r)
		return ENOMEM;
	r->id = arena_fmt(a, "%s-in", f->id);
	r->name = arena_fmt(a, "%s, inbound", f->title ? f->title : f->id);
	if (!r->id || !r->name)
		return ENOMEM;
	r->states = FW_STATE_NEW;
	r->action = FW_ACCEPT;
	if (place->out && !fw_zones_add(a, &r->in, place->out))
		return ENOMEM;
	if (place->path == FW_PATH_FORWARD && place->in &&
	    !fw_zones_add(a, &r->out, place->in))
		return ENOMEM;
	err = copy_addrs(a, &r->src, &f->dst);
	if (!err)
		err = copy_addrs(a, &r->dst, &place->src);
	if (!err)
		err = copy_services(a, &r->services, &f->services);
	if (!err && f->is_sip)
		r->attrs.alg = FW_OFF;
	return err;
}

int fw_rules_add_inbound(struct fw_rules *rules, const struct fw_flow *flows,
                         size_t n, const struct fw_place *place)
{
	struct fw_chain *c = rules->chains_last;
	int err = 0;

	if (place->path == FW_PATH_OUTPUT) {
		c = fw_chain_add(rules, "input");
		if (!c)
			return ENOMEM;
		c->hook = FW_HOOK_INPUT;
		c->policy = FW_DROP;
		if (!fw_return_rule_add(rules, c))
			return ENOMEM;
	}
	rules->is_inbound = true;
	for (size_t i = 0; i < n && !err; i++)
		err = add_inbound(rules, c, &flows[i], place);
	return err;
}
