/* SPDX-License-Identifier: ISC */
/*
 * Design: how long FortiOS keeps an idle session depends on the port of each
 * packet, a policy holds many ports, and a rule of the model has one time. So
 * a policy has its time where that is the same for all of its packets. Where
 * it is not, rules that accept nothing and only set a time stand before it:
 * the table of session-ttl by port once for the whole list, and each service
 * with a time of its own once more where a policy uses it.
 *
 * Fortinet's KB 191228: for UDP the service's udp-idle-timer comes before its
 * session-ttl, that before the table by port, that before the box; the
 * policy's session-ttl is for all that it handles. Not documented is the
 * policy's against the service's udp-idle-timer: the lower one is sure. Nor
 * is which of two services of one policy counts that hold the same packet.
 */
#include <errno.h>

#include "base/i18n.h"
#include "firewall/fortios_read.h"

enum {
	TCP_IDLE_S = 3600,
	MAX_USED = 256, /* services of one policy that are told apart */
	MAX_TTLS = 512, /* Fortinet's table of maximum values */
};

static void lower(int64_t *to, int64_t v)
{
	if (*to == FW_IDLE_UNSET || v < *to)
		*to = v;
}

static void raise(int64_t *to, int64_t v)
{
	if (v > *to)
		*to = v;
}

void fw_forti_times_init(struct fw_forti_times *t)
{
	*t = (struct fw_forti_times){.udp_lo_s = FW_IDLE_UNSET,
	                             .udp_hi_s = FW_IDLE_UNSET,
	                             .own_s = FW_IDLE_UNSET,
	                             .tcp_s = FW_IDLE_UNSET};
}

static int64_t own_udp_s(const struct fw_forti_svc *s)
{
	if (s->udp_idle_s > 0)
		return s->udp_idle_s;
	return s->ttl_s > 0 ? s->ttl_s : FW_IDLE_UNSET;
}

/* The shortest and longest time that the table gives to some ports. */
static void take_table(const struct fw_forti_scope *sc, int proto,
                       const struct fw_service *sv, int64_t fallback,
                       int64_t *lo_s, int64_t *hi_s)
{
	bool is_whole = false;

	for (const struct fw_forti_port_ttl *p = sc->ttls; p; p = p->next) {
		if ((p->proto && p->proto != proto) || p->hi < sv->dport_lo ||
		    p->lo > sv->dport_hi)
			continue;
		lower(lo_s, p->ttl_s);
		raise(hi_s, p->ttl_s);
		/* Nothing is sent to port 0, which "any" counts in. */
		is_whole |= p->proto &&
		            p->lo <= (sv->dport_lo ? sv->dport_lo : 1) &&
		            p->hi >= sv->dport_hi;
	}
	if (!is_whole) {
		lower(lo_s, fallback);
		raise(hi_s, fallback);
	}
}

static void take(const struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                 struct fw_forti_times *t, const struct fw_forti_svc *s,
                 const struct fw_service *sv)
{
	const int64_t own_s = own_udp_s(s);
	int64_t unused = 0;

	if (sv->proto == FW_PROTO_TCP && s->ttl_s > 0) {
		lower(&t->tcp_s, s->ttl_s);
	} else if (sv->proto == FW_PROTO_TCP) {
		take_table(sc, FW_PROTO_TCP, sv, sc->default_ttl_s, &t->tcp_s,
		           &unused);
	} else if (sv->proto == FW_PROTO_UDP && own_s > 0) {
		lower(&t->own_s, own_s);
		lower(&t->udp_lo_s, own_s);
		raise(&t->udp_hi_s, own_s);
	} else if (sv->proto == FW_PROTO_UDP) {
		take_table(sc, FW_PROTO_UDP, sv, c->udp_idle_s, &t->udp_lo_s,
		           &t->udp_hi_s);
	}
}

void fw_forti_times_use(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                        struct fw_forti_times *t, const struct fw_forti_svc *s)
{
	struct fw_service any = {.dport_hi = FW_PORT_MAX};

	if (s->is_any) {
		any.proto = FW_PROTO_UDP;
		take(c, sc, t, s, &any);
		any.proto = FW_PROTO_TCP;
		take(c, sc, t, s, &any);
	}
	for (const struct fw_service *sv = s->object->services.first; sv;
	     sv = sv->next)
		take(c, sc, t, s, sv);
	if (t->n_used++ < MAX_USED) {
		struct fw_forti_used *u = arena_alloc(&c->scratch, sizeof(*u));

		fw_forti_check(c, u);
		if (!u)
			return;
		u->svc = s;
		u->next = t->used;
		t->used = u;
	}
}

static bool has_udp_meeting(const struct fw_forti_svc *s,
                            const struct fw_service *with)
{
	if (s->is_any)
		return true;
	for (const struct fw_service *sv = s->object->services.first; sv;
	     sv = sv->next) {
		if (sv->proto == FW_PROTO_UDP &&
		    sv->dport_lo <= with->dport_hi &&
		    with->dport_lo <= sv->dport_hi &&
		    sv->sport_lo <= with->sport_hi &&
		    with->sport_lo <= sv->sport_hi)
			return true;
	}
	return false;
}

/* Does no packet belong to two services of different times? */
static bool is_clear(const struct fw_forti_times *t)
{
	if (t->n_used > MAX_USED)
		return false;
	for (const struct fw_forti_used *u = t->used; u; u = u->next) {
		if (own_udp_s(u->svc) < 0)
			continue;
		for (const struct fw_forti_used *o = t->used; o; o = o->next) {
			const struct fw_service *sv =
				o->svc->object->services.first;

			if (own_udp_s(o->svc) == own_udp_s(u->svc))
				continue;
			if (o->svc->is_any)
				return false;
			for (; sv; sv = sv->next) {
				if (sv->proto == FW_PROTO_UDP &&
				    has_udp_meeting(u->svc, sv))
					return false;
			}
		}
	}
	return true;
}

/* What only sets a time, in front of the policy; its rule moves on by one. */
static struct fw_rule *note(struct fw_forti_ctx *c, struct fw_rule *policy,
                            const struct fw_forti_svc *s)
{
	struct fw_rule *moved = fw_rule_add(c->rules, policy->chain);

	if (!moved) {
		c->err = ENOMEM;
		return policy;
	}
	*moved = *policy;
	moved->next = NULL;
	policy->next = moved;
	policy->action = FW_CONTINUE;
	policy->services = s->object->services;
	if (s->is_any)
		policy->services = (struct fw_services){0};
	policy->nat = (struct fw_nat){.kind = FW_NAT_NONE};
	policy->attrs = fw_attrs_unset();
	policy->attrs.udp_idle_s = own_udp_s(s);
	policy->name = NULL;
	policy->id = arena_fmt(&c->rules->arena, "service %s", s->object->name);
	fw_forti_check(c, policy->id);
	if (!policy->id)
		policy->id = "";
	if (s->object->line) {
		policy->line = s->object->line;
		policy->raw = s->object->raw;
	}
	return moved;
}

void fw_forti_times_put(struct fw_forti_ctx *c, const struct fw_forti_times *t,
                        const struct fw_forti_node *e, struct fw_rule *policy)
{
	struct fw_attrs *at = &policy->attrs;
	const int64_t ttl_s =
		fw_forti_seconds(fw_forti_word(e, "session-ttl"), 0);

	at->tcp_idle_s = ttl_s > 0 ? ttl_s : t->tcp_s;
	at->udp_idle_s = t->udp_lo_s;
	if (ttl_s > 0) {
		at->udp_idle_s = ttl_s;
		if (t->own_s > 0)
			lower(&at->udp_idle_s, t->own_s);
		return;
	}
	if (t->udp_lo_s == t->udp_hi_s || !is_clear(t))
		return;
	for (const struct fw_forti_used *u = t->used; u && !c->err;
	     u = u->next) {
		if (own_udp_s(u->svc) < 0)
			continue;
		if (!fw_forti_budget(c, e))
			return;
		policy = note(c, policy, u->svc);
	}
	policy->attrs.udp_idle_s = FW_IDLE_UNSET;
}

/* Where entries meet, which one counts is not documented: the lowest of them
 * is the last, so that it is told. */
static void put_sorted(struct fw_forti_scope *sc, struct fw_forti_port_ttl *p)
{
	struct fw_forti_port_ttl **at = &sc->ttls;

	while (*at && (*at)->ttl_s > p->ttl_s)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static uint16_t port_of(const struct fw_forti_node *e, const char *name,
                        uint16_t fallback)
{
	const int64_t v = fw_forti_number(fw_forti_word(e, name), fallback);

	return v > FW_PORT_MAX ? FW_PORT_MAX : (uint16_t)v;
}

void fw_forti_times_read(struct fw_forti_ctx *c, struct fw_forti_scope *sc)
{
	const struct fw_forti_node *ttl =
		fw_forti_config(&c->t, sc->node, "system session-ttl");
	struct fw_forti_node *ports = fw_forti_config(&c->t, ttl, "port");
	struct fw_forti_node *e;
	size_t n = 0;

	sc->default_ttl_s =
		fw_forti_seconds(fw_forti_word(ttl, "default"), TCP_IDLE_S);
	for (e = fw_forti_next(ports ? ports->first : NULL, FW_FORTI_EDIT);
	     e && !c->err; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		struct fw_forti_port_ttl *p =
			arena_alloc(&c->scratch, sizeof(*p));

		fw_forti_check(c, p);
		if (!p)
			return;
		if (++n > MAX_TTLS) {
			diag_add(c->dg, DIAG_ERROR, e->raw,
			         _("More entries than a FortiGate holds; from "
			           "here on they are not known."));
			return;
		}
		p->at = e;
		p->proto =
			(int)fw_forti_number(fw_forti_word(e, "protocol"), 0);
		p->lo = port_of(e, "start-port", 0);
		p->hi = port_of(e, "end-port", p->lo);
		p->ttl_s = fw_forti_seconds(fw_forti_word(e, "timeout"),
		                            TCP_IDLE_S);
		put_sorted(sc, p);
	}
}

void fw_forti_times_table(struct fw_forti_ctx *c,
                          const struct fw_forti_scope *sc, struct fw_chain *ch)
{
	for (const struct fw_forti_port_ttl *p = sc->ttls; p && !c->err;
	     p = p->next) {
		struct fw_rule *r;

		if (p->proto != FW_PROTO_UDP && p->proto != 0)
			continue;
		r = fw_rule_add(c->rules, ch);
		fw_forti_check(c, r);
		if (!r)
			return;
		r->id = arena_fmt(&c->rules->arena, "session-ttl port %.*s",
		                  (int)p->at->key.n,
		                  (const char *)p->at->key.p);
		fw_forti_check(c, r->id);
		r->line = p->at->line;
		r->raw = p->at->raw;
		r->states = FW_STATE_NEW;
		r->attrs.udp_idle_s = p->ttl_s;
		/* Whether 0 is each protocol is not documented. */
		if (p->proto == 0)
			r->conditional = "set protocol 0";
		fw_forti_check(c,
		               fw_services_add(&c->rules->arena, &r->services,
		                               FW_PROTO_UDP, p->lo, p->hi));
	}
}

/* ---- schedules ---- */

/* The week that is on from midnight to midnight, or on no day. */
static enum fw_forti_when week_of(const struct fw_forti_node *e)
{
	static const char *const days[] = {"sunday",    "monday",   "tuesday",
	                                   "wednesday", "thursday", "friday",
	                                   "saturday"};
	struct fw_forti_words w = fw_forti_words_of(e, "day");
	const struct slice start = fw_forti_word(e, "start");
	const struct slice end = fw_forti_word(e, "end");
	unsigned seen = 0;
	struct slice day;

	while (fw_forti_word_next(&w, &day)) {
		if (slice_eq_str(day, "none"))
			return FW_FORTI_NEVER;
		for (unsigned i = 0; i < ARRAY_LEN(days); i++)
			seen |= slice_eq_str(day, days[i]) ? 1U << i : 0;
	}
	if (seen != (1U << ARRAY_LEN(days)) - 1 ||
	    (start.n && !slice_eq_str(start, "00:00")) ||
	    (end.n && !slice_eq_str(end, "00:00")))
		return FW_FORTI_SOMETIMES;
	return FW_FORTI_ALWAYS;
}

enum fw_forti_when fw_forti_schedule(struct fw_forti_ctx *c,
                                     const struct fw_forti_scope *sc,
                                     struct slice name)
{
	const struct fw_forti_node *e =
		fw_forti_find_entry(c, sc, "firewall schedule recurring", name);
	struct fw_forti_words w;
	struct slice member;

	if (e)
		return week_of(e);
	if (slice_eq_str(name, "always"))
		return FW_FORTI_ALWAYS;
	e = fw_forti_find_entry(c, sc, "firewall schedule group", name);
	w = fw_forti_words_of(e, "member");
	/* A group is on when one of its schedules is; it holds no groups. */
	while (fw_forti_word_next(&w, &member)) {
		e = fw_forti_find_entry(c, sc, "firewall schedule recurring",
		                        member);
		if (e ? week_of(e) == FW_FORTI_ALWAYS
		      : slice_eq_str(member, "always"))
			return FW_FORTI_ALWAYS;
	}
	return FW_FORTI_SOMETIMES;
}
