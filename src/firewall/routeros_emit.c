/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule becomes a line per family, protocol and pair of interfaces;
 * its addresses are lists of its own. RouterOS takes 15 ports in one match,
 * so longer sets become several lines. Session time is the box's: the
 * longest that a rule asks for is set.
 */
#include "firewall/routeros.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"

enum {
	MAX_PORTS = 14,
};

struct line {
	const struct fw_rule *r;
	const char *chain;
	const char *in, *out;
	bool is6;
	struct fw_ros_mark *mark;
};

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

bool fw_ros_has_half(const struct fw_rule *r, bool is6)
{
	return r->families & (is6 ? FW_IP6 : FW_IP4) &&
	       has_side(&r->src, is6) && has_side(&r->dst, is6);
}

static void put_list_name(struct wr *w, const struct fw_rule *r,
                          const struct fw_ros_mark *mark, const char *side)
{
	wr_fmt(w, "\"%s-", mark->tag);
	fw_clean_put(w, r->id);
	wr_fmt(w, "-%s\"", side);
}

static void put_list(struct wr *w, const struct fw_rule *r,
                     const struct fw_ros_mark *mark, bool is_dst, bool is6)
{
	const struct fw_addrs *set = is_dst ? &r->dst : &r->src;

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (!is_of(a, is6))
			continue;
		wr_str(w, "add list=");
		put_list_name(w, r, mark, is_dst ? "dst" : "src");
		wr_str(w, " address=");
		if (a->kind == FW_ADDR_NAME)
			fw_clean_put(w, a->name);
		else
			fw_ip_put(w, a->lo, a->hi);
		wr_str(w, "\n");
	}
}

static void put_states(struct wr *w, unsigned states)
{
	static const char *const names[] = {"new", "established", "related",
	                                    "invalid", "untracked"};
	const char *sep = " connection-state=";

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (states == FW_STATE_ALL || !(states & 1U << i))
			continue;
		wr_fmt(w, "%s%s", sep, names[i]);
		sep = ",";
	}
}

static void put_range(struct wr *w, uint16_t lo, uint16_t hi)
{
	wr_fmt(w, lo == hi ? "%u" : "%u-%u", lo, hi);
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

/* The match of s and of those like it that follow; @return the first that did
 * not fit, or NULL. */
static const struct fw_service *put_ports(struct wr *w,
                                          const struct fw_service *s)
{
	const char *sep = " dst-port=";
	unsigned n = 0;

	if (s->proto != FW_PROTO_ANY) {
		const char *name = fw_proto_name(s->proto);

		if (name && (s->proto == 6 || s->proto == 17))
			wr_fmt(w, " protocol=%s", name);
		else
			wr_fmt(w, " protocol=%d", s->proto);
	}
	if (!is_all(s->sport_lo, s->sport_hi)) {
		wr_str(w, " src-port=");
		put_range(w, s->sport_lo, s->sport_hi);
	}
	if (is_all(s->dport_lo, s->dport_hi))
		return NULL;
	for (const struct fw_service *t = s; t; t = t->next) {
		if (!is_like(s, t))
			continue;
		if (n >= MAX_PORTS)
			return t;
		wr_str(w, sep);
		put_range(w, t->dport_lo, t->dport_hi);
		sep = ",";
		n += t->dport_lo == t->dport_hi ? 1 : 2;
	}
	return NULL;
}

static void put_head(struct wr *w, const struct line *l)
{
	const struct fw_rule *r = l->r;
	static const char *const actions[] = {
		[FW_ACCEPT] = "accept",
		[FW_DROP] = "drop",
		[FW_REJECT] = "reject",
	};

	wr_fmt(w, "add chain=%s action=%s", l->chain, actions[r->action]);
	put_states(w, r->states);
	if (l->in)
		wr_fmt(w, " in-interface%s=\"%s\"",
		       l->mark->is_in_list ? "-list" : "", l->in);
	if (l->out)
		wr_fmt(w, " out-interface%s=\"%s\"",
		       l->mark->is_out_list ? "-list" : "", l->out);
	if (r->src.first) {
		wr_str(w, " src-address-list=");
		put_list_name(w, r, l->mark, "src");
	}
	if (r->dst.first) {
		wr_str(w, " dst-address-list=");
		put_list_name(w, r, l->mark, "dst");
	}
}

/* The number counts rules of the chain as they are by now. */
static void put_tail(struct wr *w, const struct line *l)
{
	struct fw_ros_mark *m = l->mark;

	if (l->r->is_disabled)
		wr_str(w, " disabled=yes");
	if (m->is_placed)
		wr_fmt(w,
		       " place-before=[:pick [find where chain=\"%s\" and "
		       "!dynamic] %u]",
		       l->chain, m->before + m->n_lines);
	m->n_lines++;
	wr_fmt(w, " comment=\"%s: ", m->tag);
	fw_clean_put(w, l->r->name ? l->r->name : l->r->id);
	wr_str(w, "\"\n");
}

static void put_lines(struct wr *w, const struct line *l)
{
	const struct fw_service *s = l->r->services.first;

	if (!s) {
		put_head(w, l);
		put_tail(w, l);
	}
	for (; s; s = s->next) {
		const struct fw_service *t = l->r->services.first, *more = s;

		while (!is_like(t, s))
			t = t->next;
		if (t != s && !is_all(s->dport_lo, s->dport_hi))
			continue;
		while (more) {
			put_head(w, l);
			more = put_ports(w, more);
			put_tail(w, l);
		}
	}
}

void fw_ros_put_rule(struct wr *w, const struct fw_rule *r, const char *chain,
                     bool is6, struct fw_ros_mark *mark)
{
	const struct fw_zone any = {.name = NULL};

	for (const struct fw_zone *in = r->in.first ? r->in.first : &any; in;
	     in = in->next) {
		for (const struct fw_zone *out = r->out.first ? r->out.first
		                                              : &any;
		     out; out = out->next) {
			const struct line l = {r,         chain, in->name,
			                       out->name, is6,   mark};

			put_lines(w, &l);
		}
	}
}

static const char *chain_name(const struct fw_chain *c)
{
	if (c->hook == FW_HOOK_FORWARD)
		return "forward";
	if (c->hook == FW_HOOK_INPUT)
		return "input";
	return c->hook == FW_HOOK_OUTPUT ? "output" : NULL;
}

/* RouterOS has interface lists, but no patterns. */
static bool has_pattern(const struct fw_zones *set)
{
	for (const struct fw_zone *z = set->first; z; z = z->next) {
		const size_t n = strlen(z->name);

		if (z->is_unknown || (n && z->name[n - 1] == '*') ||
		    strpbrk(z->name, "\"\\$\r\n"))
			return true;
	}
	return false;
}

static bool is_odd_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		const bool is_word = (*p >= '0' && *p <= '9') ||
		                     (*p >= 'A' && *p <= 'Z') ||
		                     (*p >= 'a' && *p <= 'z');

		if (!is_word && !strchr(".-_", *p))
			return true;
	}
	return false;
}

static bool has_odd(const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN ||
		    (a->kind == FW_ADDR_NAME && is_odd_name(a->name)))
			return true;
	}
	return set->is_negated;
}

int fw_ros_check_rule(const struct fw_rule *r, struct diag *dg)
{
	const struct slice all = {NULL, 0};

	if ((r->action == FW_ACCEPT || r->action == FW_DROP ||
	     r->action == FW_REJECT) &&
	    !has_pattern(&r->in) && !has_pattern(&r->out) &&
	    !has_odd(&r->src) && !has_odd(&r->dst))
		return 0;
	diag_add(dg, DIAG_ERROR, all,
	         _("Rule %s cannot be written for RouterOS."), r->id);
	return ENOTSUP;
}

static int check_all(const struct fw_rules *rules, struct diag *dg)
{
	const struct slice all = {NULL, 0};
	int err = 0;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (!chain_name(c) || c->kind != FW_CHAIN_FILTER) {
			diag_add(dg, DIAG_ERROR, all,
			         _("Only forward, input and output can be "
			           "written for RouterOS, not chain %s."),
			         c->name);
			err = ENOTSUP;
		}
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (fw_ros_check_rule(r, dg))
				err = ENOTSUP;
		}
	}
	return err;
}

void fw_ros_put_lists(struct wr *w, const struct fw_rule *r, bool is6,
                      const struct fw_ros_mark *mark)
{
	put_list(w, r, mark, false, is6);
	put_list(w, r, mark, true, is6);
}

static void put_lists(struct wr *w, const struct fw_rules *rules, bool is6)
{
	const struct fw_ros_mark mark = {.tag = "prumo"};

	wr_fmt(w, "/%s firewall address-list\n", is6 ? "ipv6" : "ip");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (!fw_ros_has_half(r, is6))
				continue;
			fw_ros_put_lists(w, r, is6, &mark);
		}
	}
}

static void put_filter(struct wr *w, const struct fw_rules *rules, bool is6)
{
	struct fw_ros_mark mark = {.tag = "prumo"};

	wr_fmt(w, "/%s firewall filter\n", is6 ? "ipv6" : "ip");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (!(c->families & (is6 ? FW_IP6 : FW_IP4)))
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (fw_ros_has_half(r, is6))
				fw_ros_put_rule(w, r, chain_name(c), is6,
				                &mark);
		}
		if (c->policy == FW_DROP)
			wr_fmt(w,
			       "# What no rule accepts is dropped: leave this "
			       "line out on a router with rules\n"
			       "# of its own, and move ours above its last "
			       "drop.\n"
			       "add chain=%s action=drop comment=\"prumo: "
			       "everything else\"\n",
			       chain_name(c));
	}
}

static void put_box(struct wr *w, const struct fw_rules *rules, bool *has_alg,
                    int64_t *idle_s)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			*has_alg |= r->attrs.alg == FW_OFF;
			if (r->attrs.udp_idle_s > *idle_s)
				*idle_s = r->attrs.udp_idle_s;
		}
	}
	if (*has_alg)
		wr_str(w, "/ip firewall service-port\n"
		          "set sip disabled=yes\n");
	if (*idle_s > 0)
		wr_fmt(w,
		       "/ip firewall connection tracking\n"
		       "set udp-stream-timeout=%llds\n",
		       (long long)*idle_s);
}

int fw_ros_emit(struct wr *out, const struct fw_rules *rules, struct diag *dg)
{
	bool has_alg = false;
	int64_t idle_s = 0;
	int err;

	if (rules->dialect && strcmp(rules->dialect, "routeros") == 0 &&
	    rules->text.n) {
		wr_put(out, rules->text);
		return 0;
	}
	err = check_all(rules, dg);
	if (err)
		return err;
	wr_str(out, "# RouterOS 6.36 and later\n");
	put_box(out, rules, &has_alg, &idle_s);
	for (int is6 = 0; is6 < 2; is6++) {
		put_lists(out, rules, is6);
		put_filter(out, rules, is6);
	}
	wr_str(out,
	       "\n# Old connections keep the old treatment; forget those to\n"
	       "# the provider, for each of its addresses:\n"
	       "#     /ip firewall connection remove [find dst-address~"
	       "\"^ADDRESS:\"]\n"
	       "\n# Undo:\n"
	       "#     /ip firewall filter remove [find comment~\"^prumo: \"]\n"
	       "#     /ip firewall address-list remove [find "
	       "list~\"^prumo-\"]\n"
	       "#     /ipv6 firewall filter remove [find "
	       "comment~\"^prumo: \"]\n"
	       "#     /ipv6 firewall address-list remove [find "
	       "list~\"^prumo-\"]\n");
	if (idle_s > 0)
		wr_str(out, "#     /ip firewall connection tracking set "
		            "udp-stream-timeout=3m\n");
	/* Nobody knows here whether it was on: not for everyone to paste. */
	if (has_alg)
		wr_str(out, "# The SIP ALG stays off; only if it was on "
		            "before, and is to be so again:\n"
		            "#     /ip firewall service-port set sip "
		            "disabled=no\n");
	return 0;
}
