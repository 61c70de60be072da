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

#include "profile/service.h"

/* What is asked besides, of the same address; it decides no flow. */
static const struct extra {
	struct plan_way of;
	struct plan_service service;
} extras[] = {
	{{PLAN_STUN, ASK_UDP}, {.ways = {{PLAN_TURN, ASK_UDP}}}},
	{{PLAN_STUN, ASK_TCP}, {.ways = {{PLAN_TURN, ASK_TCP}}}},
	{{PLAN_STUN, ASK_TLS}, {.ways = {{PLAN_TURN, ASK_TLS}}}},
	{{PLAN_SIP, ASK_UDP}, {.ways = {{PLAN_REGISTER, ASK_UDP}}}},
	{{PLAN_SIP, ASK_TCP}, {.ways = {{PLAN_REGISTER, ASK_TCP}}}},
	{{PLAN_SIP, ASK_TLS}, {.ways = {{PLAN_REGISTER, ASK_TLS}}}},
	{{PLAN_SIP, ASK_WS}, {.ways = {{PLAN_REGISTER, ASK_WS}}}},
	{{PLAN_SIP, ASK_WSS}, {.ways = {{PLAN_REGISTER, ASK_WSS}}}},
	{{PLAN_SIP, ASK_UDP}, {.ways = {{PLAN_MTU, ASK_UDP}}}},
};

struct plan {
	struct plan_conf conf;
	const struct profile *profile;
	struct arena arena;
	struct plan_flow *flows;
	size_t n_flows;
	struct plan_name *names;
	size_t n_names, max_names;
	struct plan_srv *srvs;
	size_t n_srvs;
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

static int flow_ask(struct plan *p, struct plan_flow *f, const struct addr *at,
                    uint16_t port)
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
	if (f->service != PLAN_NONE)
		q.host = p->srvs[f->service].domain;
	if (port)
		q.addr.port = q.last = port;
	err = question_add(&i, p, q);
	if (err)
		return err;
	f->questions[f->n_questions++] = i;
	p->questions[i].n_flows++;
	f->skip = PLAN_ASKED;
	return p->conf.has_extras ? extras_add(p, &q) : 0;
}

/* @param port  0: the flow's own
 * @param max   Of the questions to these addresses */
static int flow_ask_all(struct plan *p, struct plan_flow *f,
                        const struct plan_name *name, uint16_t port, size_t max)
{
	enum plan_skip skip = PLAN_NO_ADDRESS;
	int err = 0;

	for (size_t i = 0; i < name->n_addrs && !err; i++) {
		const struct plan_conf *c = &p->conf;
		const struct addr *at = &name->addrs[i];

		if (c->family != ADDR_NONE && at->family != c->family)
			skip = PLAN_FAMILY;
		else if (c->may_go && !c->may_go(at))
			skip = PLAN_HOME;
		else if (max > 0 && f->n_questions < PLAN_FLOW_QUESTIONS) {
			err = flow_ask(p, f, at, port);
			max--;
		}
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

/* The row's own, or one of the targets of its service. */
static bool leads_to(const struct plan *p, const struct profile_row *row,
                     size_t name)
{
	const struct plan_srv *s;

	if (slice_ieq(slice_str(row->host), slice_str(p->names[name].host)))
		return true;
	for (size_t i = 0; i < p->n_srvs && row->is_srv; i++) {
		s = &p->srvs[i];
		if (!slice_ieq(slice_str(row->host), slice_str(s->host)))
			continue;
		for (size_t t = 0; t < s->n_targets; t++) {
			if (s->targets[t].name == name)
				return true;
		}
	}
	return false;
}

size_t plan_name_expected(struct addr *out, size_t max, const struct plan *p,
                          size_t name)
{
	size_t n = 0;

	for (size_t i = 0; i < p->profile->n_rows; i++) {
		const struct profile_row *row = &p->profile->rows[i];

		if (!leads_to(p, row, name))
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

/* Whose certificate it is: a service's names its domain. */
static bool is_row_of(const struct profile_row *row, const char *host)
{
	struct profile_service s = {.domain = row->host};

	if (row->is_srv)
		(void)profile_service_read(&s, row->host);
	return slice_ieq(slice_str(s.domain), slice_str(host));
}

bool plan_is_other_issuer(const struct plan *p, const char *host,
                          const struct slice *names, size_t n_names)
{
	bool is_said = false;

	for (size_t i = 0; i < p->profile->n_rows; i++) {
		const struct profile_row *row = &p->profile->rows[i];

		if (!is_row_of(row, host))
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
		if (p->flows[i].flow.row->cls == PROFILE_SIP &&
		    leads_to(p, p->flows[i].flow.row, name) &&
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

static bool is_given(const struct plan *p, const char *host)
{
	for (size_t i = 0; i < p->conf.n_aliases; i++) {
		if (profile_alias_is_for(&p->conf.aliases[i], host))
			return true;
	}
	return false;
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
	i = p->n_names++; /* there is room: see count_names() */
	p->names[i].host = host;
	name_give(p, &p->names[i]);
	return i;
}

/* Services */

static size_t srv_add(struct plan *p, const char *host)
{
	struct profile_service s = {.domain = host};

	for (size_t i = 0; i < p->n_srvs; i++) {
		if (slice_ieq(slice_str(p->srvs[i].host), slice_str(host)))
			return i;
	}
	(void)profile_service_read(&s, host);
	p->srvs[p->n_srvs] = (struct plan_srv){
		.host = host,
		.domain = s.domain,
		.naptr = profile_service_naptr(&s),
		.is_given = is_given(p, host) ||
	                    (!p->conf.may_resolve && is_given(p, s.domain)),
	};
	return p->n_srvs++;
}

static bool has_port(const struct plan_flow *f, uint16_t port)
{
	return port == 0 ||
	       (f->flow.ports.first <= port && port <= f->flow.ports.last);
}

/* A port that no row has is for the first flow that is asked at all. */
static bool takes(const struct plan *p, size_t flow, size_t srv,
                  const struct plan_target *t)
{
	const struct plan_flow *f = &p->flows[flow];

	if (f->service != srv || f->skip == PLAN_NOT_WANTED)
		return false;
	if (!t->is_unlisted)
		return has_port(f, t->port);
	for (size_t i = 0; i < flow; i++) {
		if (p->flows[i].service == srv &&
		    p->flows[i].skip != PLAN_NOT_WANTED)
			return false;
	}
	return true;
}

static int target_ask(struct plan *p, size_t srv, const struct plan_target *t)
{
	const struct plan_name *name = &p->names[t->name];
	int err = 0;

	for (size_t i = 0; i < p->n_flows && !err; i++) {
		if (takes(p, i, srv, t))
			err = flow_ask_all(p, &p->flows[i], name, t->port,
			                   PLAN_TARGET_ADDRS);
	}
	return err;
}

static void target_add(struct plan *p, size_t srv, const char *host,
                       uint16_t port)
{
	struct plan_srv *s = &p->srvs[srv];
	struct plan_target *t = &s->targets[s->n_targets++];

	t->port = port;
	t->name = name_add(p, host);
	p->names[t->name].is_wanted = true;
	t->is_unlisted = true;
	for (size_t i = 0; i < p->n_flows; i++)
		t->is_unlisted &= p->flows[i].service != srv ||
		                  !has_port(&p->flows[i], port);
}

static bool is_led_to(const struct plan *p, size_t flow, size_t srv)
{
	for (size_t t = 0; t < p->srvs[srv].n_targets; t++) {
		if (takes(p, flow, srv, &p->srvs[srv].targets[t]))
			return true;
	}
	return false;
}

int plan_srv_bind(struct plan *p, size_t srv, const struct srv_list *l)
{
	struct plan_srv *s = &p->srvs[srv];
	int err = 0;

	s->is_bound = true;
	s->is_fallback = l->n_targets == 0 && !l->is_refused && !s->is_given;
	for (size_t i = 0; i < l->n_targets; i++)
		target_add(p, srv, l->targets[i].host, l->targets[i].port);
	if (l->n_targets == 0 && !l->is_refused)
		target_add(p, srv, is_given(p, s->host) ? s->host : s->domain,
		           0);
	for (size_t i = 0; i < p->n_flows; i++) {
		struct plan_flow *f = &p->flows[i];

		if (f->service != srv || f->skip == PLAN_NOT_WANTED)
			continue;
		f->skip = l->is_refused          ? PLAN_NOT_OFFERED
		          : is_led_to(p, i, srv) ? PLAN_NO_ADDRESS
		                                 : PLAN_NOT_NAMED;
	}
	for (size_t t = 0; t < s->n_targets && !err; t++) {
		if (p->names[s->targets[t].name].is_bound)
			err = target_ask(p, srv, &s->targets[t]);
	}
	return err;
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
	struct plan_name at = {.n_addrs = 1};

	f->flow = *from;
	f->name = PLAN_NONE;
	f->service = PLAN_NONE;
	f->scope = scope_of(p, from);
	if (!f->scope)
		return ENOMEM;
	if (from->row->is_srv)
		f->service = srv_add(p, from->row->host);
	if (!is_wanted(p, from)) {
		f->skip = PLAN_NOT_WANTED;
		return 0;
	}
	if (from->row->addr.family != ADDR_NONE) {
		at.addrs[0] = plan_mapped(p, &from->row->addr);
		return flow_ask_all(p, f, &at, 0, 1);
	}
	f->skip = p->conf.may_resolve ? PLAN_NO_ADDRESS : PLAN_HOME_NAME;
	if (from->row->is_srv) {
		p->srvs[f->service].is_wanted |=
			p->conf.may_resolve || p->srvs[f->service].is_given;
		return 0;
	}
	f->name = name_add(p, from->row->host);
	p->names[f->name].is_wanted |=
		p->conf.may_resolve || p->names[f->name].is_given;
	if (!p->names[f->name].is_bound)
		return 0;
	return flow_ask_all(p, f, &p->names[f->name], 0, PLAN_NAME_ADDRS);
}

/* Each row has one, and each service its targets, or its domain. */
static size_t count_names(const struct profile *profile)
{
	size_t n = profile->n_rows + 1;

	for (size_t i = 0; i < profile->n_rows; i++)
		n += profile->rows[i].is_srv ? SRV_TARGETS_MAX : 0;
	return n;
}

/* All flows are known by now, and so are the ports of every service. */
static int give_srvs(struct plan *p)
{
	int err = 0;

	for (size_t i = 0; i < p->n_srvs && !err; i++) {
		if (p->srvs[i].is_given && p->srvs[i].is_wanted)
			err = plan_srv_bind(p, i, &(struct srv_list){0});
	}
	return err;
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
	p->max_names = count_names(profile);
	p->names = calloc(p->max_names, sizeof(*p->names));
	p->srvs = calloc(profile->n_rows + 1, sizeof(*p->srvs));
	if (!p->flows || !p->names || !p->srvs)
		err = ENOMEM;
	while (!err && profile_flow_next(&f, profile, &it))
		err = flow_add(p, &f);
	if (!err)
		err = give_srvs(p);
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
	free(p->srvs);
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
			err = flow_ask_all(p, &p->flows[i], pn, 0,
			                   PLAN_NAME_ADDRS);
	}
	for (size_t i = 0; i < p->n_srvs && !err; i++) {
		for (size_t t = 0; t < p->srvs[i].n_targets && !err; t++) {
			if (p->srvs[i].targets[t].name == name)
				err = target_ask(p, i, &p->srvs[i].targets[t]);
		}
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

size_t plan_max_names(const struct plan *p)
{
	return p->max_names;
}

size_t plan_n_srvs(const struct plan *p)
{
	return p->n_srvs;
}

const struct plan_srv *plan_srv(const struct plan *p, size_t i)
{
	return &p->srvs[i];
}

size_t plan_n_questions(const struct plan *p)
{
	return p->n_questions;
}

const struct plan_question *plan_question(const struct plan *p, size_t i)
{
	return &p->questions[i];
}
