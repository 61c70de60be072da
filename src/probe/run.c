/* SPDX-License-Identifier: ISC */
/*
 * Design: one probe at a time. Probes share ports and NAT state on the way,
 * and an answer is worth more than the second that running them side by side
 * would save. The first one starts from the loop, not from
 * probe_list_start(), so that on_done never comes before that has returned.
 */
#include "probe/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "net/loop.h"

struct probe_list {
	struct probe_run run;
	const struct probe_list_ops *user;
	void *arg;
	struct net_timer *turn; /* what is done next, is done from the loop */
	size_t next;            /* index into probes[] */
	const struct probe_ops *ops; /* running; NULL: none */
	void *state;
	int err;
};

void probe_done(const struct probe_run *run, int err)
{
	run->list->err = err;
	net_timer_set(run->list->turn, 0);
}

void probe_progress(const struct probe_run *run, const char *step)
{
	const struct probe_list *l = run->list;

	if (l->user->on_progress)
		l->user->on_progress(l->arg, step);
}

static unsigned met_needs(const struct probe_conf *conf)
{
	if (conf->edge.family != ADDR_NONE)
		return PROBE_NEEDS_EDGE;
	return conf->n_servers ? PROBE_NEEDS_SERVER : 0;
}

static void finish_current(struct probe_list *l)
{
	if (!l->ops)
		return;
	l->ops->report(l->state);
	l->ops->stop(l->state);
	free(l->state);
	l->ops = NULL;
	l->state = NULL;
}

static int start_one(struct probe_list *l, const struct probe_ops *ops)
{
	void *state = calloc(1, ops->state_bytes);
	int err;

	if (!state)
		return ENOMEM;
	err = ops->start(state, &l->run);
	if (err) {
		free(state);
		return err;
	}
	l->ops = ops;
	l->state = state;
	return 0;
}

static void on_turn(void *arg)
{
	struct probe_list *l = arg;
	unsigned met = met_needs(l->run.conf);

	finish_current(l);
	while (!l->err && probes[l->next]) {
		const struct probe_ops *ops = probes[l->next++];

		if ((ops->needs & met) != ops->needs)
			continue;
		l->err = start_one(l, ops);
		if (!l->err)
			return;
	}
	l->user->on_done(l->arg, l->err);
}

int probe_list_start(struct probe_list **lp, const struct probe_conf *conf,
                     struct report *report, const struct probe_list_ops *ops,
                     void *arg)
{
	struct probe_list *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return ENOMEM;
	l->run = (struct probe_run){conf, report, l};
	l->user = ops;
	l->arg = arg;
	err = net_timer_alloc(&l->turn, on_turn, l);
	if (err) {
		free(l);
		return err;
	}
	net_timer_set(l->turn, 0);
	*lp = l;
	return 0;
}

void probe_list_stop(struct probe_list *l)
{
	if (!l)
		return;
	finish_current(l);
	net_timer_free(l->turn);
	free(l);
}
