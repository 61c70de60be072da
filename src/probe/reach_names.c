/* SPDX-License-Identifier: ISC */
/*
 * Design: all names are looked up at once, each at every server that the
 * system would ask. The first server's answer is taken, as the system would
 * take it; the second one's is there to be compared with. Where all are silent,
 * the first is asked by TCP: then it is the path that swallows UDP.
 *
 * Names that exist for nobody, and the first one of SIP, are looked into with
 * all that DNS has (ask_dns.c), beside the questions: it decides no flow.
 */
#include "probe/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/guard.h"

static void take_records(struct reach_lookup *l, const struct net_dns_msg *m)
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
}

static void on_answer(void *arg, const struct net_dns_answer *a)
{
	struct reach_lookup *l = arg;

	l->is_over = true;
	l->err = a->err;
	l->offender = a->offender;
	l->is_truncated = a->is_udp_truncated;
	l->rtt_ns = a->rtt_ns;
	l->took_ns = a->took_ns;
	if (a->msg) {
		l->rcode = a->msg->rcode;
		take_records(l, a->msg);
	}
	reach_wake(l->name->reach);
}

static void ask_one(struct reach_name *n, struct reach_lookup *l,
                    const struct addr *server, enum net_dns_type type)
{
	const struct reach *r = n->reach;

	l->name = n;
	l->server = *server;
	l->is_asked = true;
	l->err = (l->is_tcp ? net_dns_ask_tcp : net_dns_ask)(
		&l->dns, server, plan_name(r->plan, n->no)->host, type,
		r->effort.patience_ns, on_answer, l);
	l->is_over = l->err != 0;
}

static void ask_all(struct reach_name *n)
{
	const struct probe_conf *conf = n->reach->run->conf;

	for (size_t s = 0; s < conf->n_dns; s++) {
		ask_one(n, &n->lookups[s][0], &conf->dns[s], NET_DNS_A);
		ask_one(n, &n->lookups[s][1], &conf->dns[s], NET_DNS_AAAA);
	}
}

int reach_names_start(struct reach *r)
{
	size_t n = plan_n_names(r->plan);

	r->names = calloc(n + 1, sizeof(*r->names));
	if (!r->names)
		return ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct plan_name *name = plan_name(r->plan, i);

		r->names[i].reach = r;
		r->names[i].no = i;
		r->names[i].is_over = name->is_bound || !name->is_wanted ||
		                      r->run->conf->n_dns == 0;
		if (!r->names[i].is_over)
			ask_all(&r->names[i]);
	}
	return 0;
}

bool reach_name_has_answer(const struct reach_name *n)
{
	for (size_t s = 0; s < REACH_TRIES; s++) {
		for (size_t t = 0; t < REACH_TYPES; t++) {
			const struct reach_lookup *l = &n->lookups[s][t];

			if (l->is_asked && l->is_over && l->err == 0)
				return true;
		}
	}
	return false;
}

/* @return whether TCP is still to be waited for */
static bool ask_by_tcp(struct reach_name *n)
{
	struct reach_lookup *types = n->lookups[REACH_SERVERS];
	const struct probe_conf *conf = n->reach->run->conf;

	if (reach_name_has_answer(n))
		return false;
	for (size_t t = 0; t < REACH_TYPES && !types[t].is_asked; t++) {
		types[t].is_tcp = true;
		ask_one(n, &types[t], &conf->dns[0],
		        t == 0 ? NET_DNS_A : NET_DNS_AAAA);
	}
	return !types[0].is_over || !types[1].is_over;
}

static bool is_settled(const struct reach_lookup types[REACH_TYPES])
{
	return types[0].is_over && types[1].is_over;
}

/* The first server's word is enough; without it, all are waited for. */
static bool is_known(struct reach_name *n)
{
	size_t n_dns = n->reach->run->conf->n_dns;

	if (is_settled(n->lookups[0]) &&
	    n->lookups[0][0].n_addrs + n->lookups[0][1].n_addrs > 0)
		return true;
	for (size_t s = 0; s < n_dns; s++) {
		if (!is_settled(n->lookups[s]))
			return false;
	}
	return !ask_by_tcp(n);
}

static int bind_name(struct reach *r, struct reach_name *n)
{
	struct addr addrs[PLAN_NAME_ADDRS];
	size_t n_addrs = 0;

	n->is_over = true;
	for (size_t s = 0; s < REACH_TRIES && n_addrs == 0; s++) {
		for (size_t t = 0; t < REACH_TYPES; t++) {
			const struct reach_lookup *l = &n->lookups[s][t];

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

static const struct addr *first_that_answers(const struct reach_name *n)
{
	for (size_t s = 0; s < REACH_SERVERS; s++) {
		for (size_t t = 0; t < REACH_TYPES; t++) {
			const struct reach_lookup *l = &n->lookups[s][t];

			if (l->is_asked && l->is_over && l->err == 0)
				return &l->server;
		}
	}
	return NULL;
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
	const struct addr *server = first_that_answers(n);

	if (!server || r->n_looks == REACH_LOOKS || r->effort.again_ns == 0 ||
	    (plan_name(r->plan, n->no)->n_addrs > 0 &&
	     !is_first_of_sip(r, n->no)))
		return;
	n->look_target = (struct ask_target){
		.host = plan_name(r->plan, n->no)->host,
		.addr = *server,
		.port_last = server->port,
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

bool reach_names_go(struct reach *r)
{
	bool is_all = true;

	for (size_t i = 0; i < plan_n_names(r->plan); i++) {
		struct reach_name *n = &r->names[i];

		if (!n->is_over && is_known(n)) {
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
		for (size_t s = 0; s < REACH_TRIES; s++) {
			for (size_t t = 0; t < REACH_TYPES; t++)
				net_dns_free(r->names[i].lookups[s][t].dns);
		}
	}
	free(r->names);
}
