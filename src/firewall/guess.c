/* SPDX-License-Identifier: ISC */
/*
 * Design: a text seldom says which side phones are on, but what it accepts
 * and translates shows what its author took for inside and outside. A guess
 * is made only where all that speaks of it agrees, and whoever guesses has to
 * say so. Translation is asked first: it is for all that is inside, while a
 * rule may be for a part of it.
 */
#include <errno.h>
#include <string.h>

#include "firewall/audit.h"

/* The one zone that a match names: a list of one is its member, and of more
 * the list itself. NULL: any, or not one. */
static const struct fw_zone *only(const struct fw_zones *set)
{
	const struct fw_zone *z = set->first;

	if (z && z->is_group && z->next && !z->next->next)
		z = z->next;
	if (!z || (z->next && !z->is_group) || z->is_unknown ||
	    strchr(z->name, '*'))
		return NULL;
	return z;
}

static const struct fw_zone *only_of(const struct fw_zones *set)
{
	return set->is_negated ? NULL : only(set);
}

/* A zone by itself or within a list. */
static bool has_name(const struct fw_zone *z, const char *name)
{
	while (z && strcmp(z->name, name) != 0)
		z = z->next;
	return z;
}

/* What all agree on: of a list and one of its members, the member. @return
 * false: they do not agree */
static bool agree(const struct fw_zone **on, const struct fw_zone *z)
{
	if (!z)
		return false;
	if (!*on || ((*on)->is_group && has_name(*on, z->name)))
		*on = z;
	return has_name(z, (*on)->name);
}

/* Rules that name one member of a list do not mean the others, so the list
 * cannot speak for it. @return the list, that member, or NULL */
static const char *settle(const struct fw_rules *rules,
                          const struct fw_zone *on)
{
	const struct fw_zone *named = on;

	if (!on || !on->is_group)
		return on ? on->name : NULL;
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			const struct fw_zone *const ends[] = {only(&r->in),
			                                      only(&r->out)};

			for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
				if (r->is_disabled || !ends[i] ||
				    ends[i]->is_group ||
				    !has_name(on, ends[i]->name))
					continue;
				if (!agree(&named, ends[i]))
					return NULL;
			}
		}
	}
	return named->name;
}

static bool is_on_the_way(const struct fw_chain *c)
{
	return c->kind == FW_CHAIN_FILTER &&
	       (c->hook == FW_HOOK_FORWARD || c->hook == FW_HOOK_NONE);
}

static bool opens(const struct fw_rule *r)
{
	return r->action == FW_ACCEPT && !r->is_disabled &&
	       r->states & FW_STATE_NEW;
}

/* Where nothing is translated: all that opens connections leads there. */
static const struct fw_zone *wan_by_rules(const struct fw_rules *rules)
{
	const struct fw_zone *wan = NULL;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		const struct fw_rule *r = is_on_the_way(c) ? c->first : NULL;

		for (; r; r = r->next) {
			if (!opens(r))
				continue;
			if (!only_of(&r->in) || !agree(&wan, only_of(&r->out)))
				return NULL;
		}
	}
	return wan;
}

const char *fw_guess_wan(const struct fw_rules *rules)
{
	const struct fw_zone *wan = NULL;
	bool is_translated = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			const struct fw_zone *out = only_of(&r->out);

			is_translated |= r->nat.kind == FW_NAT_SOURCE;
			if (r->nat.kind != FW_NAT_SOURCE || !out)
				continue;
			if (!agree(&wan, out))
				return NULL;
		}
	}
	return settle(rules, is_translated ? wan : wan_by_rules(rules));
}

static bool leads_to(const struct fw_zones *set, const char *wan)
{
	return has_name(set->first, wan) && !set->is_negated;
}

/* "Drop all that does not come from there." */
static bool shuts_out_others(const struct fw_rule *r)
{
	return (r->action == FW_DROP || r->action == FW_REJECT) &&
	       !r->is_disabled && !r->conditional && !r->schedule &&
	       r->in.first && r->in.is_negated && !r->out.first &&
	       !r->src.first && !r->dst.first && !r->services.first &&
	       r->states & FW_STATE_NEW;
}

/* Where no rule accepts what goes out: whom the box does not shut out. */
static const struct fw_zone *lan_by_drops(const struct fw_rules *rules,
                                          const char *wan)
{
	const struct fw_zone *lan = NULL;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (c->kind != FW_CHAIN_FILTER || !shuts_out_others(r))
				continue;
			if (has_name(r->in.first, wan) ||
			    !agree(&lan, only(&r->in)))
				return NULL;
		}
	}
	return lan;
}

static bool is_named(const struct fw_rules *rules, const char *name)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (has_name(r->in.first, name) ||
			    has_name(r->out.first, name))
				return true;
		}
	}
	return false;
}

/* Where rules do not tell: who has a private address, and the only one, or
 * one of several that no rule tells apart. */
static const char *lan_by_address(const struct fw_rules *rules, const char *wan)
{
	const struct fw_zone *lan = NULL;
	size_t n = 0, n_named = 0;

	for (const struct fw_zone *z = rules->inside.first; z; z = z->next) {
		if (strcmp(z->name, wan) == 0)
			continue;
		lan = lan ? lan : z;
		n++;
		n_named += is_named(rules, z->name);
	}
	return lan && (n == 1 || n_named == 0) ? lan->name : NULL;
}

const char *fw_guess_lan(const struct fw_rules *rules, const char *wan)
{
	const struct fw_zone *lan = NULL;
	const char *name;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->action != FW_ACCEPT || !r->in.first ||
			    !leads_to(&r->out, wan))
				continue;
			if (!agree(&lan, only_of(&r->in)))
				return NULL;
		}
	}
	name = settle(rules, lan ? lan : lan_by_drops(rules, wan));
	return name ? name : lan_by_address(rules, wan);
}

/* What has been heard of where phones are, by family. */
struct sources {
	const struct fw_addrs *said[2];
	bool is_open; /* somebody says: anywhere, or not the same */
};

static bool is_same(const struct fw_addrs *a, const struct fw_addrs *b,
                    bool is4)
{
	const struct fw_addr *x = a->first, *y = b->first;

	for (;;) {
		while (x && fw_ip_is4(x->lo) != is4)
			x = x->next;
		while (y && fw_ip_is4(y->lo) != is4)
			y = y->next;
		if (!x || !y)
			return x == y;
		if (fw_ip_cmp(x->lo, y->lo) || fw_ip_cmp(x->hi, y->hi))
			return false;
		x = x->next;
		y = y->next;
	}
}

static unsigned families_in(const struct fw_addrs *set)
{
	unsigned families = 0;

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		/* One host is not all that is inside. */
		if (a->kind != FW_ADDR_RANGE || fw_ip_cmp(a->lo, a->hi) == 0)
			return 0;
		families |= fw_ip_is4(a->lo) ? FW_IP4 : FW_IP6;
	}
	return families;
}

static void hear(struct sources *so, const struct fw_addrs *set)
{
	const unsigned families = set->is_negated ? 0 : families_in(set);

	if (!families)
		so->is_open = true;
	for (unsigned i = 0; i < ARRAY_LEN(so->said); i++) {
		if (!(families & (i == 0 ? FW_IP4 : FW_IP6)))
			continue;
		if (so->said[i] && !is_same(so->said[i], set, i == 0))
			so->is_open = true;
		so->said[i] = set;
	}
}

static bool may_name(const struct fw_zones *set, const char *name)
{
	bool is_sure = true, is_there = false;

	for (const struct fw_zone *z = set->first; z; z = z->next) {
		is_sure &= !z->is_unknown && !strchr(z->name, '*');
		is_there |= strcmp(z->name, name) == 0;
	}
	return !is_sure || !set->first || is_there != set->is_negated;
}

static bool is_between(const struct fw_rule *r, const struct fw_place *place)
{
	return (!place->out || may_name(&r->out, place->out)) &&
	       (!place->in || may_name(&r->in, place->in));
}

static void hear_all(struct sources *so, const struct fw_rules *rules,
                     const struct fw_place *place, bool is_nat)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			const bool speaks =
				is_nat ? r->nat.kind == FW_NAT_SOURCE &&
						 c->kind == FW_CHAIN_NAT &&
						 !r->is_disabled
				       : is_on_the_way(c) && opens(r);

			if (speaks && is_between(r, place))
				hear(so, &r->src);
		}
	}
}

int fw_guess_src(struct fw_addrs *out, struct arena *a,
                 const struct fw_rules *rules, const struct fw_place *place)
{
	struct fw_addrs src = {0};

	for (int is_nat = 1; is_nat >= 0 && !src.first; is_nat--) {
		struct sources so = {0};

		hear_all(&so, rules, place, is_nat);
		for (unsigned i = 0; i < ARRAY_LEN(so.said) && !so.is_open;
		     i++) {
			const struct fw_addr *ad =
				so.said[i] ? so.said[i]->first : NULL;

			for (; ad; ad = ad->next) {
				if (fw_ip_is4(ad->lo) == (i == 0) &&
				    !fw_addrs_add_range(a, &src, ad->lo,
				                        ad->hi))
					return ENOMEM;
			}
		}
	}
	*out = src;
	return 0;
}

void fw_place_put(struct wr *w, const struct fw_place *place)
{
	const bool is_both = place->in && place->src.first;

	if (place->in || !place->src.first)
		wr_str(w, place->in ? place->in : "*");
	wr_str(w, is_both ? " (" : "");
	for (const struct fw_addr *ad = place->src.first; ad; ad = ad->next) {
		wr_str(w, ad == place->src.first ? "" : ", ");
		fw_ip_put(w, ad->lo, ad->hi);
	}
	wr_str(w, is_both ? ")" : "");
}
