/* SPDX-License-Identifier: ISC */
/*
 * Design: what is written is a script to paste, and re-reading it gives the
 * same rules. The session helper is never deleted by a number that is not in
 * the box's own text, so services carry `set helper disable`, which does the
 * same for them; a patch (fortios_patch.c) knows the number.
 *
 * A policy's session-ttl would cut TCP sessions down as well, so UDP is given
 * its time by the service, whose timer supersedes the box's (KB 191228).
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/fortios_write.h"

enum {
	MIN_TTL_S = 300, /* the least that session-ttl takes */
	MAX_NAME = 72,
	MAX_POLICY_NAME = 35,
	V_5_2 = 5002000,
	V_6_2 = 6002000,
	V_6_4 = 6004000,
};

void fw_forti_refuse(struct fw_forti_emitter *e, const struct fw_rule *r,
                     const char *why)
{
	const struct slice all = {NULL, 0};

	diag_add(e->dg, DIAG_ERROR, all, _("FortiOS cannot say rule %s: %s"),
	         r->id, why);
	e->err = ENOTSUP;
}

static void put_addr_name(struct wr *w, const struct fw_forti_emitter *e,
                          const struct fw_addr *a, bool is6)
{
	wr_fmt(w, "%s-", e->mark);
	if (a->kind == FW_ADDR_NAME)
		fw_clean_put(w, a->name);
	else
		fw_ip_put(w, a->lo, a->hi);
	if (is6 && a->kind == FW_ADDR_NAME)
		wr_str(w, "-v6");
}

static bool is_of(const struct fw_addr *a, bool is6)
{
	return a->kind == FW_ADDR_NAME || fw_ip_is4(a->lo) == !is6;
}

static void put_ip(struct wr *w, struct fw_ip ip)
{
	fw_ip_put(w, ip, ip);
}

static void put_addr_body(struct fw_forti_emitter *e, const struct fw_addr *a,
                          bool is6)
{
	const int n_bits =
		a->kind == FW_ADDR_RANGE ? fw_ip_prefix_len(a->lo, a->hi) : 0;

	if (a->kind == FW_ADDR_NAME) {
		wr_str(e->out, "        set type fqdn\n        set fqdn \"");
		fw_clean_put(e->out, a->name);
		wr_str(e->out, "\"\n");
	} else if (n_bits < 0) {
		wr_str(e->out, "        set type iprange\n"
		               "        set start-ip ");
		put_ip(e->out, a->lo);
		wr_str(e->out, "\n        set end-ip ");
		put_ip(e->out, a->hi);
		wr_str(e->out, "\n");
	} else if (is6) {
		wr_str(e->out, "        set ip6 ");
		put_ip(e->out, a->lo);
		wr_fmt(e->out, "/%d\n", n_bits);
	} else {
		wr_str(e->out, "        set subnet ");
		put_ip(e->out, a->lo);
		wr_str(e->out, " ");
		fw_mask_put(e->out, n_bits);
		wr_str(e->out, "\n");
	}
}

static void undo_entry(struct fw_forti_emitter *e, const char *table,
                       struct slice key)
{
	wr_str(e->undo, e->prefix);
	wr_str(e->undo, "config firewall ");
	wr_str(e->undo, table);
	wr_str(e->undo, "\n");
	wr_str(e->undo, e->prefix);
	wr_str(e->undo, "delete \"");
	wr_put(e->undo, key);
	wr_str(e->undo, "\"\n");
	wr_str(e->undo, e->prefix);
	wr_str(e->undo, "end\n");
}

/* Each address once, whoever asks for it. */
static void put_addr(struct fw_forti_emitter *e, const struct fw_rule *r,
                     const struct fw_addr *a, bool is6)
{
	char name[320];
	struct wr w = wr_init(name, sizeof(name));
	struct slice key;

	put_addr_name(&w, e, a, is6);
	if (w.bad || w.n > MAX_NAME) {
		fw_forti_refuse(e, r, _("a name is too long"));
		return;
	}
	key = wr_slice(&w);
	if (fw_dict_get(&e->seen, is6 ? "6" : "4", key))
		return;
	key.p = (const uint8_t *)arena_dup(e->seen.arena, key);
	if (!key.p) {
		e->err = ENOMEM;
		return;
	}
	fw_dict_put(&e->seen, is6 ? "6" : "4", key, e);
	wr_str(e->out, "    edit \"");
	wr_put(e->out, key);
	wr_str(e->out, "\"\n");
	put_addr_body(e, a, is6);
	wr_str(e->out, "    next\n");
	if (e->undo)
		undo_entry(e, is6 ? "address6" : "address", key);
}

void fw_forti_put_addrs(struct fw_forti_emitter *e, const struct fw_rule *r,
                        bool is6)
{
	const struct fw_addrs *sides[] = {&r->src, &r->dst};

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		for (const struct fw_addr *a = sides[i]->first; a;
		     a = a->next) {
			if (a->kind == FW_ADDR_UNKNOWN)
				fw_forti_refuse(e, r,
				                _("an object with unknown "
				                  "members"));
			else if (is_of(a, is6))
				put_addr(e, r, a, is6);
		}
	}
}

/* ---- services ---- */

static void put_service_name(struct wr *w, const struct fw_forti_emitter *e,
                             const struct fw_rule *r, int proto)
{
	wr_fmt(w, "%s-", e->mark);
	fw_clean_put(w, r->id);
	if (proto >= 0)
		wr_fmt(w, "-proto%d", proto);
}

static bool has_ranges(int proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

static void put_range(struct wr *w, uint16_t lo, uint16_t hi)
{
	fw_dec_put(w, lo);
	if (lo == hi)
		return;
	wr_u8(w, '-');
	fw_dec_put(w, hi);
}

static bool put_ranges(struct fw_forti_emitter *e, const struct fw_rule *r,
                       int proto, const char *name)
{
	bool has = false;

	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (s->proto != proto)
			continue;
		if (!has)
			wr_fmt(e->out, "        set %s-portrange", name);
		has = true;
		wr_str(e->out, " ");
		put_range(e->out, s->dport_lo, s->dport_hi);
		if (s->sport_lo > 0 || s->sport_hi < FW_PORT_MAX) {
			wr_str(e->out, ":");
			put_range(e->out, s->sport_lo, s->sport_hi);
		}
	}
	if (has)
		wr_str(e->out, "\n");
	return has;
}

int64_t fw_forti_ttl_at_least(int64_t v)
{
	return v < MIN_TTL_S ? MIN_TTL_S : v;
}

static void put_service_attrs(struct fw_forti_emitter *e,
                              const struct fw_rule *r, bool has_udp,
                              bool has_tcp)
{
	if (r->attrs.alg == FW_OFF)
		wr_str(e->out, "        set helper disable\n");
	if (has_udp && r->attrs.udp_idle_s > 0)
		wr_fmt(e->out, "        set udp-idle-timer %lld\n",
		       (long long)r->attrs.udp_idle_s);
	if (has_tcp && r->attrs.tcp_idle_s > 0)
		wr_fmt(e->out, "        set session-ttl %lld\n",
		       (long long)fw_forti_ttl_at_least(r->attrs.tcp_idle_s));
}

static void edit_service(struct fw_forti_emitter *e, const struct fw_rule *r,
                         int proto)
{
	char buf[160];
	struct wr w = wr_init(buf, sizeof(buf));

	put_service_name(&w, e, r, proto);
	if (w.bad || w.n > MAX_NAME) {
		fw_forti_refuse(e, r, _("a name is too long"));
		return;
	}
	wr_str(e->out, "    edit \"");
	wr_put(e->out, wr_slice(&w));
	wr_str(e->out, "\"\n");
	if (e->undo)
		undo_entry(e, "service custom", wr_slice(&w));
}

static bool is_any_service(const struct fw_rule *r)
{
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (s->proto == FW_PROTO_ANY)
			return true;
	}
	return !r->services.first;
}

static bool is_first_of_proto(const struct fw_rule *r,
                              const struct fw_service *s)
{
	const struct fw_service *t = r->services.first;

	while (t->proto != s->proto)
		t = t->next;
	return t == s;
}

void fw_forti_put_services(struct fw_forti_emitter *e, const struct fw_rule *r)
{
	bool has_ports = false;

	if (is_any_service(r)) {
		if (r->attrs.alg != FW_OFF && r->attrs.udp_idle_s <= 0 &&
		    r->attrs.tcp_idle_s <= 0)
			return;
		edit_service(e, r, -1);
		wr_str(e->out, "        set protocol IP\n");
		put_service_attrs(e, r, true, true);
		wr_str(e->out, "    next\n");
		return;
	}
	for (const struct fw_service *s = r->services.first; s; s = s->next)
		has_ports |= has_ranges(s->proto);
	if (has_ports) {
		bool has_udp, has_tcp;

		edit_service(e, r, -1);
		has_tcp = put_ranges(e, r, 6, "tcp");
		has_udp = put_ranges(e, r, 17, "udp");
		(void)put_ranges(e, r, 132, "sctp");
		put_service_attrs(e, r, has_udp, has_tcp);
		wr_str(e->out, "    next\n");
	}
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (has_ranges(s->proto) || !is_first_of_proto(r, s))
			continue;
		edit_service(e, r, s->proto);
		wr_fmt(e->out,
		       "        set protocol IP\n"
		       "        set protocol-number %d\n",
		       s->proto);
		put_service_attrs(e, r, false, false);
		wr_str(e->out, "    next\n");
	}
}

static void put_service_list(struct fw_forti_emitter *e,
                             const struct fw_rule *r)
{
	bool has_ports = false;

	wr_str(e->out, "        set service");
	if (is_any_service(r)) {
		if (r->attrs.alg != FW_OFF && r->attrs.udp_idle_s <= 0 &&
		    r->attrs.tcp_idle_s <= 0) {
			wr_str(e->out, " \"ALL\"\n");
			return;
		}
		has_ports = true;
	}
	for (const struct fw_service *s = r->services.first; s; s = s->next)
		has_ports |= has_ranges(s->proto);
	if (has_ports) {
		wr_str(e->out, " \"");
		put_service_name(e->out, e, r, -1);
		wr_str(e->out, "\"");
	}
	for (const struct fw_service *s = r->services.first;
	     s && !is_any_service(r); s = s->next) {
		if (has_ranges(s->proto) || !is_first_of_proto(r, s))
			continue;
		wr_str(e->out, " \"");
		put_service_name(e->out, e, r, s->proto);
		wr_str(e->out, "\"");
	}
	wr_str(e->out, "\n");
}

/* ---- policies ---- */

static void put_zone_list(struct fw_forti_emitter *e, const char *key,
                          const struct fw_zones *set)
{
	wr_str(e->out, "        set ");
	wr_str(e->out, key);
	if (!set->first)
		wr_str(e->out, " \"any\"");
	for (const struct fw_zone *z = set->first; z; z = z->next) {
		wr_str(e->out, " \"");
		wr_str(e->out, z->name);
		wr_str(e->out, "\"");
	}
	wr_str(e->out, "\n");
	if (set->is_negated)
		wr_fmt(e->out, "        set %s-negate enable\n", key);
}

static bool has_side(const struct fw_addrs *set, bool is6)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_of(a, is6))
			return true;
	}
	return !set->first;
}

static void put_side(struct fw_forti_emitter *e, const char *key,
                     const struct fw_addrs *set, bool is6, const char *suffix)
{
	wr_str(e->out, "        set ");
	wr_str(e->out, key);
	wr_str(e->out, suffix);
	if (!set->first)
		wr_str(e->out, " \"all\"");
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (!is_of(a, is6))
			continue;
		wr_str(e->out, " \"");
		put_addr_name(e->out, e, a, is6);
		wr_str(e->out, "\"");
	}
	wr_str(e->out, "\n");
	if (set->is_negated && !is6)
		wr_fmt(e->out, "        set %s-negate enable\n", key);
}

/* Does the policy have a half of that family? */
bool fw_forti_has_half(const struct fw_rule *r, bool is6)
{
	return r->families & (is6 ? FW_IP6 : FW_IP4) &&
	       has_side(&r->src, is6) && has_side(&r->dst, is6);
}

/* Before 6.4 the two families had a list of policies each. */
bool fw_forti_is_split(const struct fw_forti_emitter *e)
{
	return e->version >= 0 && e->version < V_6_4;
}

static void put_policy_attrs(struct fw_forti_emitter *e,
                             const struct fw_rule *r)
{
	if (r->attrs.offload == FW_OFF || r->attrs.alg == FW_OFF)
		wr_str(e->out, "        set auto-asic-offload disable\n");
	if (r->attrs.dscp != FW_DSCP_UNSET) {
		wr_str(e->out, "        set diffserv-forward enable\n"
		               "        set diffservcode-forward ");
		for (int i = 5; i >= 0; i--)
			wr_u8(e->out, r->attrs.dscp >> i & 1 ? '1' : '0');
		wr_str(e->out, "\n");
	}
	if (r->nat.kind == FW_NAT_SOURCE || e->is_made)
		wr_str(e->out, "        set nat enable\n");
	if (r->nat.kind == FW_NAT_SOURCE && r->nat.to)
		wr_fmt(e->out,
		       "        set ippool enable\n"
		       "        set poolname \"%s\"\n",
		       r->nat.to);
	else if (r->nat.kind > FW_NAT_SOURCE)
		fw_forti_refuse(e, r, _("only source NAT fits a policy"));
}

void fw_forti_put_policy(struct fw_forti_emitter *e, const struct fw_rule *r,
                         unsigned long id, unsigned families)
{
	const char *suffix6 = fw_forti_is_split(e) ? "" : "6";

	wr_str(e->out, "    # ");
	fw_clean_put(e->out, r->name ? r->name : r->id);
	wr_fmt(e->out, "\n    edit %lu\n", id);
	if (strlen(r->id) + strlen(e->mark) + 1 <= MAX_POLICY_NAME) {
		wr_fmt(e->out, "        set name \"%s-", e->mark);
		fw_clean_put(e->out, r->id);
		wr_str(e->out, "\"\n");
	}
	put_zone_list(e, "srcintf", &r->in);
	put_zone_list(e, "dstintf", &r->out);
	for (int is6 = 0; is6 < 2; is6++) {
		if (!(families & (is6 ? FW_IP6 : FW_IP4)) ||
		    !fw_forti_has_half(r, is6))
			continue;
		put_side(e, "srcaddr", &r->src, is6, is6 ? suffix6 : "");
		put_side(e, "dstaddr", &r->dst, is6, is6 ? suffix6 : "");
	}
	if (r->action == FW_ACCEPT)
		wr_str(e->out, "        set action accept\n");
	else
		wr_str(e->out, "        set action deny\n");
	if (r->action == FW_REJECT)
		wr_str(e->out, "        set send-deny-packet enable\n");
	wr_str(e->out, "        set schedule \"");
	wr_str(e->out, r->schedule ? r->schedule : "always");
	wr_str(e->out, "\"\n");
	put_service_list(e, r);
	if (r->action == FW_ACCEPT)
		put_policy_attrs(e, r);
	if (r->is_disabled)
		wr_str(e->out, "        set status disable\n");
	wr_str(e->out, "    next\n");
}

/* ---- the SIP switches ---- */

static const char *expectation(long version)
{
	return version >= 0 && version < V_6_2 ? "sip-helper"
	                                       : "sip-expectation";
}

bool fw_forti_has_mode(long version)
{
	return version < 0 || version >= V_5_2;
}

void fw_forti_put_switches(struct fw_forti_emitter *e, bool has_mode)
{
	wr_str(e->out, "config system settings\n");
	if (has_mode)
		wr_str(e->out, "    set default-voip-alg-mode "
		               "kernel-helper-based\n");
	wr_fmt(e->out,
	       "    set %s disable\n"
	       "    set sip-nat-trace disable\n"
	       "end\n",
	       expectation(e->version));
	if (e->undo)
		wr_fmt(e->undo,
		       "%sconfig system settings\n"
		       "%s    unset default-voip-alg-mode\n"
		       "%s    unset %s\n"
		       "%s    unset sip-nat-trace\n"
		       "%send\n",
		       e->prefix, e->prefix, e->prefix, expectation(e->version),
		       e->prefix, e->prefix);
}

static const char helper_words[] =
	"# SIP on this box is touched in three places: the mode above, the\n"
	"# session helper, and the VoIP profile of a policy (none here).\n"
	"# The services below switch the helper off for these calls. To take it\n"
	"# off the box, look its number up by its name, for it differs:\n"
	"#     show system session-helper | grep -f sip\n"
	"# and delete that number under \"config system session-helper\" (with\n"
	"# VDOMs: under \"config global\").\n"
	"# Fortinet itself advises not to disable its SIP ALG (KB 306398); the\n"
	"# provider asks for that, whose own side copes with NAT.\n"
	"# A model without a network processor refuses auto-asic-offload below,\n"
	"# and needs none of it: go on after that line.\n";

static const char old_words[] =
	"# FortiOS before 5.2 has no default-voip-alg-mode and refuses that\n"
	"# line; there the session helper alone acts on SIP, and the services\n"
	"# below switch it off.\n";

/* Both ends of a range, as they lie in memory. */
static struct slice ends_of(const struct fw_addr *a)
{
	static_assert(offsetof(struct fw_addr, hi) ==
	                      offsetof(struct fw_addr, lo) + sizeof(a->lo),
	              "the ends of a range are neighbours");

	return (struct slice){(const uint8_t *)a + offsetof(struct fw_addr, lo),
	                      sizeof(a->lo) + sizeof(a->hi)};
}

void fw_forti_put_clear(struct wr *w, struct fw_dict *seen,
                        const struct fw_addrs *set, const char *prefix)
{
	static const char scope[] = "clear";

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		/* Rows of a profile share addresses. */
		if (a->kind != FW_ADDR_RANGE ||
		    fw_dict_get(seen, scope, ends_of(a)))
			continue;
		fw_dict_put(seen, scope, ends_of(a), w);
		wr_str(w, prefix);
		wr_str(w, "diagnose sys session filter clear\n");
		wr_str(w, prefix);
		wr_str(w, "diagnose sys session filter dst ");
		put_ip(w, a->lo);
		if (fw_ip_cmp(a->lo, a->hi) != 0) {
			wr_str(w, " ");
			put_ip(w, a->hi);
		}
		wr_str(w, "\n");
		wr_str(w, prefix);
		wr_str(w, "diagnose sys session clear\n");
	}
}

static bool is_said(const struct fw_rule *r)
{
	return !fw_is_return_rule(r) && r->action != FW_CONTINUE;
}

void fw_forti_check_rule(struct fw_forti_emitter *e, const struct fw_rule *r)
{
	if (!fw_states_fit(r, e->dg))
		e->err = ENOTSUP;
	if (is_said(r) && !fw_forti_has_half(r, false) &&
	    !fw_forti_has_half(r, true))
		fw_forti_refuse(e, r,
		                _("its two ends are of different families"));
	if ((r->src.is_negated || r->dst.is_negated) &&
	    fw_forti_has_half(r, true) && (r->src.first || r->dst.first) &&
	    fw_forti_has_half(r, false))
		fw_forti_refuse(e, r, _("\"not\" in both families at once"));
}

static void put_objects(struct fw_forti_emitter *e,
                        const struct fw_rules *rules)
{
	static const char *const titles[] = {
		"config firewall address\n",
		"config firewall address6\n",
		"config firewall service custom\n",
	};

	for (int pass = 0; pass < 3; pass++) {
		const size_t before = e->out->n;
		size_t head;

		wr_str(e->out, titles[pass]);
		head = e->out->n;
		for (const struct fw_chain *c = rules->chains; c; c = c->next) {
			for (const struct fw_rule *r = c->first; r;
			     r = r->next) {
				if (!is_said(r))
					continue;
				if (pass == 2)
					fw_forti_put_services(e, r);
				else if (pass == 0 ? fw_forti_has_half(r, false)
				                   : fw_forti_has_half(r, true))
					fw_forti_put_addrs(e, r, pass == 1);
			}
		}
		if (e->out->n == head)
			e->out->n = before;
		else
			wr_str(e->out, "end\n");
	}
}

/* @return whether there was any. */
static bool put_list(struct fw_forti_emitter *e, const struct fw_rules *rules,
                     const char *path, unsigned families)
{
	bool has = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (!is_said(r) || (!(families & FW_IP4 &&
			                      fw_forti_has_half(r, false)) &&
			                    !(families & FW_IP6 &&
			                      fw_forti_has_half(r, true))))
				continue;
			if (!has)
				wr_fmt(e->out, "config %s\n", path);
			has = true;
			fw_forti_put_policy(e, r, 0, families);
		}
	}
	if (has)
		wr_str(e->out, "end\n");
	return has;
}

static void put_policies(struct fw_forti_emitter *e,
                         const struct fw_rules *rules)
{
	const bool has4 =
		put_list(e, rules, "firewall policy",
	                 fw_forti_is_split(e) ? FW_IP4 : FW_IP4 | FW_IP6);

	if ((fw_forti_is_split(e) &&
	     put_list(e, rules, "firewall policy6", FW_IP6)) ||
	    has4)
		wr_str(e->out,
		       "# New policies stand last: move them above any that\n"
		       "# denies the same traffic (move <number> before "
		       "<number>).\n");
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

static void check_all(struct fw_forti_emitter *e, const struct fw_rules *rules)
{
	const struct slice all = {NULL, 0};
	size_t n_chains = 0;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		n_chains += c->n_rules > 0;
		if (c->n_rules && c->policy == FW_ACCEPT) {
			diag_add(e->dg, DIAG_ERROR, all,
			         _("FortiOS drops what no policy accepts; "
			           "this rule set accepts it."));
			e->err = ENOTSUP;
		}
		if (c->hook == FW_HOOK_OUTPUT || c->hook == FW_HOOK_INPUT) {
			diag_add(e->dg, DIAG_ERROR, all,
			         _("FortiOS has policies for what passes "
			           "through it, not for chain %s."),
			         c->name);
			e->err = ENOTSUP;
		}
		for (const struct fw_rule *r = c->first; r; r = r->next)
			fw_forti_check_rule(e, r);
	}
	if (n_chains > 1) {
		diag_add(e->dg, DIAG_ERROR, all,
		         _("FortiOS has one list of policies, and this rule "
		           "set has several chains."));
		e->err = ENOTSUP;
	}
}

static void put_undo(struct fw_forti_emitter *e, const struct fw_rules *rules,
                     struct slice undo)
{
	wr_str(e->out, "\n# Old sessions keep the old treatment until they "
	               "end; clear those to\n# the provider only (an empty "
	               "filter would clear all of them):\n");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (is_said(r) && r->attrs.alg == FW_OFF)
				fw_forti_put_clear(e->out, &e->seen, &r->dst,
				                   "#     ");
		}
	}
	wr_str(e->out, "\n# Undo: delete the policies named prumo-* (show "
	               "firewall policy), then\n"
	               "# (unset gives the factory's value, which may turn the "
	               "SIP ALG on: set what was\n"
	               "# there before, or leave that block out):\n");
	wr_put(e->out, undo);
}

int fw_forti_emit(struct wr *out, const struct fw_rules *rules, struct diag *dg)
{
	struct fw_forti_emitter e = {.out = out, .dg = dg, .prefix = "#     "};
	struct wr undo = wr_init_heap();
	struct arena scratch;

	if (rules->dialect && strcmp(rules->dialect, "fortios") == 0 &&
	    rules->text.n) {
		wr_put(out, rules->text);
		return 0;
	}
	arena_init(&scratch);
	fw_dict_init(&e.seen, &scratch, slice_str("fortios"));
	e.undo = &undo;
	e.version = fw_version_num(rules->version);
	e.is_made = rules->text.n == 0;
	fw_mark_choose(e.mark, rules);
	check_all(&e, rules);
	if (!e.err) {
		wr_fmt(out, "# FortiOS %s\n",
		       rules->version ? rules->version : "6.4, 7.x");
		if (wants_alg_off(rules)) {
			/* Whoever reads this text cannot tell 5.0 by it. */
			if (!fw_forti_has_mode(e.version))
				wr_str(out, old_words);
			fw_forti_put_switches(&e, true);
			wr_str(out, helper_words);
		}
		put_objects(&e, rules);
		put_policies(&e, rules);
		put_undo(&e, rules, wr_slice(&undo));
	}
	if (undo.bad || e.seen.no_memory)
		e.err = ENOMEM;
	wr_fini(&undo);
	arena_fini(&scratch);
	return e.err;
}
