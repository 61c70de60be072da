/* SPDX-License-Identifier: ISC */
/*
 * Design: names are looked up at once, and those that a service leads to as
 * soon as it is known.
 *
 * Names that exist for nobody, and the first one of SIP, are looked into with
 * all that DNS has (ask_dns.c), beside the questions: it decides no flow.
 */
#include "probe/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/guard.h"

static void take_addresses(struct reach_lookup *l, const struct net_dns_msg *m)
{
	bool has_alias = false;

	for (size_t i = 0; i < m->n_records; i++) {
		const struct net_dns_record *rec = &m->records[i];

		has_alias |= rec->type == NET_DNS_CNAME;
		if ((rec->type == NET_DNS_A || rec->type == NET_DNS_AAAA) &&
		    !rec->is_additional && l->n_addrs < PLAN_NAME_ADDRS)
			l->addrs[l->n_addrs++] = rec->addr;
	}
	l->is_cname_only = has_alias && l->n_addrs == 0;
	l->has_content = l->n_addrs > 0;
}

static void ask_all(struct reach_name *n)
{
	const char *host = plan_name(n->reach->plan, n->no)->host;
	const struct reach_topic topics[REACH_TYPES] = {
		{.host = host, .type = NET_DNS_A, .take = take_addresses},
		{.host = host, .type = NET_DNS_AAAA, .take = take_addresses},
	};

	n->is_asked = true;
	reach_tries_start(n->reach, &n->lookups, topics);
}

int reach_names_start(struct reach *r)
{
	r->names = calloc(plan_max_names(r->plan), sizeof(*r->names));
	return r->names ? 0 : ENOMEM;
}

static int bind_name(struct reach *r, struct reach_name *n)
{
	struct addr addrs[PLAN_NAME_ADDRS];
	size_t n_addrs = 0;

	n->is_over = true;
	for (size_t s = 0; s < REACH_TRIES && n_addrs == 0; s++) {
		for (size_t t = 0; t < REACH_TYPES; t++) {
			const struct reach_lookup *l = &n->lookups.at[s][t];

			for (size_t i = 0;
			     i < l->n_addrs && n_addrs < PLAN_NAME_ADDRS; i++)
				addrs[n_addrs++] = l->addrs[i];
		}
	}
	return plan_bind(r->plan, n->no, addrs, n_addrs);
}

static void on_looked(void *arg, const struct ask_result *res)
{
	struct reach_name *n = arg;

	n->look_fields = res->fields;
	n->has_look = true;
	ask_free(n->look);
	n->look = NULL;
	n->reach->n_looking--;
	reach_wake(n->reach);
}

static bool is_first_of_sip(const struct reach *r, size_t no)
{
	for (size_t i = 0; i < no; i++) {
		if (plan_name_is_sip(r->plan, i))
			return false;
	}
	return plan_name_is_sip(r->plan, no);
}

/* In haste nothing is asked that decides no flow. */
static void look_into(struct reach *r, struct reach_name *n)
{
	const struct reach_lookup *said = reach_tries_speaker(&n->lookups);

	if (!said || said->is_tcp || r->n_looks == REACH_LOOKS ||
	    r->effort.again_ns == 0 ||
	    (plan_name(r->plan, n->no)->n_addrs > 0 &&
	     !is_first_of_sip(r, n->no)))
		return;
	n->look_target = (struct ask_target){
		.host = plan_name(r->plan, n->no)->host,
		.addr = said->server,
		.port_last = said->server.port,
		.via = ASK_UDP,
	};
	n->look_conf = (struct ask_conf){.patience_ns = r->effort.patience_ns};
	r->n_looks++;
	if (ask_start(&n->look, reach_ops_of(r, PLAN_DNS), &n->look_target,
	              &n->look_conf, r->report, on_looked, n) == 0)
		r->n_looking++;
}

bool reach_looks_over(const struct reach *r)
{
	return r->n_looking == 0;
}

/* Names come as services become known. */
static void begin(struct reach *r, size_t i)
{
	const struct plan_name *name = plan_name(r->plan, i);
	struct reach_name *n = &r->names[i];

	n->reach = r;
	n->no = i;
	if (!n->is_asked && !name->is_bound && name->is_wanted &&
	    r->run->conf->n_dns > 0)
		ask_all(n);
}

bool reach_names_go(struct reach *r)
{
	bool is_all = true;

	for (size_t i = 0; i < plan_n_names(r->plan); i++) {
		struct reach_name *n = &r->names[i];

		begin(r, i);
		if (!n->is_asked)
			continue;
		if (!n->is_over && reach_tries_known(r, &n->lookups)) {
			if (bind_name(r, n))
				r->report->no_memory = true;
			look_into(r, n);
		}
		is_all &= n->is_over;
	}
	return is_all;
}

void reach_names_stop(struct reach *r)
{
	for (size_t i = 0; r->names && i < plan_n_names(r->plan); i++) {
		ask_free(r->names[i].look);
		reach_tries_stop(&r->names[i].lookups);
	}
	free(r->names);
}
