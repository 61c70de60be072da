/* SPDX-License-Identifier: ISC */
/*
 * Design: parsers of rule languages meet "not", "and" and unknown words in
 * any order. Protocols and ports are small, so their sets are kept complete
 * and negation is resolved here; the rest goes into the model as it is. What
 * cannot be said leaves a doubt, and the rule then matches at most what was
 * understood before it: sound, whatever came after.
 */
#include "firewall/match.h"

#include <errno.h>
#include <string.h>

void fw_match_init(struct fw_match *m, struct arena *a)
{
	*m = (struct fw_match){.arena = a};
	m->rule.id = "";
	m->rule.families = FW_IP4 | FW_IP6;
	m->rule.states = FW_STATE_ALL;
	m->rule.attrs = fw_attrs_unset();
	memset(m->protos, true, sizeof(m->protos));
}

void fw_match_fini(struct fw_match *m)
{
	fw_ivals_fini(&m->sports);
	fw_ivals_fini(&m->dports);
}

static void copy_ivals(struct fw_ivals *to, const struct fw_ivals *from)
{
	*to = (struct fw_ivals){0};
	for (size_t i = 0; i < from->n; i++)
		fw_ivals_add(to, from->v[i].lo, from->v[i].hi);
}

int fw_match_copy(struct fw_match *to, const struct fw_match *m)
{
	*to = *m;
	copy_ivals(&to->sports, &m->sports);
	copy_ivals(&to->dports, &m->dports);
	return to->sports.no_memory || to->dports.no_memory ? ENOMEM : 0;
}

void fw_match_doubt(struct fw_match *m, struct slice why)
{
	if (m->rule.conditional)
		return;
	m->rule.conditional = arena_dup(m->arena, why);
	if (!m->rule.conditional)
		m->no_memory = true;
}

void fw_match_close(struct fw_match *m, struct slice why)
{
	fw_match_doubt(m, why);
	m->is_closed = true;
}

void fw_match_protos(struct fw_match *m, const bool set[256], bool is_negated)
{
	if (m->is_closed)
		return;
	m->has_proto = true;
	for (unsigned i = 0; i < 256; i++)
		m->protos[i] &= set[i] ^ is_negated;
	m->is_impossible |= !memchr(m->protos, 1, sizeof(m->protos));
}

void fw_match_proto(struct fw_match *m, int proto)
{
	bool set[256] = {false};

	set[proto & UINT8_MAX] = true;
	fw_match_protos(m, set, false);
}

void fw_match_families(struct fw_match *m, unsigned families)
{
	if (m->is_closed)
		return;
	m->rule.families &= families;
	m->is_impossible |= m->rule.families == 0;
}

void fw_match_states(struct fw_match *m, unsigned states, bool is_negated)
{
	if (m->is_closed)
		return;
	m->rule.states &= is_negated ? ~states : states;
	m->is_impossible |= m->rule.states == 0;
}

/* a becomes a intersected with b */
static void narrow(struct fw_ivals *a, const struct fw_ivals *b)
{
	struct fw_ivals out = {.no_memory = a->no_memory};

	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			const uint32_t lo = a->v[i].lo > b->v[k].lo
			                            ? a->v[i].lo
			                            : b->v[k].lo;
			const uint32_t hi = a->v[i].hi < b->v[k].hi
			                            ? a->v[i].hi
			                            : b->v[k].hi;

			if (lo <= hi)
				fw_ivals_add(&out, lo, hi);
		}
	}
	fw_ivals_fini(a);
	*a = out;
}

void fw_match_ports(struct fw_match *m, bool is_dest,
                    const struct fw_ivals *ports, bool is_negated)
{
	const struct fw_ival all = {0, FW_PORT_MAX};
	struct fw_ivals *at = is_dest ? &m->dports : &m->sports;
	bool *has = is_dest ? &m->has_dports : &m->has_sports;
	struct fw_ivals copy = {.no_memory = ports->no_memory};

	if (m->is_closed)
		return;
	if (!*has)
		fw_ivals_add(at, all.lo, all.hi);
	*has = true;
	for (size_t i = 0; i < ports->n; i++)
		fw_ivals_add(&copy, ports->v[i].lo, ports->v[i].hi);
	if (is_negated)
		fw_ivals_complement(&copy, all);
	narrow(at, &copy);
	m->no_memory |= copy.no_memory || at->no_memory;
	m->is_impossible |= at->n == 0;
	fw_ivals_fini(&copy);
}

void fw_match_addrs(struct fw_match *m, bool is_dest, struct fw_addrs set)
{
	struct fw_addrs *at = is_dest ? &m->rule.dst : &m->rule.src;

	if (m->is_closed)
		return;
	if (at->first || at->is_negated)
		fw_match_doubt(m, slice_str("several address matches"));
	else
		*at = set;
	m->is_impossible |= !set.first && !set.is_negated;
}

void fw_match_zones(struct fw_match *m, bool is_out, struct fw_zones set)
{
	struct fw_zones *at = is_out ? &m->rule.out : &m->rule.in;

	if (m->is_closed)
		return;
	if (at->first || at->is_negated)
		fw_match_doubt(m, slice_str("several interface matches"));
	else
		*at = set;
	m->is_impossible |= !set.first && !set.is_negated;
}

static bool add_service(struct fw_match *m, int proto, struct fw_ival s,
                        struct fw_ival d)
{
	struct fw_service *sv =
		fw_services_add(m->arena, &m->rule.services, proto,
	                        (uint16_t)d.lo, (uint16_t)d.hi);

	if (!sv)
		return false;
	sv->sport_lo = (uint16_t)s.lo;
	sv->sport_hi = (uint16_t)s.hi;
	return true;
}

static bool add_ports(struct fw_match *m, int proto)
{
	const struct fw_ival all = {0, FW_PORT_MAX};
	const size_t n_s = m->has_sports ? m->sports.n : 1;
	const size_t n_d = m->has_dports ? m->dports.n : 1;

	for (size_t i = 0; i < n_s * n_d; i++) {
		const struct fw_ival s =
			m->has_sports ? m->sports.v[i / n_d] : all;
		const struct fw_ival d =
			m->has_dports ? m->dports.v[i % n_d] : all;

		if (!add_service(m, proto, s, d))
			return false;
	}
	return true;
}

static bool make_services(struct fw_match *m)
{
	if (!m->has_proto && !m->has_sports && !m->has_dports)
		return true;
	if (!m->has_proto)
		return add_ports(m, FW_PROTO_ANY);
	for (const bool *p = m->protos, *end = p + ARRAY_LEN(m->protos);
	     (p = memchr(p, 1, (size_t)(end - p))); p++) {
		if (!add_ports(m, (int)(p - m->protos)))
			return false;
	}
	return true;
}

struct fw_rule *fw_match_done(struct fw_match *m, struct fw_rules *rules,
                              struct fw_chain *c)
{
	struct fw_rule *r;

	if (m->no_memory || (!m->is_impossible && !make_services(m)))
		return NULL;
	r = fw_rule_add(rules, c);
	if (!r)
		return NULL;
	*r = m->rule;
	r->next = NULL;
	r->chain = c;
	r->is_disabled = r->is_disabled || m->is_impossible;
	return r;
}
