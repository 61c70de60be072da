/* SPDX-License-Identifier: ISC */
/*
 * Design: what takes a patch back is worked out from the text before it and
 * not from what was meant: a path goes away at the first of its words that
 * was not there, a value that was replaced is said again. So the undo leaves
 * no empty blocks behind and loses no timer.
 */
#include <errno.h>

#include "base/text.h"
#include "firewall/vyatta_write.h"

enum {
	MAX_LEAVES_DEPTH = 6,
	MIN_DEPTH = 4, /* firewall group address-group NAME */
};

struct piece {
	struct piece *next;
	const char *text;
};

struct undoing {
	struct fw_vy_tree t;
	struct piece *first; /**< the last command's comes first */
	const char *scope;   /**< of `edit`, as said */
	int err;
};

static void push(struct undoing *u, const char *text)
{
	struct piece *p = arena_alloc(u->t.arena, sizeof(*p));

	if (!p || !text) {
		u->err = ENOMEM;
		return;
	}
	p->text = text;
	p->next = u->first;
	u->first = p;
}

static const char *quoted(struct undoing *u, const char *verb, struct slice s)
{
	return arena_fmt(u->t.arena, "%s %.*s\n", verb, (int)s.n,
	                 (const char *)s.p);
}

/* What the text's author wrote is typed into a shell again. */
static const char *word_of(struct undoing *u, const struct fw_vy_node *n)
{
	const char *word = arena_dup(u->t.arena, n->word);

	if (!word)
		u->err = ENOMEM;
	else if (!fw_name_is_word(word))
		u->err = ENOTSUP;
	return u->err ? NULL : word;
}

static void push_leaves(struct undoing *u, const struct fw_vy_node *n,
                        const char *path, int depth)
{
	if (!n->first) {
		push(u, arena_fmt(u->t.arena, "set %s\n", path));
		return;
	}
	if (depth == MAX_LEAVES_DEPTH)
		u->err = ENOTSUP;
	for (n = n->first; n && !u->err; n = n->next) {
		const char *word = word_of(u, n);
		const char *below =
			word ? arena_fmt(u->t.arena, "%s %s", path, word)
			     : NULL;

		if (below)
			push_leaves(u, n, below, depth + 1);
		else if (!u->err)
			u->err = ENOMEM;
	}
}

/* Of these leaves the last value counts, and the box keeps only that. */
static bool is_single(struct slice path)
{
	return fw_has_prefix(path, "system conntrack timeout ") ||
	       fw_has_prefix(path, "firewall global-options timeout ");
}

/* What a patch makes is taken away by its name, not with the list that it is
 * in: others may have added to that since. */
static bool is_list(size_t depth, struct slice word)
{
	return depth < MIN_DEPTH || slice_eq_str(word, "rule");
}

static void undo_set(struct undoing *u, struct slice path)
{
	const struct fw_vy_node *at = u->t.root, *below = at;
	struct slice rest = path, word = {NULL, 0};
	const char *old = NULL;
	size_t depth = 0;

	while (below && fw_word_next(&rest, &word)) {
		below = fw_vy_child(&u->t, at, word);
		depth++;
		if (!below)
			break;
		at = below;
		/* Made by the patch: it goes away as a whole. */
		if (!at->line && !is_list(depth, word))
			return;
	}
	if (!at || below)
		return;
	if (at->last && !slice_trim(rest).n && is_single(path))
		old = word_of(u, at->last);
	while (!old && is_list(depth, word) && fw_word_next(&rest, &word))
		depth++;
	path = slice_trim(slice_sub(path, 0, path.n - rest.n));
	if (old)
		path = slice_trim(slice_sub(path, 0, path.n - word.n));
	if (old)
		push(u, arena_fmt(u->t.arena, "set %.*s %s\n", (int)path.n,
		                  (const char *)path.p, old));
	else if (!u->err)
		push(u, quoted(u, "delete", path));
}

static void undo_delete(struct undoing *u, struct slice path)
{
	const char *said = arena_dup(u->t.arena, path);
	const struct fw_vy_node *n =
		said ? fw_vy_find(&u->t, u->t.root, said) : NULL;

	if (!said)
		u->err = ENOMEM;
	if (n)
		push_leaves(u, n, said, 0);
}

static void undo_rename(struct undoing *u, struct slice rest)
{
	struct slice kind, old, to, again, word;

	if (fw_word_next(&rest, &kind) && fw_word_next(&rest, &old) &&
	    fw_word_next(&rest, &to) && fw_word_next(&rest, &again) &&
	    fw_word_next(&rest, &word))
		push(u, arena_fmt(u->t.arena, "rename %.*s %.*s to %.*s %.*s\n",
		                  (int)kind.n, (const char *)kind.p,
		                  (int)word.n, (const char *)word.p,
		                  (int)kind.n, (const char *)kind.p, (int)old.n,
		                  (const char *)old.p));
}

static void undo_one(struct undoing *u, struct slice line)
{
	struct slice rest = line, verb;

	if (!fw_word_next(&rest, &verb))
		return;
	rest = slice_trim(rest);
	if (slice_eq_str(verb, "set")) {
		undo_set(u, rest);
	} else if (slice_eq_str(verb, "delete")) {
		undo_delete(u, rest);
	} else if (slice_eq_str(verb, "rename")) {
		undo_rename(u, rest);
	} else if (slice_eq_str(verb, "edit")) {
		u->scope = quoted(u, "edit", rest);
		push(u, "top\n");
	} else if (slice_eq_str(verb, "top")) {
		push(u, u->scope);
	}
	if (!fw_vy_command(&u->t, line) && !u->err)
		u->err = EPROTO;
	if (u->t.no_memory)
		u->err = ENOMEM;
}

int fw_vy_undo(struct wr *undo, struct slice text, struct slice commands)
{
	struct rd rd = rd_init(commands);
	struct undoing u = {.first = NULL};
	struct fw_rules rules;
	struct slice line;
	struct diag dg;

	fw_rules_init(&rules);
	diag_init(&dg, &rules.arena, NULL, text);
	u.t.arena = &rules.arena;
	u.t.rules = &rules;
	u.t.dg = &dg;
	fw_vy_read(&u.t, text);
	if (u.t.no_memory)
		u.err = ENOMEM;
	else
		u.t.scope = u.t.root;
	while (!u.err && rd_line(&rd, &line))
		undo_one(&u, line);
	for (const struct piece *p = u.first; p && !u.err; p = p->next)
		wr_str(undo, p->text);
	fw_rules_fini(&rules);
	return u.err;
}
