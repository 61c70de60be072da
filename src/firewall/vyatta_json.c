/* SPDX-License-Identifier: ISC */
/*
 * Design: a UniFi gateway is an EdgeOS that its controller configures, with
 * the same tree in JSON: a member is a word, and so is a text or what a list
 * has; "''" and "" are nothing below. Objects are not made first, as one of
 * theirs may have any number of rules.
 *
 * What the customer writes himself (config.gateway.json) is only added to what
 * the controller says. Nobody can tell from it what passes.
 */
#include "firewall/vyatta_read.h"

#include <errno.h>

#include "base/i18n.h"
#include "firewall/json.h"

enum {
	MAX_DEPTH = 32,
	MAX_QUOTED = 100, /* to either side, where all is one line */
};

struct walk {
	struct fw_vy_tree *t;
	struct fw_json_in in;
	size_t counted; /**< bytes before this are in `line` */
	unsigned line;
};

static unsigned line_now(struct walk *w)
{
	while (w->counted < w->in.at)
		w->line += w->in.text.p[w->counted++] == '\n';
	return w->line;
}

static struct slice raw_now(const struct walk *w)
{
	size_t from = w->in.at, to = w->in.at;

	while (from > 0 && w->in.at - from < MAX_QUOTED &&
	       w->in.text.p[from - 1] != '\n')
		from--;
	while (to < w->in.text.n && to - w->in.at < MAX_QUOTED &&
	       w->in.text.p[to] != '\n')
		to++;
	return slice_trim(slice_sub(w->in.text, from, to - from));
}

static struct fw_vy_node *enter(struct walk *w, struct fw_vy_node *at,
                                struct slice word)
{
	return fw_vy_enter(w->t, at, word, raw_now(w), line_now(w));
}

static bool is_nothing(struct slice text)
{
	return text.n == 0 || slice_eq_str(text, "''");
}

/* A text, a number, or such. */
static int take_word(struct walk *w, struct fw_vy_node *at)
{
	struct fw_json *j;
	const int err = fw_json_read(&j, w->t->arena, &w->in);

	if (err)
		return err;
	if (j->kind != FW_JSON_NULL && !is_nothing(j->text) &&
	    !enter(w, at, j->text))
		return ENOMEM;
	return 0;
}

static int take_list(struct walk *w, struct fw_vy_node *at)
{
	int err = 0;

	if (fw_json_eat(&w->in, ']'))
		return 0;
	do {
		err = take_word(w, at);
	} while (!err && fw_json_eat(&w->in, ','));
	if (!err && !fw_json_eat(&w->in, ']'))
		err = EBADMSG;
	return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): MAX_DEPTH ends it */
static int take_members(struct walk *w, struct fw_vy_node *at, unsigned depth)
{
	int err = depth < MAX_DEPTH ? 0 : EBADMSG;

	if (!err && fw_json_eat(&w->in, '}'))
		return 0;
	while (!err) {
		struct fw_vy_node *n = NULL;
		struct slice key;

		err = fw_json_string(&key, w->t->arena, &w->in);
		if (!err && key.n)
			n = enter(w, at, key);
		if (!err && key.n && !n)
			err = ENOMEM;
		if (!err && (!n || !fw_json_eat(&w->in, ':')))
			err = EBADMSG;
		if (!err && fw_json_eat(&w->in, '{'))
			err = take_members(w, n, depth + 1);
		else if (!err && fw_json_eat(&w->in, '['))
			err = take_list(w, n);
		else if (!err)
			err = take_word(w, n);
		if (!err && !fw_json_eat(&w->in, ','))
			break;
	}
	if (!err && !fw_json_eat(&w->in, '}'))
		err = EBADMSG;
	return err;
}

size_t fw_vy_json_read(struct fw_vy_tree *t, struct slice text, unsigned *n)
{
	struct walk w = {.t = t, .in = {.text = text}, .line = 1};
	int err;

	if (!fw_json_eat(&w.in, '{'))
		return 0;
	err = take_members(&w, t->root, 0);
	if (err == ENOMEM)
		t->no_memory = true;
	if (err)
		diag_add(t->dg, DIAG_ERROR, slice_sub(text, w.in.at, 1),
		         _("This is not JSON from here on."));
	*n = line_now(&w) - 1;
	t->is_json = true;
	return err ? text.n : w.in.at;
}

bool fw_vy_json_is(struct slice text)
{
	static const char *const roots[] = {
		"firewall", "interfaces", "service",
		"system",   "protocols",  "port-forward",
		"vpn",      "custom",     "load-balance"};
	struct fw_json_in in = {.text = text};
	struct slice key = {NULL, 0};
	size_t i = 0;

	/* What comes first tells, and has no escapes. */
	if (!fw_json_eat(&in, '{') || !fw_json_eat(&in, '"'))
		return false;
	key = slice_sub(text, in.at, SIZE_MAX);
	key = slice_sub(key, 0, slice_find(key, slice_str("\"")));
	while (i < ARRAY_LEN(roots) && !slice_eq_str(key, roots[i]))
		i++;
	return i < ARRAY_LEN(roots) &&
	       slice_find(text, slice_str("\"nftables\"")) == SIZE_MAX;
}
