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
#include <string.h>

#include "net/loop.h"

struct probe_list {
	struct probe_run run;
	const struct probe_list_ops *user;
	void *arg;
	struct net_timer *turn; /* what is done next, is done from the loop */
	struct net_timer *limit;
	size_t next;                 /* index into probes[] */
	const struct probe_ops *ops; /* running; NULL: none */
	void *state;
	int err;
};

void probe_done(const struct probe_run *run, int err)
{
	if (!run->list->err)
		run->list->err = err;
	net_timer_set(run->list->turn, 0);
}

void probe_progress_step(const struct probe_run *run,
                         const struct probe_step *step)
{
	const struct probe_list *l = run->list;

	if (l->user->on_progress)
		l->user->on_progress(l->arg, step);
}

void probe_progress(const struct probe_run *run, const char *step)
{
	const struct probe_step s = {.text = step};

	probe_progress_step(run, &s);
}

static unsigned met_needs(const struct probe_conf *conf)
{
	unsigned met = conf->plan ? PROBE_NEEDS_PLAN : 0;

	if (conf->edge.family != ADDR_NONE)
		return met | PROBE_NEEDS_EDGE;
	return met | (conf->n_servers ? PROBE_NEEDS_SERVER : 0);
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* Who asks for a part of the profile means the questions to it. */
static bool is_wanted(const struct probe_conf *conf,
                      const struct probe_ops *ops)
{
	bool is_only = has_name(conf->only, conf->n_only, ops->name);

	if (conf->n_only > 0 && !is_only && !(ops->needs & PROBE_NEEDS_PLAN))
		return false;
	return !has_name(conf->skip, conf->n_skip, ops->name);
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

bool probe_is_local(int err)
{
	return err == EPERM || err == EACCES || err == ENETUNREACH ||
	       err == EHOSTUNREACH || err == EADDRNOTAVAIL ||
	       err == EAFNOSUPPORT;
}

/* What one probe cannot send, another one may; and the last one says what
 * this computer does not let out. */
static bool goes_on(const struct probe_list *l)
{
	return !l->err || (l->run.conf->plan && probe_is_local(l->err));
}

static void on_turn(void *arg)
{
	struct probe_list *l = arg;
	unsigned met = met_needs(l->run.conf);
	int err;

	finish_current(l);
	net_timer_cancel(l->limit);
	while (goes_on(l) && probes[l->next]) {
		const struct probe_ops *ops = probes[l->next++];

		if ((ops->needs & met) != ops->needs ||
		    !is_wanted(l->run.conf, ops))
			continue;
		err = start_one(l, ops);
		if (!err) {
			if (l->run.conf->limit_ns > 0)
				net_timer_set(l->limit, l->run.conf->limit_ns);
			return;
		}
		l->err = l->err ? l->err : err;
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
	if (!err)
		err = net_timer_alloc(&l->limit, on_turn, l);
	if (err) {
		net_timer_free(l->turn);
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
	net_timer_free(l->limit);
	free(l);
}
