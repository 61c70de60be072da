/* SPDX-License-Identifier: ISC */
/*
 * Design: iptables has one chain of each name in a table, and each table lets
 * rules do some things only: NAT in nat, notrack in raw, a refusal with an
 * answer in filter. A chain without a hook goes where it is called from, so
 * that is followed until nothing changes. Where packets would meet rules in
 * another order than they do in the model, the text is refused.
 */
#include "firewall/ipt_table.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

enum {
	MAX_NAME = 28,          /* bytes of a chain's, to iptables */
	PRIORITY_DSTNAT = -100, /* linux/netfilter_ipv4.h */
	PRIORITY_SRCNAT = 100,
};

static const char *const hook_names[] = {
	[FW_HOOK_PREROUTING] = "PREROUTING",   [FW_HOOK_INPUT] = "INPUT",
	[FW_HOOK_FORWARD] = "FORWARD",         [FW_HOOK_OUTPUT] = "OUTPUT",
	[FW_HOOK_POSTROUTING] = "POSTROUTING",
};

static enum fw_ipt_table table_of(const struct fw_chain *c)
{
	if (c->kind == FW_CHAIN_NAT)
		return FW_IPT_NAT;
	if (c->kind == FW_CHAIN_ROUTE)
		return FW_IPT_MANGLE;
	for (const struct fw_rule *r = c->first; r; r = r->next) {
		if (r->is_notrack)
			return FW_IPT_RAW;
	}
	return c->hook == FW_HOOK_PREROUTING || c->hook == FW_HOOK_POSTROUTING
	               ? FW_IPT_MANGLE
	               : FW_IPT_FILTER;
}

static bool is_called(const struct fw_rule *r)
{
	return r->target && (r->action == FW_JUMP || r->action == FW_GOTO);
}

/* What calls a chain takes it along. @return has anything changed? */
static bool spread(struct fw_ipt_place *places, size_t n,
                   const struct fw_rules *rules, const struct fw_ipt_place *p)
{
	bool is_new = false;

	for (const struct fw_rule *r = p->chain->first; r; r = r->next) {
		const struct fw_chain *to = NULL;

		if (is_called(r))
			to = fw_chain_find(rules, p->chain->table, r->target);
		for (size_t i = 0; i < n && to; i++) {
			if (places[i].chain != to ||
			    (places[i].tables | p->tables) == places[i].tables)
				continue;
			places[i].tables |= p->tables;
			is_new = true;
		}
	}
	return is_new;
}

static void place(struct fw_ipt_place *places, size_t n,
                  const struct fw_rules *rules)
{
	bool is_new = true;

	while (is_new) {
		is_new = false;
		for (size_t i = 0; i < n; i++)
			is_new |= spread(places, n, rules, &places[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!places[i].tables)
			places[i].tables = 1 << FW_IPT_FILTER;
	}
}

/* Does every table let its rules do that? */
static bool is_allowed(const struct fw_rule *r, unsigned tables)
{
	const unsigned nat = 1 << FW_IPT_NAT, raw = 1 << FW_IPT_RAW;
	const unsigned filter = 1 << FW_IPT_FILTER;

	if (r->nat.kind != FW_NAT_NONE)
		return tables == nat;
	if (r->is_notrack)
		return tables == raw;
	if (r->action == FW_REJECT)
		return tables == filter;
	return r->action != FW_DROP || !(tables & nat);
}

/* On the way in, nat is behind raw and mangle and before filter; on the way
 * out, behind all. */
static bool is_in_order(const struct fw_ipt_place *p)
{
	const struct fw_chain *c = p->chain;

	if (c->hook == FW_HOOK_POSTROUTING || c->hook == FW_HOOK_INPUT)
		return c->priority < PRIORITY_SRCNAT;
	return (c->priority < PRIORITY_DSTNAT) ==
	       !(p->tables & 1 << FW_IPT_FILTER);
}

static bool has_nat(const struct fw_ipt_place *places, size_t n,
                    enum fw_hook hook)
{
	for (size_t i = 0; i < n; i++) {
		if (places[i].chain->kind == FW_CHAIN_NAT &&
		    places[i].chain->hook == hook)
			return true;
	}
	return false;
}

static const char *fault_of(const struct fw_ipt_place *places, size_t n,
                            const struct fw_ipt_place *p)
{
	const struct fw_chain *c = p->chain;

	if (c->hook == FW_HOOK_NONE &&
	    (!fw_name_is_word(c->name) || *c->name == '-' ||
	     strlen(c->name) > MAX_NAME))
		return _("its name would not do");
	for (const struct fw_ipt_place *q = places; q < p; q++) {
		if (q->tables & p->tables && strcmp(q->name, p->name) == 0)
			return _("another one has its place");
	}
	if (p->tables & 1 << FW_IPT_RAW && c->hook != FW_HOOK_NONE &&
	    c->hook != FW_HOOK_PREROUTING && c->hook != FW_HOOK_OUTPUT)
		return _("connections are known there already");
	if (p->tables & 1 << FW_IPT_NAT && c->policy == FW_DROP)
		return _("what translates addresses cannot drop");
	if (c->hook != FW_HOOK_NONE && c->kind != FW_CHAIN_NAT &&
	    has_nat(places, n, c->hook) && !is_in_order(p))
		return _("it would change sides with the translation of "
		         "addresses");
	return NULL;
}

static int check(const struct fw_ipt_place *places, size_t n, struct diag *dg)
{
	const struct slice all = {NULL, 0};
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		const struct fw_ipt_place *p = &places[i];
		const char *why = fault_of(places, n, p);

		if (why) {
			diag_add(dg, DIAG_ERROR, all,
			         _("iptables has no place for chain %s: %s."),
			         p->chain->name, why);
			err = ENOTSUP;
		}
		for (const struct fw_rule *r = p->chain->first; r;
		     r = r->next) {
			if (r->is_disabled || is_allowed(r, p->tables))
				continue;
			diag_add(dg, DIAG_ERROR, all,
			         _("No table of iptables can say rule %s "
			           "where it stands."),
			         r->name ? r->name : r->id);
			err = ENOTSUP;
		}
	}
	return err;
}

int fw_ipt_places(struct fw_ipt_place **out, size_t *n, struct arena *a,
                  const struct fw_rules *rules, struct diag *dg)
{
	struct fw_ipt_place *places;
	size_t n_chains = 0, i = 0;

	for (const struct fw_chain *c = rules->chains; c; c = c->next)
		n_chains++;
	places = arena_alloc(a, (n_chains + 1) * sizeof(*places));
	if (!places)
		return ENOMEM;
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		const bool is_base = c->hook != FW_HOOK_NONE;

		places[i].chain = c;
		places[i].name = is_base ? hook_names[c->hook] : c->name;
		if (is_base)
			places[i].tables = 1U << table_of(c);
		i++;
	}
	place(places, n_chains, rules);
	*out = places;
	*n = n_chains;
	return check(places, n_chains, dg);
}
