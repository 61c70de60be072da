/* SPDX-License-Identifier: ISC */
/*
 * Design: one fact a service, with the records that led anywhere and the
 * targets they led to. What each target's name leads to, is told by the fact
 * of that name.
 */
#include "probe/reach.h"

#include <string.h>

#include "base/i18n.h"

static bool has_address(const struct reach *r, const struct plan_srv *s)
{
	for (size_t t = 0; t < s->n_targets; t++) {
		if (plan_name(r->plan, s->targets[t].name)->n_addrs > 0)
			return true;
	}
	return false;
}

/* With all of its targets, in vain or not. */
static bool is_looked_up(const struct reach *r, const struct plan_srv *s)
{
	for (size_t t = 0; t < s->n_targets; t++) {
		if (!plan_name(r->plan, s->targets[t].name)->is_bound)
			return false;
	}
	return s->is_bound;
}

static const char *result_of(const struct reach *r, size_t i)
{
	const struct plan_srv *ps = plan_srv(r->plan, i);
	const struct reach_service *s = &r->services[i];

	if (ps->is_given)
		return "given";
	if (!is_looked_up(r, ps))
		return "unfinished";
	if (s->list.is_refused)
		return "not-offered";
	if (ps->is_fallback && !reach_tries_have_answer(&s->lookups))
		return "silent";
	if (!has_address(r, ps))
		return "no-address";
	return ps->is_fallback ? "fallback" : "resolved";
}

static void put_text(struct reach *r, struct val *m, const char *key,
                     const char *text)
{
	(void)reach_put(r, m, key,
	                val_text(report_text(r->report, slice_str(text))));
}

/* Those of one kind: a CNAME on the way is none. */
static void put_kind(struct reach *r, struct val *list,
                     const struct reach_lookup *l, const char *key)
{
	if (l->records.kind != VAL_LIST)
		return;
	for (const struct val_item *it = l->records.items.first; it;
	     it = it->next) {
		if (val_get(&it->v, key))
			(void)reach_put(r, list, NULL, it->v);
	}
}

/* Of each, the first server's that has any. */
static void put_records(struct reach *r, struct fact *f,
                        const struct reach_service *s)
{
	static const struct {
		const char *field, *key;
	} kinds[REACH_TYPES] = {{"naptr", "replacement"}, {"srv", "port"}};

	for (size_t t = 0; t < REACH_TYPES; t++) {
		struct val *list =
			fact_field(r->report, f, kinds[t].field, val_list());

		for (size_t i = 0; i < REACH_TRIES && list; i++) {
			if (list->items.n == 0)
				put_kind(r, list, &s->lookups.at[i][t],
				         kinds[t].key);
		}
		for (size_t i = 0; t == 1 && i < s->n_led; i++)
			put_kind(r, list, &s->led[i], kinds[t].key);
	}
}

static void put_lookups(struct reach *r, struct fact *f,
                        const struct reach_service *s)
{
	struct val *list = fact_field(r->report, f, "lookups", val_list());

	for (unsigned i = 0; i < (unsigned)REACH_TRIES * REACH_TYPES; i++) {
		const struct reach_lookup *l =
			&s->lookups.at[i / REACH_TYPES][i % REACH_TYPES];
		struct val *map;

		if (!l->is_asked)
			continue;
		map = reach_put(r, list, NULL, val_map());
		put_text(r, map, "name", l->topic.host);
		(void)reach_put(r, map, "type",
		                val_text(l->topic.type == NET_DNS_SRV
		                                 ? "srv"
		                                 : "naptr"));
		reach_put_lookup(r, map, l, 1);
	}
}

static void put_targets(struct reach *r, struct fact *f,
                        const struct plan_srv *ps)
{
	struct val *list = fact_field(r->report, f, "targets", val_list());
	struct val *unlisted = NULL;

	for (size_t t = 0; t < ps->n_targets; t++) {
		const struct plan_target *to = &ps->targets[t];
		struct val *map = reach_put(r, list, NULL, val_map());

		put_text(r, map, "host", plan_name(r->plan, to->name)->host);
		if (to->port)
			(void)reach_put(r, map, "port", val_int(to->port));
		if (!to->is_unlisted)
			continue;
		if (!unlisted)
			unlisted = fact_field(r->report, f, "unlisted_ports",
			                      val_list());
		(void)reach_put(r, unlisted, NULL, val_int(to->port));
	}
}

void reach_put_service(struct reach *r, size_t i)
{
	static const struct {
		const char *result;
		enum fact_state state;
		const char *summary;
	} all[] = {
		{"given", FACT_SKIPPED, N_("the service %1$s")},
		{"resolved", FACT_PASS, N_("the service %1$s has records")},
		{"fallback", FACT_WARN,
	         N_("the service %1$s has no record; its domain is asked")},
		{"no-address", FACT_FAIL,
	         N_("the service %1$s leads to no address")},
		{"not-offered", FACT_FAIL,
	         N_("the service %1$s: its record says that there is none")},
		{"silent", FACT_FAIL,
	         N_("the service %1$s: no name server answers")},
		{"unfinished", FACT_UNKNOWN, N_("the service %1$s")},
	};
	const struct plan_srv *ps = plan_srv(r->plan, i);
	const struct reach_service *s = &r->services[i];
	const char *result = result_of(r, i);
	struct fact *f;
	size_t k = 0;

	if (!ps->is_wanted)
		return;
	while (strcmp(all[k].result, result) != 0)
		k++;
	f = report_fact(r->report, "name.service", all[k].state, ps->host);
	reach_field(r, f, "result", val_text(result));
	reach_field_text(r, f, "domain", ps->domain);
	put_records(r, f, s);
	put_targets(r, f, ps);
	if (s->list.n_more)
		reach_field(r, f, "n_more", val_int(s->list.n_more));
	put_lookups(r, f, s);
	f->summary = (struct words){all[k].summary, {f->scope}};
	if (f->state == FACT_SKIPPED)
		f->why.msgid = N_("its address was given with --resolve");
	if (f->state == FACT_UNKNOWN)
		f->why.msgid = N_("the test was ended before it answered");
}

const char *reach_target_at(const struct reach *r, const struct plan_flow *f,
                            const struct addr *at)
{
	const struct plan_srv *ps =
		f->service == PLAN_NONE ? NULL : plan_srv(r->plan, f->service);

	for (size_t t = 0; ps && t < ps->n_targets; t++) {
		const struct plan_target *to = &ps->targets[t];
		const struct plan_name *name = plan_name(r->plan, to->name);

		/* no address is meant: one that has none */
		if (at == NULL && name->n_addrs == 0)
			return name->host;
		for (size_t i = 0; at && i < name->n_addrs; i++) {
			if (addr_ip_eq(&name->addrs[i], at) &&
			    (to->port == 0 || to->port == at->port))
				return name->host;
		}
	}
	return NULL;
}

bool reach_is_looked_up(const struct reach *r, const struct plan_flow *f)
{
	if (f->service == PLAN_NONE)
		return f->name != PLAN_NONE &&
		       plan_name(r->plan, f->name)->is_bound;
	return is_looked_up(r, plan_srv(r->plan, f->service));
}
