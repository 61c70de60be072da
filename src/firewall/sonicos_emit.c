/* SPDX-License-Identifier: ISC */
/*
 * Design: what is written is a script for the command line: objects, a group
 * for each end and each set of services, then access rules, at the top of
 * their list, where nothing stands in their way. A name is made of what it
 * names, so that a script may be run twice; what is too long for a box is cut
 * and gets a number of its bytes.
 *
 * SIP transformations are turned off and consistent NAT on, whatever a recipe
 * says: SonicWall asks for transformations "unless there is another NAT
 * traversal solution that requires this feature to be turned off", and a
 * provider that wants no ALG is that. TCP keeps the 15 min of the box: one of
 * SonicWall's documents counts `tcp timeout` in minutes, another in seconds.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/sonicos.h"
#include "firewall/sonicos_write.h"

enum {
	MAX_NAME = 31,
	TCP_IDLE_S = 900,
	V_6_5 = 6005000,
	V_7 = 7000000,
};

void fw_sonic_refuse(struct fw_sonic_emitter *e, const struct fw_rule *r,
                     const char *why)
{
	const struct slice all = {NULL, 0};

	diag_add(e->dg, DIAG_ERROR, all, _("SonicOS cannot say rule %s: %s"),
	         r->id, why);
	e->err = ENOTSUP;
}

static void quote(struct wr *w, const char *text)
{
	wr_u8(w, '"');
	wr_str(w, text);
	wr_u8(w, '"');
}

/* As "%u": a profile's worth of rules is mostly numbers. */
static void put_num(struct wr *w, uint64_t v)
{
	uint8_t digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v);
	wr_put(w, (struct slice){digits + n, sizeof(digits) - n});
}

/* ---- names ---- */

static uint32_t sum(struct slice s)
{
	uint32_t h = UINT32_C(0x811c9dc5);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT32_C(0x01000193);
	return h;
}

/* What @p w holds, within what an old box takes. */
static const char *short_name(struct fw_sonic_emitter *e, struct wr *w)
{
	const struct slice s = wr_slice(w);
	const char *name;

	if (!w->bad && s.n <= MAX_NAME)
		name = arena_dup(e->arena, s);
	else
		name = arena_fmt(e->arena, "%.*s~%08x", MAX_NAME - 9,
		                 (const char *)s.p, (unsigned)sum(s));
	if (!name)
		e->err = ENOMEM;
	return name ? name : "";
}

static const char *addr_name(struct fw_sonic_emitter *e,
                             const struct fw_addr *a)
{
	char buf[320];
	struct wr w = wr_init(buf, sizeof(buf));

	if (e->named == a)
		return e->name;
	wr_fmt(&w, "%s-", e->mark);
	if (a->kind == FW_ADDR_NAME)
		fw_clean_put(&w, a->name);
	else
		fw_ip_put(&w, a->lo, a->hi);
	for (size_t i = 0; i < w.n; i++) {
		if (buf[i] == '/')
			buf[i] = '-';
	}
	e->named = a;
	e->name = short_name(e, &w);
	return e->name;
}

static const char *service_name(struct fw_sonic_emitter *e,
                                const struct fw_service *s)
{
	char buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	if (e->named == s)
		return e->name;
	wr_fmt(&w, "%s-%s-", e->mark, s->proto == FW_PROTO_TCP ? "tcp" : "udp");
	put_num(&w, s->dport_lo);
	if (s->dport_hi != s->dport_lo) {
		wr_u8(&w, '-');
		put_num(&w, s->dport_hi);
	}
	e->named = s;
	e->name = short_name(e, &w);
	return e->name;
}

static const char *group_name(struct fw_sonic_emitter *e,
                              const struct fw_rule *r, const char *what)
{
	char buf[320];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_fmt(&w, "%s-%s-", e->mark, what);
	fw_clean_put(&w, r->id);
	return short_name(e, &w);
}

/* @return whether it is there already; another thing of its name is refused */
static bool is_there(struct fw_sonic_emitter *e, const struct fw_rule *r,
                     const char *scope, const char *name, struct slice of)
{
	const struct slice key = slice_str(name);
	const struct slice *old = fw_dict_get(&e->seen, scope, key);
	struct slice *made;
	char *text;

	if (old) {
		if (!slice_eq(*old, of))
			fw_sonic_refuse(e, r, _("two objects of one name"));
		return true;
	}
	made = arena_alloc(e->arena, sizeof(*made));
	text = arena_dup(e->arena, of);
	if (!made || !text) {
		e->err = ENOMEM;
		return true;
	}
	*made = (struct slice){(const uint8_t *)text, of.n};
	fw_dict_put(&e->seen, scope, key, made);
	return false;
}

static const char scope_addrs[] = "address-object";
static const char scope_services[] = "service-object";

static void undo_object(struct fw_sonic_emitter *e, enum fw_sonic_undo at,
                        const char *kind, const char *name)
{
	struct wr *w = &e->undo[at];

	wr_str(w, e->prefix);
	wr_str(w, "no ");
	wr_str(w, kind);
	wr_u8(w, ' ');
	quote(w, name);
	wr_u8(w, '\n');
}

/* ---- addresses ---- */

static bool is_of(const struct fw_addr *a, bool is6)
{
	return a->kind == FW_ADDR_NAME || fw_ip_is4(a->lo) == !is6;
}

static bool has_side(const struct fw_addrs *set, bool is6)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_of(a, is6))
			return true;
	}
	return !set->first;
}

/* A name alone asks for IPv6 only where there is IPv6. */
static bool has_half(const struct fw_sonic_emitter *e, const struct fw_rule *r,
                     bool is6)
{
	return (!is6 || e->has_ip6) && r->families & (is6 ? FW_IP6 : FW_IP4) &&
	       has_side(&r->src, is6) && has_side(&r->dst, is6);
}

static void put_ip(struct wr *w, struct fw_ip ip)
{
	fw_ip_put(w, ip, ip);
}

static void put_range(struct fw_sonic_emitter *e, const struct fw_addr *a)
{
	const int n_bits = fw_ip_prefix_len(a->lo, a->hi);

	if (fw_ip_cmp(a->lo, a->hi) == 0) {
		wr_str(e->out, " host ");
		put_ip(e->out, a->lo);
	} else if (n_bits >= 0) {
		wr_str(e->out, " network ");
		put_ip(e->out, a->lo);
		wr_str(e->out, " ");
		if (fw_ip_is4(a->lo))
			fw_mask_put(e->out, n_bits);
		else
			wr_fmt(e->out, "/%d", n_bits);
	} else {
		wr_str(e->out, " range ");
		put_ip(e->out, a->lo);
		wr_str(e->out, " ");
		put_ip(e->out, a->hi);
	}
}

static const char *addr_kind(const struct fw_addr *a)
{
	if (a->kind == FW_ADDR_NAME)
		return "address-object fqdn";
	return fw_ip_is4(a->lo) ? "address-object ipv4" : "address-object ipv6";
}

static void put_addr(struct fw_sonic_emitter *e, const struct fw_rule *r,
                     const struct fw_addr *a, const char *zone)
{
	const char *name = addr_name(e, a);
	char buf[320];
	struct wr w = wr_init(buf, sizeof(buf));

	/* A name that was not cut says all. */
	if (a->kind == FW_ADDR_NAME)
		wr_str(&w, a->name);
	else if (strchr(name, '~'))
		fw_ip_put(&w, a->lo, a->hi);
	else
		wr_str(&w, name);
	if (w.bad) {
		fw_sonic_refuse(e, r, _("a name is too long"));
		return;
	}
	if (is_there(e, r, scope_addrs, name, wr_slice(&w)))
		return;
	wr_str(e->out, addr_kind(a));
	wr_u8(e->out, ' ');
	quote(e->out, name);
	if (a->kind == FW_ADDR_NAME) {
		wr_str(e->out, " domain ");
		fw_clean_put(e->out, a->name);
	} else {
		put_range(e, a);
	}
	wr_str(e->out, " zone ");
	quote(e->out, zone);
	wr_u8(e->out, '\n');
	/* Of these commands, only that for names opens a context. */
	if (a->kind == FW_ADDR_NAME)
		wr_str(e->out, "    exit\n");
	undo_object(e, FW_SONIC_UNDO_OBJECTS, addr_kind(a), name);
}

static size_t count(const struct fw_addrs *set, bool is6)
{
	size_t n = 0;

	for (const struct fw_addr *a = set->first; a; a = a->next)
		n += is_of(a, is6);
	return n;
}

static void put_addrs(struct fw_sonic_emitter *e, const struct fw_rule *r,
                      bool is_src, bool is6, const char *zone)
{
	const struct fw_addrs *set = is_src ? &r->src : &r->dst;
	const char *kind = is6 ? "address-group ipv6" : "address-group ipv4";
	const char *name;

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_of(a, is6))
			put_addr(e, r, a, zone);
	}
	if (count(set, is6) < 2)
		return;
	name = group_name(e, r, is_src ? "src" : "dst");
	if (is_there(e, r, kind, name, slice_str(r->id)))
		return;
	wr_fmt(e->out, "%s \"%s\"\n", kind, name);
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_of(a, is6))
			wr_fmt(e->out, "    %s \"%s\"\n", addr_kind(a),
			       addr_name(e, a));
	}
	wr_str(e->out, "    exit\n");
	undo_object(e, FW_SONIC_UNDO_GROUPS, kind, name);
}

/* ---- services ---- */

static bool is_any_service(const struct fw_rule *r)
{
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (s->proto == FW_PROTO_ANY)
			return true;
	}
	return !r->services.first;
}

static void put_services(struct fw_sonic_emitter *e, const struct fw_rule *r)
{
	const char *name;

	if (is_any_service(r) || !r->services.first)
		return;
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		name = service_name(e, s);
		if (is_there(e, r, scope_services, name, slice_str(name)))
			continue;
		wr_fmt(e->out, "service-object \"%s\" %s %u %u\n", name,
		       s->proto == FW_PROTO_TCP ? "TCP" : "UDP", s->dport_lo,
		       s->dport_hi);
		undo_object(e, FW_SONIC_UNDO_OBJECTS, scope_services, name);
	}
	if (!r->services.first->next)
		return;
	name = group_name(e, r, "svc");
	if (is_there(e, r, "service-group", name, slice_str(r->id)))
		return;
	wr_fmt(e->out, "service-group \"%s\"\n", name);
	for (const struct fw_service *s = r->services.first; s; s = s->next)
		wr_fmt(e->out, "    service-object \"%s\"\n",
		       service_name(e, s));
	wr_str(e->out, "    exit\n");
	undo_object(e, FW_SONIC_UNDO_GROUPS, "service-group", name);
}

/* ---- access rules ---- */

static void put_end(struct fw_sonic_emitter *e, struct wr *w,
                    const struct fw_rule *r, bool is_src, bool is6)
{
	const struct fw_addrs *set = is_src ? &r->src : &r->dst;
	const struct fw_addr *a = set->first;

	wr_str(w, is_src ? " source address " : " destination address ");
	while (a && !is_of(a, is6))
		a = a->next;
	if (!a) {
		wr_str(w, "any");
	} else if (count(set, is6) > 1) {
		wr_str(w, "group ");
		quote(w, group_name(e, r, is_src ? "src" : "dst"));
	} else {
		wr_str(w, "name ");
		quote(w, addr_name(e, a));
	}
}

static void put_head(struct fw_sonic_emitter *e, struct wr *w,
                     const struct fw_rule *r, const char *const zones[2],
                     bool is6)
{
	const char *action = r->action == FW_ACCEPT   ? "allow"
	                     : r->action == FW_REJECT ? "deny"
	                                              : "discard";

	wr_str(w, "access-rule ");
	if (is6)
		wr_str(w, "ipv6 ");
	else if (e->version < 0 || e->version >= V_6_5)
		wr_str(w, "ipv4 ");
	for (size_t i = 0; i < 2; i++) {
		wr_str(w, i ? " to " : "from ");
		if (zones[i])
			quote(w, zones[i]);
		else
			wr_str(w, "any");
	}
	wr_str(w, " action ");
	wr_str(w, action);
	put_end(e, w, r, true, is6);
	if (is_any_service(r)) {
		wr_str(w, " service any");
	} else if (r->services.first->next) {
		wr_str(w, " service group ");
		quote(w, group_name(e, r, "svc"));
	} else {
		wr_str(w, " service name ");
		quote(w, service_name(e, r->services.first));
	}
	put_end(e, w, r, false, is6);
	if (r->schedule)
		wr_fmt(w, " schedule name \"%s\"", r->schedule);
	else
		wr_str(w, " schedule always-on");
}

/* Each pair of zones has a list, and new rules stand at its top in order. */
static unsigned next_priority(struct fw_sonic_emitter *e,
                              const char *const zones[2], bool is6)
{
	char key[256];
	struct wr w = wr_init(key, sizeof(key));
	unsigned *n;

	if (e->order != FW_SONIC_IN_ORDER)
		return e->order == FW_SONIC_ON_TOP;
	wr_u8(&w, is6 ? '6' : '4');
	for (size_t i = 0; i < 2 && !e->has_one_list; i++) {
		wr_u8(&w, '/');
		if (zones[i])
			wr_str(&w, zones[i]);
	}
	n = fw_dict_get(&e->numbers, NULL, wr_slice(&w));
	if (!n) {
		const char *kept = arena_dup(e->arena, wr_slice(&w));

		n = arena_alloc(e->arena, sizeof(*n));
		if (!n || !kept) {
			e->err = ENOMEM;
			return 1;
		}
		fw_dict_put(&e->numbers, NULL, slice_str(kept), n);
	}
	return ++*n;
}

static void put_body(struct fw_sonic_emitter *e, const struct fw_rule *r,
                     unsigned priority)
{
	struct wr *w = e->out;

	wr_str(w, "\n");
	if (e->version < 0 || e->version >= V_6_5) {
		wr_fmt(w, "    name \"%s-", e->mark);
		fw_clean_put(w, r->id);
		wr_str(w, "\"\n");
	}
	wr_str(w, "    comment \"prumo: ");
	fw_clean_put(w, r->name ? r->name : r->id);
	wr_str(w, r->is_disabled ? "\"\n    no enable\n" : "\"\n    enable\n");
	if (priority) {
		wr_str(w, "    priority manual ");
		put_num(w, priority);
		wr_u8(w, '\n');
	}
	if (r->action == FW_ACCEPT && r->attrs.udp_idle_s > 0) {
		wr_str(w, "    udp timeout ");
		put_num(w, (uint64_t)r->attrs.udp_idle_s);
		wr_u8(w, '\n');
	}
	if (r->action == FW_ACCEPT && r->attrs.dscp != FW_DSCP_UNSET)
		wr_fmt(w, "    quality-of-service dscp explicit %d\n",
		       r->attrs.dscp);
	/* For a box where rules control it. */
	if (r->action == FW_ACCEPT && r->attrs.alg == FW_OFF &&
	    e->version >= V_7)
		wr_str(w, "    no sip\n");
	wr_str(w, "    exit\n");
}

static void put_pair(struct fw_sonic_emitter *e, const struct fw_rule *r,
                     const char *const zones[2], bool is6)
{
	struct wr *undo = &e->undo[FW_SONIC_UNDO_RULES];
	const size_t at = e->out->n;

	put_head(e, e->out, r, zones, is6);
	wr_str(undo, e->prefix);
	wr_str(undo, "no ");
	wr_put(undo, slice_sub(wr_slice(e->out), at, SIZE_MAX));
	wr_str(undo, "\n");
	put_body(e, r, next_priority(e, zones, is6));
}

void fw_sonic_put_undo(struct wr *w, struct fw_sonic_emitter *e)
{
	for (size_t i = 0; i < FW_SONIC_UNDOS; i++) {
		wr_put(w, wr_slice(&e->undo[i]));
		w->bad |= e->undo[i].bad;
		wr_fini(&e->undo[i]);
	}
}

static bool is_said(const struct fw_rule *r)
{
	return !fw_is_return_rule(r) && r->action != FW_CONTINUE;
}

/* An object belongs to a zone, even where the rule is for any. */
static const char *home(const struct fw_zones *set, const char *otherwise)
{
	return set->first ? set->first->name : otherwise;
}

void fw_sonic_put_rule(struct fw_sonic_emitter *e, const struct fw_rule *r)
{
	const struct fw_zone any = {.name = NULL};
	const struct fw_zone *ins = r->in.first ? r->in.first : &any;
	const struct fw_zone *outs = r->out.first ? r->out.first : &any;

	if (!is_said(r) || e->err)
		return;
	put_services(e, r);
	for (int is6 = 0; is6 < 2; is6++) {
		if (!has_half(e, r, is6))
			continue;
		put_addrs(e, r, true, is6, home(&r->in, "LAN"));
		put_addrs(e, r, false, is6, home(&r->out, "WAN"));
		for (const struct fw_zone *in = ins; in; in = in->next) {
			for (const struct fw_zone *out = outs; out;
			     out = out->next) {
				const char *const zones[] = {in->name,
				                             out->name};

				put_pair(e, r, zones, is6);
			}
		}
	}
}

/* ---- what cannot be said ---- */

static bool has_pattern(const struct fw_zones *set)
{
	for (const struct fw_zone *z = set->first; z; z = z->next) {
		const size_t n = strlen(z->name);

		if (z->is_unknown || (n && z->name[n - 1] == '*'))
			return true;
	}
	return set->is_negated;
}

static bool has_unknown(const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN)
			return true;
	}
	return set->is_negated;
}

void fw_sonic_emitter_init(struct fw_sonic_emitter *e, struct arena *scratch,
                           const struct fw_rules *rules)
{
	e->arena = scratch;
	fw_mark_choose(e->mark, rules);
	for (size_t i = 0; i < FW_SONIC_UNDOS; i++)
		e->undo[i] = wr_init_heap();
	fw_dict_init(&e->seen, scratch, slice_str("sonicos"));
	fw_dict_init(&e->numbers, scratch, slice_str("sonicos"));
}

void fw_sonic_check_rule(struct fw_sonic_emitter *e, const struct fw_rule *r)
{
	if (!is_said(r))
		return;
	if (!fw_states_fit(r, e->dg))
		e->err = ENOTSUP;
	if (r->action != FW_ACCEPT && r->action != FW_DROP &&
	    r->action != FW_REJECT)
		fw_sonic_refuse(e, r, _("what it does has no command"));
	if (r->conditional)
		fw_sonic_refuse(e, r, r->conditional);
	if (has_pattern(&r->in) || has_pattern(&r->out))
		fw_sonic_refuse(e, r, _("its zones have no names here"));
	if (has_unknown(&r->src) || has_unknown(&r->dst))
		fw_sonic_refuse(e, r, _("an object with unknown members"));
	if (!has_half(e, r, false) && !has_half(e, r, true))
		fw_sonic_refuse(e, r,
		                _("its two ends are of different families"));
	for (const struct fw_service *s = r->services.first;
	     s && !is_any_service(r); s = s->next) {
		if ((s->proto != FW_PROTO_TCP && s->proto != FW_PROTO_UDP) ||
		    s->sport_lo > 0 || s->sport_hi < FW_PORT_MAX) {
			fw_sonic_refuse(e, r,
			                _("only TCP and UDP without source "
			                  "ports are written"));
			break;
		}
	}
}

static bool has_ip6(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			const struct fw_addr *a = r->src.first;

			while (a && is_of(a, false))
				a = a->next;
			for (const struct fw_addr *b = r->dst.first; b && !a;
			     b = b->next)
				a = is_of(b, false) ? NULL : b;
			if (a || r->families == FW_IP6)
				return true;
		}
	}
	return false;
}

static void check_all(struct fw_sonic_emitter *e, const struct fw_rules *rules)
{
	const struct slice all = {NULL, 0};
	bool has_any = false;

	e->has_ip6 = has_ip6(rules);
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		const bool is_list = c->hook == FW_HOOK_FORWARD &&
		                     c->kind == FW_CHAIN_FILTER;

		if (c->kind == FW_CHAIN_NAT || !c->n_rules)
			continue;
		if (!is_list || c->policy == FW_ACCEPT) {
			diag_add(e->dg, DIAG_ERROR, all,
			         _("SonicOS has one list of rules for what "
			           "passes through it, and drops the rest; "
			           "chain %s does not fit."),
			         c->name);
			e->err = ENOTSUP;
			continue;
		}
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			fw_sonic_check_rule(e, r);
			if (!is_said(r))
				continue;
			has_any |= !r->in.first || !r->out.first;
		}
	}
	e->has_one_list = has_any;
}

/* ---- the whole ---- */

void fw_sonic_put_voip(struct fw_sonic_emitter *e, bool wants_sip,
                       bool wants_nat)
{
	if (!wants_sip && !wants_nat)
		return;
	wr_str(e->out, "voip\n");
	if (wants_nat)
		wr_str(e->out, "    consistent-nat\n");
	/* To enter the section turns SIP on where it has no switch of its
	 * own, so it is entered only where it surely has one. */
	if (wants_sip && e->version < V_7)
		wr_str(e->out, "    no sip\n");
	else if (wants_sip)
		wr_str(e->out, "    sip\n        no enable\n"
		               "        no access-rule-based\n"
		               "        exit\n");
	wr_str(e->out, "    exit\n");
}

void fw_sonic_put_clear(struct fw_sonic_emitter *e, struct wr *w,
                        const struct fw_addrs *set)
{
	static const char scope[] = "clear";

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		const char *name = addr_name(e, a);

		if (fw_dict_get(&e->seen, scope, slice_str(name)))
			continue;
		fw_dict_put(&e->seen, scope, slice_str(name), e);
		wr_str(w, "#     ");
		if (a->kind == FW_ADDR_NAME)
			fw_clean_put(w, a->name);
		else
			fw_ip_put(w, a->lo, a->hi);
		wr_str(w, "\n");
	}
}

static bool wants_alg_off(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->attrs.alg == FW_OFF)
				return true;
		}
	}
	return false;
}

static bool wants_long_tcp(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->attrs.tcp_idle_s > TCP_IDLE_S)
				return true;
		}
	}
	return false;
}

static void put_tail(struct fw_sonic_emitter *e, const struct fw_rules *rules,
                     bool has_voip)
{
	struct wr *w = e->out;

	if (wants_long_tcp(rules))
		wr_str(w, "\n# TCP sessions keep the 15 min of the box; for "
		          "more, edit the rules:\n# Advanced, TCP "
		          "Connection Inactivity Timeout (minutes).\n");
	wr_str(w, "\n# Old sessions keep the old treatment. In the "
	          "connections monitor, filter by\n# destination and "
	          "flush, for each of:\n");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (is_said(r) && r->attrs.alg == FW_OFF)
				fw_sonic_put_clear(e, w, &r->dst);
		}
	}
	wr_str(w, "# Calls that the box follows by itself: in voip, "
	          "flush-all.\n\n# Undo:\n#     configure\n");
	fw_sonic_put_undo(w, e);
	if (has_voip)
		wr_str(w, "#     voip\n#         no consistent-nat\n"
		          "#         exit\n");
	wr_str(w, "#     commit\n# SIP transformations are off from the "
	          "factory since 7.0; if they were on,\n# turn them on "
	          "again in the same place.\n");
}

static void put_all(struct fw_sonic_emitter *e, const struct fw_rules *rules)
{
	const bool has_voip = wants_alg_off(rules);

	wr_fmt(e->out,
	       "# SonicOS %s: paste at the command line. Lines that begin "
	       "with # are\n# for the reader; leave them out.\nconfigure\n",
	       rules->version ? rules->version : "6.5, 7.x");
	fw_sonic_put_voip(e, has_voip, has_voip);
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (c->kind == FW_CHAIN_NAT)
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next)
			fw_sonic_put_rule(e, r);
	}
	wr_str(e->out, "commit\n");
	put_tail(e, rules, has_voip);
}

int fw_sonic_emit(struct wr *out, const struct fw_rules *rules, struct diag *dg)
{
	struct fw_sonic_emitter e = {.out = out, .dg = dg, .prefix = "#     "};
	struct arena scratch;

	if (rules->dialect && strcmp(rules->dialect, "sonicos") == 0 &&
	    rules->text.n) {
		wr_put(out, rules->text);
		return 0;
	}
	arena_init(&scratch);
	fw_sonic_emitter_init(&e, &scratch, rules);
	e.version = fw_version_num(rules->version);
	check_all(&e, rules);
	if (!e.err)
		put_all(&e, rules);
	if (e.seen.no_memory || e.numbers.no_memory)
		e.err = ENOMEM;
	arena_fini(&scratch);
	return e.err;
}
