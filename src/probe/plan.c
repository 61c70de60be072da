/* SPDX-License-Identifier: ISC */
/*
 * Design: which protocol a port speaks is a table, read from top to bottom;
 * no code knows a port. A question belongs to an address, so a name that is
 * resolved late only adds questions; those already there keep their place,
 * and whoever asks may hold their index.
 */
#include "probe/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is asked besides, of the same address; it decides no flow. */
static const struct extra {
	struct plan_way of;
	struct plan_service service;
} extras[] = {
	{{PLAN_STUN, ASK_UDP}, {.ways = {{PLAN_TURN, ASK_UDP}}}},
	{{PLAN_STUN, ASK_TCP}, {.ways = {{PLAN_TURN, ASK_TCP}}}},
	{{PLAN_STUN, ASK_TLS}, {.ways = {{PLAN_TURN, ASK_TLS}}}},
	{{PLAN_SIP, ASK_UDP}, {.ways = {{PLAN_REGISTER, ASK_UDP}}}},
	{{PLAN_SIP, ASK_TLS}, {.ways = {{PLAN_REGISTER, ASK_TLS}}}},
	{{PLAN_SIP, ASK_UDP}, {.ways = {{PLAN_MTU, ASK_UDP}}}},
};

struct plan {
	struct plan_conf conf;
	const struct profile *profile;
	struct arena arena;
	struct plan_flow *flows;
	size_t n_flows;
	struct plan_name *names;
	size_t n_names;
	struct plan_question *questions;
	size_t n_questions, cap_questions;
};

static bool has_any(const struct profile_flow *f, const char *const *words,
                    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (plan_flow_has_word(f, words[i]))
			return true;
	}
	return false;
}

static bool is_wanted(const struct plan *p, const struct profile_flow *f)
{
	const struct plan_conf *c = &p->conf;

	return (c->n_only == 0 || has_any(f, c->only, c->n_only)) &&
	       !has_any(f, c->skip, c->n_skip);
}

static bool is_kind_wanted(const struct plan *p, enum plan_kind kind)
{
	const char *name = plan_kind_name(kind);

	for (size_t i = 0; i < p->conf.n_skip; i++) {
		if (strcmp(p->conf.skip[i], name) == 0)
			return false;
	}
	return true;
}

/* Questions */

static bool same_port(const struct plan_question *a,
                      const struct plan_question *b)
{
	return addr_eq(&a->addr, &b->addr) &&
	       (a->service->ways[0].via == ASK_UDP) ==
	               (b->service->ways[0].via == ASK_UDP);
}

static bool same_question(const struct plan_question *a,
                          const struct plan_question *b)
{
	return a->service == b->service && a->last == b->last &&
	       same_port(a, b) &&
	       (!(a->service->flags & PLAN_OF_HOST) ||
	        strcmp(a->host, b->host) == 0);
}

static int question_add(size_t *ip, struct plan *p, struct plan_question q)
{
	q.leader = PLAN_NONE;
	for (size_t i = 0; i < p->n_questions; i++) {
		if (same_question(&p->questions[i], &q)) {
			*ip = i;
			return 0;
		}
		/* a range has many ports: it waits for none of them */
		if (q.leader == PLAN_NONE && q.last == q.addr.port &&
		    p->questions[i].last == p->questions[i].addr.port &&
		    same_port(&p->questions[i], &q))
			q.leader = i;
	}
	if (p->n_questions == p->cap_questions) {
		size_t cap = p->cap_questions ? p->cap_questions * 2 : 64;
		struct plan_question *more =
			realloc(p->questions, cap * sizeof(*more));

		if (!more)
			return ENOMEM;
		p->questions = more;
		p->cap_questions = cap;
	}
	*ip = p->n_questions;
	p->questions[p->n_questions++] = q;
	return 0;
}

static int extras_add(struct plan *p, const struct plan_question *q)
{
	const struct plan_way *way = &q->service->ways[0];
	struct plan_question more = *q;
	size_t unused;
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(extras) && !err; i++) {
		if (extras[i].of.kind != way->kind ||
		    extras[i].of.via != way->via ||
		    q->service->flags & PLAN_DOUBTFUL ||
		    !is_kind_wanted(p, extras[i].service.ways[0].kind))
			continue;
		more.service = &extras[i].service;
		more.is_extra = true;
		more.n_flows = 0;
		err = question_add(&unused, p, more);
	}
	return err;
}

static int flow_ask(struct plan *p, struct plan_flow *f, const struct addr *at)
{
	struct plan_question q = {
		.service = plan_service_for(&f->flow),
		.host = f->flow.row->host,
		.addr = *at,
		.last = f->flow.ports.last,
	};
	size_t i;
	int err;

	q.addr.port = f->flow.ports.first;
	err = question_add(&i, p, q);
	if (err)
		return err;
	f->questions[f->n_questions++] = i;
	p->questions[i].n_flows++;
	f->skip = PLAN_ASKED;
	return p->conf.has_extras ? extras_add(p, &q) : 0;
}

static int flow_ask_all(struct plan *p, struct plan_flow *f,
                        const struct addr *addrs, size_t n)
{
	enum plan_skip skip = PLAN_NO_ADDRESS;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const struct plan_conf *c = &p->conf;

		if (c->family != ADDR_NONE && addrs[i].family != c->family)
			skip = PLAN_FAMILY;
		else if (c->may_go && !c->may_go(&addrs[i]))
			skip = PLAN_HOME;
		else if (f->n_questions < PLAN_NAME_ADDRS)
			err = flow_ask(p, f, &addrs[i]);
	}
	if (f->n_questions == 0)
		f->skip = skip;
	return err;
}

struct addr plan_mapped(const struct plan *p, const struct addr *a)
{
	struct addr out = *a;

	(void)profile_map_apply(&out, p->conf.maps, p->conf.n_maps);
	return out;
}

size_t plan_name_expected(struct addr *out, size_t max, const struct plan *p,
                          size_t name)
{
	size_t n = 0;

	for (size_t i = 0; i < p->profile->n_rows; i++) {
		const struct profile_row *row = &p->profile->rows[i];

		if (!slice_ieq(slice_str(row->host),
		               slice_str(p->names[name].host)))
			continue;
		for (size_t k = 0; k < row->n_addresses && n < max; k++)
			out[n++] = plan_mapped(p, &row->addresses[k]);
	}
	return n;
}

static bool has_word(struct slice text, const char *word)
{
	struct slice w = slice_str(word);

	for (size_t i = 0; i + w.n <= text.n; i++) {
		if (slice_ieq(slice_sub(text, i, w.n), w))
			return true;
	}
	return false;
}

bool plan_is_other_issuer(const struct plan *p, const char *host,
                          const struct slice *names, size_t n_names)
{
	bool is_said = false;

	for (size_t i = 0; i < p->profile->n_rows; i++) {
		const struct profile_row *row = &p->profile->rows[i];

		if (!slice_ieq(slice_str(row->host), slice_str(host)))
			continue;
		for (size_t k = 0; k < row->n_issuers; k++) {
			is_said = true;
			for (size_t n = 0; n < n_names; n++) {
				if (has_word(names[n], row->issuers[k]))
					return false;
			}
		}
	}
	return is_said;
}

bool plan_name_is_sip(const struct plan *p, size_t name)
{
	for (size_t i = 0; i < p->n_flows; i++) {
		if (p->flows[i].name == name &&
		    p->flows[i].flow.row->cls == PROFILE_SIP &&
		    p->flows[i].skip != PLAN_NOT_WANTED)
			return true;
	}
	return false;
}

static size_t name_find(const struct plan *p, const char *host)
{
	for (size_t i = 0; i < p->n_names; i++) {
		if (slice_ieq(slice_str(p->names[i].host), slice_str(host)))
			return i;
	}
	return PLAN_NONE;
}

static void name_give(struct plan *p, struct plan_name *name)
{
	for (size_t i = 0; i < p->conf.n_aliases; i++) {
		const struct profile_alias *al = &p->conf.aliases[i];

		if (!profile_alias_is_for(al, name->host) ||
		    name->n_addrs == PLAN_NAME_ADDRS)
			continue;
		name->addrs[name->n_addrs++] = plan_mapped(p, &al->addr);
		name->is_given = true;
		name->is_bound = true;
	}
}

static size_t name_add(struct plan *p, const char *host)
{
	size_t i = name_find(p, host);

	if (i != PLAN_NONE)
		return i;
	i = p->n_names++; /* there is room: one for each row */
	p->names[i].host = host;
	name_give(p, &p->names[i]);
	return i;
}

static const char *scope_of(struct plan *p, const struct profile_flow *f)
{
	const char *transport = profile_transport_name(f->transport);

	if (f->ports.first == f->ports.last)
		return arena_fmt(&p->arena, "%s/%u/%s/%u", f->row->table,
		                 f->row->row, transport, f->ports.first);
	return arena_fmt(&p->arena, "%s/%u/%s/%u-%u", f->row->table,
	                 f->row->row, transport, f->ports.first, f->ports.last);
}

static int flow_add(struct plan *p, const struct profile_flow *from)
{
	struct plan_flow *f = &p->flows[p->n_flows++];
	struct addr at;

	f->flow = *from;
	f->name = PLAN_NONE;
	f->scope = scope_of(p, from);
	if (!f->scope)
		return ENOMEM;
	if (!is_wanted(p, from)) {
		f->skip = PLAN_NOT_WANTED;
		return 0;
	}
	if (from->row->is_srv) {
		f->skip = PLAN_SRV;
		return 0;
	}
	if (from->row->addr.family != ADDR_NONE) {
		at = plan_mapped(p, &from->row->addr);
		return flow_ask_all(p, f, &at, 1);
	}
	f->name = name_add(p, from->row->host);
	p->names[f->name].is_wanted |=
		p->conf.may_resolve || p->names[f->name].is_given;
	f->skip = p->conf.may_resolve ? PLAN_NO_ADDRESS : PLAN_HOME_NAME;
	if (!p->names[f->name].is_bound)
		return 0;
	return flow_ask_all(p, f, p->names[f->name].addrs,
	                    p->names[f->name].n_addrs);
}

int plan_alloc(struct plan **pp, const struct profile *profile,
               const struct plan_conf *conf)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct profile_iter it = {0};
	struct profile_flow f;
	int err = 0;

	if (!p)
		return ENOMEM;
	arena_init(&p->arena);
	p->conf = *conf;
	p->profile = profile;
	p->flows = calloc(profile_n_flows(profile) + 1, sizeof(*p->flows));
	p->names = calloc(profile->n_rows + 1, sizeof(*p->names));
	if (!p->flows || !p->names)
		err = ENOMEM;
	while (!err && profile_flow_next(&f, profile, &it))
		err = flow_add(p, &f);
	if (err)
		plan_free(p);
	else
		*pp = p;
	return err;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	arena_fini(&p->arena);
	free(p->flows);
	free(p->names);
	free(p->questions);
	free(p);
}

int plan_bind(struct plan *p, size_t name, const struct addr *addrs, size_t n)
{
	struct plan_name *pn = &p->names[name];
	int err = 0;

	pn->is_bound = true;
	for (size_t i = 0; i < n && pn->n_addrs < PLAN_NAME_ADDRS; i++)
		pn->addrs[pn->n_addrs++] = plan_mapped(p, &addrs[i]);
	for (size_t i = 0; i < p->n_flows && !err; i++) {
		if (p->flows[i].name == name &&
		    p->flows[i].skip != PLAN_NOT_WANTED)
			err = flow_ask_all(p, &p->flows[i], pn->addrs,
			                   pn->n_addrs);
	}
	return err;
}

size_t plan_n_flows(const struct plan *p)
{
	return p->n_flows;
}

const struct plan_flow *plan_flow(const struct plan *p, size_t i)
{
	return &p->flows[i];
}

size_t plan_n_names(const struct plan *p)
{
	return p->n_names;
}

const struct plan_name *plan_name(const struct plan *p, size_t i)
{
	return &p->names[i];
}

size_t plan_n_questions(const struct plan *p)
{
	return p->n_questions;
}

const struct plan_question *plan_question(const struct plan *p, size_t i)
{
	return &p->questions[i];
}
