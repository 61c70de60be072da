/* SPDX-License-Identifier: ISC */
/*
 * Design: a row that names a service record is asked for both at once, for the
 * record itself and for the NAPTR records of its domain (RFC 3263 section
 * 4.1). Programs whose transport is set ask for the first alone, others are
 * led by the second; so the targets of both are this service's, those that
 * NAPTR leads to first. NAPTR is followed one step and to SRV only, an SRV
 * record to addresses only. Where there is neither, the domain itself is the
 * target (section 4.2).
 *
 * The targets are names of the plan: looked up, compared with the profile and
 * told like any other.
 */
#include "probe/reach.h"

#include <errno.h>
#include <stdlib.h>

static void take(struct reach_lookup *l, const struct net_dns_msg *m)
{
	struct report *report = l->reach->report;

	srv_take(&l->list, report, m, l->topic.type, l->topic.naptr);
	l->records = srv_records(report, m, l->topic.type);
	l->has_content = l->list.n_targets > 0 || l->list.is_refused;
}

static void ask_all(struct reach *r, struct reach_service *s)
{
	const struct plan_srv *ps = plan_srv(r->plan, s->no);
	const struct reach_topic topics[REACH_TYPES] = {
		{.host = ps->naptr ? ps->domain : NULL,
	         .type = NET_DNS_NAPTR,
	         .take = take,
	         .naptr = ps->naptr},
		{.host = ps->host,
	         .type = NET_DNS_SRV,
	         .take = take,
	         .is_decisive = true},
	};

	s->is_asked = true;
	reach_tries_start(r, &s->lookups, topics);
}

int reach_services_start(struct reach *r)
{
	r->services = calloc(plan_n_srvs(r->plan) + 1, sizeof(*r->services));
	if (!r->services)
		return ENOMEM;
	for (size_t i = 0; i < plan_n_srvs(r->plan); i++) {
		const struct plan_srv *ps = plan_srv(r->plan, i);
		struct reach_service *s = &r->services[i];

		s->reach = r;
		s->no = i;
		if (ps->is_wanted && !ps->is_bound && r->run->conf->n_dns > 0)
			ask_all(r, s);
	}
	return 0;
}

/* Of all servers the first one that has any. */
static const struct srv_list *list_of(const struct reach_service *s, size_t t)
{
	static const struct srv_list none;

	for (size_t i = 0; i < REACH_TRIES; i++) {
		const struct srv_list *l = &s->lookups.at[i][t].list;

		if (l->n_targets + l->n_names > 0 || l->is_refused)
			return l;
	}
	return &none;
}

/* @return true: there is none, or all are over */
static bool are_led_over(struct reach *r, struct reach_service *s)
{
	const struct reach_lookup *said = reach_tries_speaker(&s->lookups);
	const struct srv_list *l = list_of(s, 0);
	bool is_all = true;

	for (size_t i = 0; !s->has_led && said && i < l->n_names; i++) {
		const struct reach_topic topic = {
			.host = l->names[i], .type = NET_DNS_SRV, .take = take};
		struct reach_lookup *led = &s->led[s->n_led];

		if (slice_ieq(slice_str(l->names[i]),
		              slice_str(plan_srv(r->plan, s->no)->host)))
			continue;
		led->server = said->server;
		led->is_tcp = said->is_tcp;
		s->n_led++;
		reach_lookup_start(r, led, &topic);
	}
	s->has_led = true;
	for (size_t i = 0; i < s->n_led; i++)
		is_all &= s->led[i].is_over;
	return is_all;
}

static void bind_service(struct reach *r, struct reach_service *s)
{
	for (size_t i = 0; i < s->n_led; i++)
		srv_join(&s->list, &s->led[i].list);
	srv_join(&s->list, list_of(s, 1));
	s->is_over = true;
	if (plan_srv_bind(r->plan, s->no, &s->list))
		r->report->no_memory = true;
}

bool reach_services_go(struct reach *r)
{
	bool is_all = true;

	for (size_t i = 0; i < plan_n_srvs(r->plan); i++) {
		struct reach_service *s = &r->services[i];

		if (!s->is_asked)
			continue;
		if (!s->is_over && reach_tries_known(r, &s->lookups) &&
		    are_led_over(r, s))
			bind_service(r, s);
		is_all &= s->is_over;
	}
	return is_all;
}

void reach_services_stop(struct reach *r)
{
	for (size_t i = 0; r->services && i < plan_n_srvs(r->plan); i++) {
		reach_tries_stop(&r->services[i].lookups);
		for (size_t k = 0; k < r->services[i].n_led; k++)
			net_dns_free(r->services[i].led[k].dns);
	}
	free(r->services);
}
