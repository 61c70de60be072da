/* SPDX-License-Identifier: ISC */
/*
 * Design: the commands are run on lists of items, menu by menu, as the box
 * would: what was added is set, moved, switched off or taken out later. The
 * meaning of an item is read when all commands were run. A command whose
 * items cannot be known from the text (routeros_find.c) loses its menu: from
 * there on its order is a guess, and the audit says so.
 */
#include "firewall/routeros_read.h"

#include <errno.h>

#include "base/i18n.h"

static void lose(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                 const char *why)
{
	if (!c->lost[m->menu][m->is6].n)
		c->lost[m->menu][m->is6] = m->raw;
	diag_add(c->dg, DIAG_WARN, m->raw, "%s", why);
}

/* A change that is not followed. */
static void lose_kept(struct fw_ros_ctx *c, const struct fw_ros_command *m)
{
	lose(c, m,
	     _("Which rules this changes is not certain from the text; kept "
	       "as it is."));
	fw_ros_check(c, fw_kept_add(c->rules, m->line, m->raw));
}

/* ---- the lists ---- */

static void unlink_item(struct fw_ros_items *list, struct fw_ros_item *it)
{
	if (it->prev)
		it->prev->next = it->next;
	else
		list->first = it->next;
	if (it->next)
		it->next->prev = it->prev;
	else
		list->last = it->prev;
}

/* @param at  NULL: at the end. */
static void link_before(struct fw_ros_items *list, struct fw_ros_item *it,
                        struct fw_ros_item *at)
{
	it->next = at;
	it->prev = at ? at->prev : list->last;
	if (it->prev)
		it->prev->next = it;
	else
		list->first = it;
	if (at)
		at->prev = it;
	else
		list->last = it;
}

static struct fw_ros_item *add_item(struct fw_ros_ctx *c,
                                    struct fw_ros_items *list,
                                    const struct fw_ros_command *m,
                                    struct slice args)
{
	struct fw_ros_item *it = arena_alloc(&c->scratch, sizeof(*it));

	fw_ros_check(c, it);
	if (!it)
		return NULL;
	it->added = m;
	it->args = args;
	it->chain = fw_ros_value(args, "chain");
	it->number = (unsigned)list->n_added++;
	link_before(list, it, NULL);
	return it;
}

/* ---- arguments ---- */

/* What is left of @p rest is behind the argument that was taken. */
static struct slice taken(struct slice before, struct slice rest)
{
	return slice_trim(slice_sub(before, 0, before.n - rest.n));
}

/* @p args without the name, and with @p more at its end. */
static struct slice put_arg(struct fw_ros_ctx *c, struct slice args,
                            struct slice name, struct slice more)
{
	struct wr w = wr_init_heap();
	struct slice before = args, rest = args, key, value, out = args;
	char *text;

	for (; fw_ros_arg_next(&rest, &key, &value); before = rest) {
		const struct slice not_set =
			key.n && key.p[0] == '!' ? slice_sub(key, 1, SIZE_MAX)
						 : key;

		if (slice_eq(not_set, name))
			continue;
		wr_put(&w, taken(before, rest));
		wr_u8(&w, ' ');
	}
	wr_put(&w, more);
	text = w.bad ? NULL : arena_dup(&c->rules->arena, wr_slice(&w));
	fw_ros_check(c, text);
	if (text)
		out = (struct slice){(const uint8_t *)text, w.n};
	c->n_steps += w.n;
	wr_fini(&w);
	return out;
}

static void change(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                   struct fw_ros_item *it, struct slice name, struct slice more)
{
	it->args = put_arg(c, it->args, name, more);
	it->chain = fw_ros_value(it->args, "chain");
	it->by = m;
}

/* ---- commands ---- */

/* The first argument says which items, bare or as numbers=. */
static struct slice take_where(struct slice *rest)
{
	struct slice key, value, where = {NULL, 0};

	if (!fw_ros_arg_next(rest, &key, &value))
		return where;
	return slice_eq_str(key, "numbers") && value.n ? value : key;
}

/* Items of the current command, one after the other. */
static struct fw_ros_item *next_picked(const struct fw_ros_ctx *c,
                                       struct fw_ros_item *it)
{
	while (it && it->picked_by != c->n_commands)
		it = it->next;
	return it;
}

static void run_set(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                    struct fw_ros_item *first, struct slice rest)
{
	struct slice before = rest, key, value;

	for (; !c->err && fw_ros_arg_next(&rest, &key, &value); before = rest) {
		const struct slice more = taken(before, rest);
		const bool is_not = key.n && key.p[0] == '!';

		for (struct fw_ros_item *it = first; it && !c->err;
		     it = next_picked(c, it->next)) {
			if (is_not)
				change(c, m, it, slice_sub(key, 1, SIZE_MAX),
				       slice_sub(more, 0, 0));
			else
				change(c, m, it, key, more);
		}
	}
}

/* "unset 3 dst-port", "unset 3 value-name=dst-port" */
static void run_unset(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                      struct fw_ros_item *first, struct slice rest)
{
	struct slice key, value;

	while (!c->err && fw_ros_arg_next(&rest, &key, &value)) {
		struct slice names = value.n ? value : key, name;

		while (fw_part_next(&names, ',', &name)) {
			for (struct fw_ros_item *it = first; it && !c->err;
			     it = next_picked(c, it->next))
				change(c, m, it, name, slice_sub(name, 0, 0));
		}
	}
}

static void run_switch(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                       struct fw_ros_item *first, bool is_off)
{
	for (struct fw_ros_item *it = first; it && !c->err;
	     it = next_picked(c, it->next))
		change(c, m, it, slice_str("disabled"),
		       slice_str(is_off ? "disabled=yes" : "disabled=no"));
}

static void run_remove(struct fw_ros_ctx *c, struct fw_ros_items *list,
                       struct fw_ros_item *first)
{
	for (struct fw_ros_item *it = first, *next; it; it = next) {
		next = next_picked(c, it->next);
		unlink_item(list, it);
	}
}

/* The first item of all is first, whatever is not exported. @return 0 or
 * ENOENT */
static int find_place(struct fw_ros_item **at, struct fw_ros_ctx *c,
                      const struct fw_ros_command *m, struct slice where)
{
	struct fw_ros_item *first = NULL;
	int err;

	if (slice_eq_str(where, "0")) {
		*at = c->items[m->menu][m->is6].first;
		return *at ? 0 : ENOENT;
	}
	err = fw_ros_pick(&first, c, m, where);
	/* Of several, which one is meant? */
	if (!err && (!first || next_picked(c, first->next)))
		err = ENOENT;
	if (!err)
		*at = first;
	return err;
}

/* "move 5,6 3": before the item that is 3; without it, to the end. */
static int run_move(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                    struct slice where, struct slice rest)
{
	struct fw_ros_items *list = &c->items[m->menu][m->is6];
	struct fw_ros_item *at = NULL, *first = NULL, *moved = NULL;
	struct slice key, value;
	int err = 0;

	if (fw_ros_arg_next(&rest, &key, &value))
		err = find_place(&at, c, m, value.n ? value : key);
	if (!err)
		err = fw_ros_pick(&first, c, m, where);
	/* Before itself is where it was, or not. */
	if (err || (at && at->picked_by == c->n_commands))
		return ENOENT;
	for (struct fw_ros_item *it = first, *next; it; it = next) {
		next = next_picked(c, it->next);
		unlink_item(list, it);
		it->next = moved;
		moved = it;
	}
	/* They were taken last first; so they go in, each before the other. */
	for (struct fw_ros_item *it = moved, *next; it; it = next) {
		next = it->next;
		link_before(list, it, at);
		at = it;
	}
	return 0;
}

static void run_comment(struct fw_ros_ctx *c, const struct fw_ros_command *m,
                        struct fw_ros_item *first, struct slice rest)
{
	char *text = NULL;
	struct slice word;

	if (fw_has_prefix(slice_trim(rest), "comment=")) {
		run_set(c, m, first, rest);
		return;
	}
	if (!fw_word_next(&rest, &word))
		return;
	text = arena_fmt(&c->rules->arena, "comment=\"%.*s\"", (int)word.n,
	                 (const char *)word.p);
	fw_ros_check(c, text);
	for (struct fw_ros_item *it = first; it && text && !c->err;
	     it = next_picked(c, it->next))
		change(c, m, it, slice_str("comment"), slice_str(text));
}

static void run_add(struct fw_ros_ctx *c, const struct fw_ros_command *m)
{
	struct fw_ros_items *list = &c->items[m->menu][m->is6];
	const struct slice where = fw_ros_arg(m, "place-before");
	struct fw_ros_item *at = NULL, *it;

	if (where.n && find_place(&at, c, m, where))
		lose(c, m,
		     _("The rule to place this one before is not known; it is "
		       "taken as the last."));
	it = add_item(c, list, m, m->args);
	if (it && at) {
		unlink_item(list, it);
		link_before(list, it, at);
	}
}

/* @return 0, or ENOENT: it is not known which items change, or how */
static int run_change(struct fw_ros_ctx *c, const struct fw_ros_command *m)
{
	struct fw_ros_items *list = &c->items[m->menu][m->is6];
	struct slice rest = m->args;
	const struct slice where = take_where(&rest);
	struct fw_ros_item *first = NULL;
	int err;

	if (slice_eq_str(m->verb, "add")) {
		run_add(c, m);
		return 0;
	}
	if (slice_eq_str(m->verb, "move"))
		return run_move(c, m, where, rest);
	err = fw_ros_pick(&first, c, m, where);
	if (err)
		return err;
	if (slice_eq_str(m->verb, "set"))
		run_set(c, m, first, rest);
	else if (slice_eq_str(m->verb, "unset"))
		run_unset(c, m, first, rest);
	else if (slice_eq_str(m->verb, "comment"))
		run_comment(c, m, first, rest);
	else if (slice_trim(rest).n)
		return ENOENT; /* these say no more than which */
	else if (slice_eq_str(m->verb, "remove"))
		run_remove(c, list, first);
	else if (slice_eq_str(m->verb, "enable") ||
	         slice_eq_str(m->verb, "disable"))
		run_switch(c, m, first, slice_eq_str(m->verb, "disable"));
	else
		err = ENOENT;
	return err;
}

/* The helpers of the factory cannot become more, fewer or others. */
static bool is_fixed(const struct fw_ros_command *m)
{
	return m->menu == FW_ROS_SERVICE_PORT &&
	       !slice_eq_str(m->verb, "set") &&
	       !slice_eq_str(m->verb, "enable") &&
	       !slice_eq_str(m->verb, "disable");
}

static void run(struct fw_ros_ctx *c, const struct fw_ros_command *m)
{
	static const char *const looks[] = {"print", "export", "reset-counters",
	                                    "reset-counters-all"};

	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		if (!slice_eq_str(m->verb, looks[i]))
			continue;
		/* Numbers are given anew. */
		if (i == 0)
			c->items[m->menu][m->is6].is_shown = false;
		return;
	}
	if (is_fixed(m) || run_change(c, m))
		lose_kept(c, m);
}

void fw_ros_run(struct fw_ros_ctx *c)
{
	/* The factory's one helper that matters. */
	(void)add_item(c, &c->items[FW_ROS_SERVICE_PORT][false], NULL,
	               slice_str("name=sip"));
	for (const struct fw_ros_command *m = c->first; m && !c->err;
	     m = m->next) {
		if (m->menu != FW_ROS_TRACKING)
			run(c, m);
	}
}
