/* SPDX-License-Identifier: ISC */
/*
 * Design: one probe at a time. Probes share ports and NAT state on the way,
 * and an answer is worth more than the second that running them side by side
 * would save. The first one starts from the loop, not from
 * probe_list_start(), so that on_done never comes before that has returned.
 *
 * One that has nothing but silence to wait for may step aside. It then only
 * listens until the others are over, so that still no two of them ask.
 */
#include "probe/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/loop.h"

enum {
	SLOTS = 2, /* who runs, and who has stepped aside */
};

struct slot {
	struct probe_run run;
	const struct probe_ops *ops; /* NULL: free */
	void *state;
	struct net_timer *limit;
	bool is_over, is_aside;
};

struct probe_list {
	struct slot slots[SLOTS];
	const struct probe_conf *conf;
	const struct probe_list_ops *user;
	void *arg;
	struct net_timer *turn; /* what is done next, is done from the loop */
	size_t next;            /* index into probes[] */
	int err;
};

static struct slot *slot_of(const struct probe_run *run)
{
	struct probe_list *l = run->list;
	size_t i = 0;

	while (i + 1 < SLOTS && &l->slots[i].run != run)
		i++;
	return &l->slots[i];
}

static struct slot *free_slot(struct probe_list *l)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (!l->slots[i].ops)
			return &l->slots[i];
	}
	return NULL;
}

/* @return how many run, or only those that ask */
static unsigned n_running(const struct probe_list *l, bool with_aside)
{
	unsigned n = 0;

	for (size_t i = 0; i < SLOTS; i++)
		n += l->slots[i].ops && (with_aside || !l->slots[i].is_aside);
	return n;
}

static void end_slot(struct slot *s, int err)
{
	struct probe_list *l = s->run.list;

	s->is_over = true;
	if (!l->err)
		l->err = err;
	net_timer_set(l->turn, 0);
}

void probe_done(const struct probe_run *run, int err)
{
	end_slot(slot_of(run), err);
}

static void on_limit(void *arg)
{
	end_slot(arg, 0);
}

bool probe_step_aside(const struct probe_run *run)
{
	struct probe_list *l = run->list;
	struct slot *s = slot_of(run);

	if (s->is_aside || l->conf->limit_ns > 0 || n_running(l, true) > 1)
		return s->is_aside;
	s->is_aside = true;
	net_timer_set(l->turn, 0);
	return true;
}

bool probe_may_ask(const struct probe_run *run)
{
	return !slot_of(run)->is_aside;
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

static void finish(struct slot *s)
{
	if (!s->ops)
		return;
	net_timer_cancel(s->limit);
	s->ops->report(s->state);
	s->ops->stop(s->state);
	free(s->state);
	s->ops = NULL;
	s->state = NULL;
	s->is_over = s->is_aside = false;
}

static int start_one(struct slot *s, const struct probe_ops *ops)
{
	void *state = calloc(1, ops->state_bytes);
	int err;

	if (!state)
		return ENOMEM;
	err = ops->start(state, &s->run);
	if (err) {
		free(state);
		return err;
	}
	s->ops = ops;
	s->state = state;
	if (s->run.conf->limit_ns > 0)
		net_timer_set(s->limit, s->run.conf->limit_ns);
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
	return !l->err || (l->conf->plan && probe_is_local(l->err));
}

/* @return whether another one runs now */
static bool start_next(struct probe_list *l)
{
	unsigned met = met_needs(l->conf);
	struct slot *s = free_slot(l);

	while (s && goes_on(l) && probes[l->next]) {
		const struct probe_ops *ops = probes[l->next++];
		int err;

		if ((ops->needs & met) != ops->needs ||
		    !is_wanted(l->conf, ops))
			continue;
		err = start_one(s, ops);
		if (!err)
			return true;
		l->err = l->err ? l->err : err;
	}
	return false;
}

static void on_turn(void *arg)
{
	struct probe_list *l = arg;

	for (size_t i = 0; i < SLOTS; i++) {
		if (l->slots[i].is_over)
			finish(&l->slots[i]);
	}
	if (n_running(l, false) > 0 || start_next(l))
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		if (goes_on(l))
			l->slots[i].is_aside = false;
		else
			finish(&l->slots[i]);
	}
	if (n_running(l, true) == 0)
		l->user->on_done(l->arg, l->err);
}

static void list_free(struct probe_list *l)
{
	net_timer_free(l->turn);
	for (size_t i = 0; i < SLOTS; i++)
		net_timer_free(l->slots[i].limit);
	free(l);
}

int probe_list_start(struct probe_list **lp, const struct probe_conf *conf,
                     struct report *report, const struct probe_list_ops *ops,
                     void *arg)
{
	struct probe_list *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return ENOMEM;
	l->conf = conf;
	l->user = ops;
	l->arg = arg;
	err = net_timer_alloc(&l->turn, on_turn, l);
	for (size_t i = 0; i < SLOTS && !err; i++) {
		l->slots[i].run = (struct probe_run){conf, report, l};
		err = net_timer_alloc(&l->slots[i].limit, on_limit,
		                      &l->slots[i]);
	}
	if (err) {
		list_free(l);
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
	for (size_t i = 0; i < SLOTS; i++)
		finish(&l->slots[i]);
	list_free(l);
}
