/* SPDX-License-Identifier: ISC */
/*
 * Design: every server that the system would ask is asked at once. The first
 * one's answer is taken, as the system would take it; the second one's is
 * there to be compared with. Where all are silent, the first is asked by TCP:
 * then it is the path that swallows UDP.
 */
#include "probe/reach.h"

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
		l->topic.take(l, a->msg);
	}
	/* name servers bear few connections at a time */
	net_dns_free(l->dns);
	l->dns = NULL;
	reach_wake(l->reach);
}

void reach_lookup_start(struct reach *r, struct reach_lookup *l,
                        const struct reach_topic *topic)
{
	l->reach = r;
	l->topic = *topic;
	l->is_over = topic->host == NULL;
	if (l->is_over)
		return;
	l->is_asked = true;
	l->err = (l->is_tcp ? net_dns_ask_tcp : net_dns_ask)(
		&l->dns, &l->server, topic->host, topic->type,
		r->effort.patience_ns, on_answer, l);
	l->is_over = l->err != 0;
}

static void start_try(struct reach *r, struct reach_lookup types[REACH_TYPES],
                      const struct addr *server, bool is_tcp,
                      const struct reach_topic topics[REACH_TYPES])
{
	for (size_t t = 0; t < REACH_TYPES; t++) {
		types[t].server = *server;
		types[t].is_tcp = is_tcp;
		reach_lookup_start(r, &types[t], &topics[t]);
	}
}

void reach_tries_start(struct reach *r, struct reach_tries *t,
                       const struct reach_topic topics[REACH_TYPES])
{
	const struct probe_conf *conf = r->run->conf;

	for (size_t s = 0; s < conf->n_dns; s++)
		start_try(r, t->at[s], &conf->dns[s], false, topics);
}

const struct reach_lookup *reach_tries_speaker(const struct reach_tries *t)
{
	for (size_t s = 0; s < REACH_TRIES; s++) {
		for (size_t i = 0; i < REACH_TYPES; i++) {
			const struct reach_lookup *l = &t->at[s][i];

			if (l->is_asked && l->is_over && l->err == 0)
				return l;
		}
	}
	return NULL;
}

static bool is_answered(const struct reach_tries *t, size_t type)
{
	for (size_t s = 0; s < REACH_TRIES; s++) {
		const struct reach_lookup *l = &t->at[s][type];

		if (l->is_asked && l->is_over && l->err == 0)
			return true;
	}
	return false;
}

bool reach_tries_have_answer(const struct reach_tries *t)
{
	for (size_t i = 0; i < REACH_TYPES; i++) {
		if (t->at[0][i].topic.is_decisive)
			return is_answered(t, i);
	}
	return is_answered(t, 0) || is_answered(t, 1);
}

static bool is_settled(const struct reach_lookup types[REACH_TYPES])
{
	return types[0].is_over && types[1].is_over;
}

/* @return whether TCP is still to be waited for */
static bool ask_by_tcp(struct reach *r, struct reach_tries *t)
{
	struct reach_lookup *types = t->at[REACH_SERVERS];
	const struct reach_topic topics[REACH_TYPES] = {t->at[0][0].topic,
	                                                t->at[0][1].topic};

	if (reach_tries_have_answer(t))
		return false;
	if (!types[0].is_tcp)
		start_try(r, types, &r->run->conf->dns[0], true, topics);
	return !is_settled(types);
}

bool reach_tries_known(struct reach *r, struct reach_tries *t)
{
	if (is_settled(t->at[0]) &&
	    (t->at[0][0].has_content || t->at[0][1].has_content))
		return true;
	for (size_t s = 0; s < r->run->conf->n_dns; s++) {
		if (!is_settled(t->at[s]))
			return false;
	}
	return !ask_by_tcp(r, t);
}

void reach_tries_stop(struct reach_tries *t)
{
	for (size_t s = 0; s < REACH_TRIES; s++) {
		for (size_t i = 0; i < REACH_TYPES; i++)
			net_dns_free(t->at[s][i].dns);
	}
}
