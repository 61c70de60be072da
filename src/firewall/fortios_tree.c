/* SPDX-License-Identifier: ISC */
/*
 * Design: a FortiOS configuration is a script of commands, and commands
 * that are pasted after it change it. So the reader runs them: a path or an
 * entry that is opened again goes on, `set` overrides, `delete`, `purge` and
 * `move` act. A patch can then be checked by reading it after the
 * configuration. Values are split into words only when somebody asks; what
 * was unselected is taken out of its list when all is read.
 *
 * The box's references follow a rename. Here they are names, so a name's
 * place in the text says whom it meant.
 *
 * People paste from terminals and slides: prompts are cut off, a missing
 * `next` or `end` is supplied where the next command proves it missing.
 */
#include "firewall/fortios.h"

#include <string.h>

#include "base/i18n.h"

enum {
	MAX_DEPTH = 32,
	MAX_CLONED = 1 << 20, /* nodes; clones of clones multiply */
};

struct reader {
	struct fw_forti_tree *t;
	struct rd rd;
	struct fw_forti_node *cur;
	unsigned line, depth;
	unsigned skipped; /**< configs open below MAX_DEPTH */
	size_t n_cloned;
	struct fw_forti_node *shown; /**< where "show" was typed last */
	struct fw_forti_node *echo;  /**< where its answer, read now, ends */
};

static const char *const verbs[] = {
	"config", "edit",   "next",     "end",   "set",     "unset", "append",
	"select", "delete", "unselect", "move",  "purge",   "show",  "get",
	"rename", "clone",  "diagnose", "abort", "execute", "clear",
};

static bool is_verb(struct slice word)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (slice_eq_str(word, verbs[i]))
			return true;
	}
	return false;
}

/* "FGT (settings) # set ..." and "#config ...", but no comment. */
static struct slice cut_prompt(struct slice line)
{
	const uint8_t *at = memchr(line.p ? line.p : (const uint8_t *)"", '#',
	                           line.n < 80 ? line.n : 80);
	struct slice rest, word, copy;
	size_t hash;

	if (!at)
		return line;
	hash = (size_t)(at - line.p);
	if (hash == 0 && line.n > 1 && (line.p[1] == ' ' || line.p[1] == '\t'))
		return line;
	copy = line;
	if (fw_word_next(&copy, &word) && is_verb(word))
		return line;
	rest = slice_sub(line, hash + 1, SIZE_MAX);
	copy = rest = slice_trim(rest);
	if (fw_word_next(&copy, &word) && is_verb(word))
		return rest;
	return line;
}

static bool is_open_quote(struct slice s)
{
	bool is_open = false;

	if (s.n == 0 || !memchr(s.p, '"', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			is_open = !is_open;
	}
	return is_open;
}

/* Values that hold whole documents, which may look like commands. */
static bool is_document(struct slice line)
{
	static const char *const names[] = {
		"buffer",      "image-base64", "certificate", "ca",
		"private-key", "crl",          "csr",         "script",
		"public-key",  "content"};
	struct slice verb, name;

	if (!fw_word_next(&line, &verb) || !fw_word_next(&line, &name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(name, names[i]))
			return true;
	}
	return false;
}

static bool is_command(struct slice line)
{
	struct slice verb;

	line = slice_trim(line);
	if (slice_eq_str(line, "next") || slice_eq_str(line, "end"))
		return true;
	return fw_word_next(&line, &verb) && line.n &&
	       (slice_eq_str(verb, "set") || slice_eq_str(verb, "edit") ||
	        slice_eq_str(verb, "config"));
}

/* A quoted value may go on over lines. Where it never ends, or a command
 * stands in it, the quote was lost and its line is all there is. */
static struct slice join_quoted(struct reader *r, struct slice line)
{
	const bool is_doc = is_document(line);
	const struct rd from = r->rd;
	unsigned n_lines = 0;
	struct slice more;

	while (rd_line(&r->rd, &more)) {
		n_lines++;
		if (!is_doc && is_command(more))
			break;
		if (is_open_quote(more)) {
			r->line += n_lines;
			return (struct slice){
				line.p, (size_t)(more.p + more.n - line.p)};
		}
	}
	r->rd = from;
	diag_add(r->t->dg, DIAG_ERROR, line,
	         _("This quotation mark is never closed; the value is read "
	           "to the end of its line."));
	return line;
}

static struct fw_forti_node *add_node(struct reader *r, enum fw_forti_kind kind,
                                      struct slice key, struct slice raw,
                                      unsigned line)
{
	struct fw_forti_node *n = arena_alloc(r->t->arena, sizeof(*n));

	if (!n) {
		r->t->no_memory = true;
		return NULL;
	}
	n->kind = kind;
	n->key = key;
	n->raw = raw;
	n->line = line;
	n->parent = r->cur;
	n->prev = r->cur->last;
	if (r->cur->last)
		r->cur->last->next = n;
	else
		r->cur->first = n;
	r->cur->last = n;
	return n;
}

static void close_node(struct reader *r, struct slice line)
{
	struct fw_forti_node *n = r->cur;

	if (!n->parent)
		return;
	if (line.p >= n->raw.p)
		n->raw.n = (size_t)(line.p + line.n - n->raw.p);
	r->cur = n->parent;
	r->depth--;
}

/* @p line takes a name; who gave it away is still meant by those before. */
static void take_name(struct reader *r, struct slice key,
                      struct fw_forti_node *n, struct slice line)
{
	struct fw_forti_node *old = fw_dict_get(&r->t->dict, r->cur, key);
	struct fw_forti_bearer *b;

	fw_dict_put(&r->t->dict, r->cur, key, n);
	if (!old || old->is_deleted || slice_eq(old->key, key))
		return;
	b = arena_alloc(r->t->arena, sizeof(*b));
	if (!b) {
		r->t->no_memory = true;
		return;
	}
	b->before = fw_dict_get(&r->t->past, r->cur, key);
	b->node = old;
	b->until = line.p;
	fw_dict_put(&r->t->past, r->cur, key, b);
}

static void open_node(struct reader *r, enum fw_forti_kind kind,
                      struct slice key, struct slice raw, unsigned line)
{
	/* "edit 0" means: a new entry with the next free number. */
	const bool is_new = kind == FW_FORTI_EDIT && slice_eq_str(key, "0");
	struct fw_forti_node *n = NULL;

	if (!is_new)
		n = fw_dict_get(&r->t->dict, r->cur, key);
	/* A name that was given away leads to what bears another now. */
	if (!n || n->is_deleted || n->kind != kind || !slice_eq(n->key, key)) {
		n = add_node(r, kind, key, raw, line);
		if (!n)
			return;
		take_name(r, key, n, raw);
	}
	r->cur = n;
	r->depth++;
}

static bool is_scope(const struct fw_forti_node *n)
{
	if (!n->parent)
		return true;
	if (n->kind == FW_FORTI_CONFIG)
		return slice_eq_str(n->key, "global");
	return n->parent && slice_eq_str(n->parent->key, "vdom");
}

/* Paths that never stand inside an entry. */
static bool is_top_path(struct slice path)
{
	return fw_has_prefix(path, "firewall ") ||
	       fw_has_prefix(path, "system ") || fw_has_prefix(path, "voip ") ||
	       slice_eq_str(path, "vdom") || slice_eq_str(path, "global");
}

static struct fw_forti_node *config_of(struct fw_forti_node *n)
{
	return n->kind == FW_FORTI_EDIT && n->parent ? n->parent : n;
}

/* The answer to a "show" in a pasted session repeats the block that is open,
 * and its end closes nothing. */
static bool begin_echo(struct reader *r, struct slice path)
{
	if (!r->shown || r->shown != r->cur || !r->cur->parent ||
	    !slice_eq(config_of(r->cur)->key, path))
		return false;
	r->echo = r->shown;
	if (r->cur != config_of(r->cur)) {
		r->cur = config_of(r->cur);
		r->depth--;
	}
	return true;
}

static bool end_echo(struct reader *r)
{
	if (!r->echo || r->cur != config_of(r->echo))
		return false;
	if (r->cur != r->echo) {
		r->cur = r->echo;
		r->depth++;
	}
	r->echo = NULL;
	return true;
}

static void read_config(struct reader *r, struct slice rest, struct slice line,
                        unsigned at)
{
	const struct slice path = slice_trim(rest);

	if (begin_echo(r, path))
		return;
	if (is_top_path(path) && !is_scope(r->cur)) {
		diag_add(r->t->dg, DIAG_WARN, line,
		         _("An \"end\" is missing before this line."));
		while (!is_scope(r->cur))
			close_node(r, slice_sub(line, 0, 0));
	}
	if (slice_eq_str(path, "vdom") || slice_eq_str(path, "global")) {
		while (r->cur->parent)
			close_node(r, slice_sub(line, 0, 0));
	}
	if (r->depth >= MAX_DEPTH) {
		if (r->skipped++ == 0)
			diag_add(r->t->dg, DIAG_ERROR, line,
			         _("Too many levels; this block is left "
			           "out."));
		return;
	}
	open_node(r, FW_FORTI_CONFIG, path, line, at);
}

static void complain(struct reader *r, struct slice line, unsigned at,
                     const char *message)
{
	diag_add(r->t->dg, DIAG_WARN, line, "%s", message);
	if (!fw_kept_add(r->t->rules, at, line))
		r->t->no_memory = true;
}

static void read_edit(struct reader *r, struct slice rest, struct slice line,
                      unsigned at)
{
	struct slice key;

	if (!fw_word_next(&rest, &key)) {
		complain(r, line, at, _("Expected a name or number here."));
		return;
	}
	if (r->cur->kind == FW_FORTI_EDIT && r->cur->parent) {
		diag_add(r->t->dg, DIAG_WARN, line,
		         _("A \"next\" is missing before this line."));
		close_node(r, slice_sub(line, 0, 0));
	}
	if (!r->cur->parent)
		complain(r, line, at,
		         _("\"edit\" outside of any \"config\" block."));
	else
		open_node(r, FW_FORTI_EDIT, key, line, at);
}

static void read_end(struct reader *r, struct slice line, unsigned at)
{
	if (r->skipped) {
		r->skipped--;
		return;
	}
	if (r->cur->kind == FW_FORTI_EDIT && r->cur->parent)
		close_node(r, line);
	if (end_echo(r))
		return;
	if (r->cur->parent)
		close_node(r, line);
	else
		complain(r, line, at, _("\"end\" closes nothing here."));
}

static struct fw_forti_node *find_entry(struct reader *r, struct slice key)
{
	struct fw_forti_node *n = fw_dict_get(&r->t->dict, r->cur, key);

	return n && !n->is_deleted && slice_eq(n->key, key) ? n : NULL;
}

static void unlink_node(struct fw_forti_node *n)
{
	struct fw_forti_node *up = n->parent;

	if (n->prev)
		n->prev->next = n->next;
	else
		up->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		up->last = n->prev;
}

static void link_before(struct fw_forti_node *n, struct fw_forti_node *at,
                        struct fw_forti_node *up)
{
	n->next = at;
	n->prev = at ? at->prev : up->last;
	if (n->prev)
		n->prev->next = n;
	else
		up->first = n;
	if (at)
		at->prev = n;
	else
		up->last = n;
}

/* move <key> before|after <key> */
static bool read_move(struct reader *r, struct slice rest)
{
	struct slice from, how, to;
	struct fw_forti_node *n, *at;

	if (!fw_word_next(&rest, &from) || !fw_word_next(&rest, &how) ||
	    !fw_word_next(&rest, &to))
		return false;
	n = find_entry(r, from);
	at = find_entry(r, to);
	if (!n || !at || n->parent != at->parent)
		return false;
	if (n == at)
		return true;
	unlink_node(n);
	link_before(n, slice_eq_str(how, "after") ? at->next : at, at->parent);
	return true;
}

static void clone_children(struct reader *r, const struct fw_forti_node *from,
                           struct fw_forti_node *to, unsigned depth)
{
	struct fw_forti_node *const cur = r->cur;

	r->cur = to;
	for (const struct fw_forti_node *n = from->first;
	     n && depth < MAX_DEPTH && r->n_cloned < MAX_CLONED; n = n->next) {
		struct fw_forti_node *copy;

		if (n->is_deleted)
			continue;
		r->n_cloned++;
		copy = add_node(r, n->kind, n->key, n->raw, n->line);
		if (!copy)
			break;
		copy->rest = n->rest;
		if (n->kind == FW_FORTI_CONFIG || n->kind == FW_FORTI_EDIT)
			fw_dict_put(&r->t->dict, to, n->key, copy);
		clone_children(r, n, copy, depth + 1);
	}
	r->cur = cur;
}

/* rename|clone <key> to <key>. What names the old key goes on to mean what
 * was renamed: the box follows its references. */
static bool read_second_name(struct reader *r, struct slice rest, bool is_clone,
                             struct slice line)
{
	struct slice from, to, word;
	struct fw_forti_node *n, *copy;

	if (!fw_word_next(&rest, &from) || !fw_word_next(&rest, &word) ||
	    !slice_eq_str(word, "to") || !fw_word_next(&rest, &to))
		return false;
	n = find_entry(r, from);
	if (!n || n->kind != FW_FORTI_EDIT || find_entry(r, to))
		return false;
	if (!is_clone) {
		n->key = to;
		r->t->has_renamed = true;
		take_name(r, to, n, line);
		return true;
	}
	copy = add_node(r, FW_FORTI_EDIT, to, line, r->line);
	if (!copy)
		return true;
	take_name(r, to, copy, line);
	clone_children(r, n, copy, r->depth);
	return r->n_cloned < MAX_CLONED;
}

static bool read_table_command(struct reader *r, struct slice verb,
                               struct slice rest, struct slice line)
{
	struct fw_forti_node *n;
	struct slice key;

	if (slice_eq_str(verb, "move"))
		return read_move(r, rest);
	if (slice_eq_str(verb, "rename") || slice_eq_str(verb, "clone"))
		return read_second_name(r, rest, slice_eq_str(verb, "clone"),
		                        line);
	if (slice_eq_str(verb, "purge")) {
		for (n = r->cur->first; n; n = n->next)
			n->is_deleted = true;
		return true;
	}
	if (slice_eq_str(verb, "delete") && fw_word_next(&rest, &key)) {
		n = find_entry(r, key);
		if (n)
			n->is_deleted = true;
		return n != NULL;
	}
	/* These only look. */
	if (slice_eq_str(verb, "show"))
		r->shown = r->cur;
	return slice_eq_str(verb, "show") || slice_eq_str(verb, "get") ||
	       slice_eq_str(verb, "diagnose");
}

/* Slides and wikis put a remark after a value, which the box would refuse. */
static struct slice cut_remark(struct slice rest)
{
	bool is_quoted = false;

	if (rest.n == 0 || !memchr(rest.p, '#', rest.n))
		return rest;
	for (size_t i = 0; i + 1 < rest.n; i++) {
		const uint8_t *p = rest.p + i;

		if (*p == '\\')
			i++;
		else if (*p == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && i && *p == '#' &&
		         (p[1] == ' ' || p[1] == '\t') &&
		         (p[-1] == ' ' || p[-1] == '\t'))
			return slice_sub(rest, 0, i);
	}
	return rest;
}

static bool read_value(struct reader *r, struct slice verb, struct slice rest,
                       struct slice line, unsigned at)
{
	static const struct {
		const char *verb;
		enum fw_forti_kind kind;
	} kinds[] = {
		{"set", FW_FORTI_SET},           {"unset", FW_FORTI_UNSET},
		{"append", FW_FORTI_APPEND},     {"select", FW_FORTI_SET},
		{"unselect", FW_FORTI_UNSELECT}, {"clear", FW_FORTI_UNSET},
	};
	struct fw_forti_node *n;
	struct slice key;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!slice_eq_str(verb, kinds[i].verb))
			continue;
		if (!r->cur->parent || !fw_word_next(&rest, &key)) {
			complain(r, line, at,
			         _("This value belongs to no block."));
			return true;
		}
		n = add_node(r, kinds[i].kind, key, line, at);
		if (n)
			n->rest = slice_trim(cut_remark(rest));
		r->t->has_unselected |= kinds[i].kind == FW_FORTI_UNSELECT;
		return true;
	}
	return false;
}

static void read_line(struct reader *r, struct slice line)
{
	const unsigned at = r->line;
	struct slice rest, verb;

	line = cut_prompt(slice_trim(line));
	if (line.n == 0 || line.p[0] == '#')
		return;
	if (is_open_quote(line))
		line = join_quoted(r, line);
	rest = line;
	if (!fw_word_next(&rest, &verb))
		return;
	if (slice_eq_str(verb, "config"))
		read_config(r, rest, line, at);
	else if (slice_eq_str(verb, "end"))
		read_end(r, line, at);
	else if (r->skipped)
		return;
	else if (slice_eq_str(verb, "edit"))
		read_edit(r, rest, line, at);
	else if (slice_eq_str(verb, "next") && r->cur->parent &&
	         r->cur->kind == FW_FORTI_EDIT)
		close_node(r, line);
	else if (!read_value(r, verb, rest, line, at) &&
	         !read_table_command(r, verb, rest, line))
		complain(r, line, at,
		         _("Not understood; kept as it is. Expected config, "
		           "edit, set, next or end."));
}

/* ---- what was unselected ---- */

/* Words that later lines took out of a list, by (list, word). */
struct unselect {
	struct fw_forti_tree *t;
	struct fw_dict lists; /* (entry, name) to its last UNSELECT node */
	struct fw_dict words; /* (that node, word) */
};

static void note_words(struct unselect *u, struct fw_forti_node *n)
{
	struct fw_forti_node *list = fw_dict_get(&u->lists, n->parent, n->key);
	struct slice rest = n->rest, word;

	if (!list) {
		list = n;
		fw_dict_put(&u->lists, n->parent, n->key, n);
	}
	while (fw_word_next(&rest, &word))
		fw_dict_put(&u->words, list, word, n);
	n->is_deleted = true;
}

/* Another part of the same list, after @p n. */
static struct fw_forti_node *add_part(struct fw_forti_tree *t,
                                      struct fw_forti_node *n)
{
	struct fw_forti_node *more = arena_alloc(t->arena, sizeof(*more));

	if (!more) {
		t->no_memory = true;
		return NULL;
	}
	*more = *n;
	more->kind = FW_FORTI_APPEND;
	link_before(more, n->next, n->parent);
	return more;
}

/* Keep the runs of words that nobody took out: the first one in @p n. */
static void keep_words(struct unselect *u, struct fw_forti_node *n,
                       const struct fw_forti_node *list)
{
	const enum fw_forti_kind kind = n->kind;
	struct slice rest = n->rest, word, before;
	struct fw_forti_node *at = NULL;
	const uint8_t *end;
	bool is_run = false;

	if (rest.n == 0)
		return;
	end = rest.p + rest.n;
	for (before = rest; fw_word_next(&rest, &word); before = rest) {
		if (fw_dict_get(&u->words, list, word)) {
			is_run = false;
			continue;
		}
		if (!is_run) {
			at = at ? add_part(u->t, at) : n;
			if (!at)
				return;
			is_run = true;
			at->rest.p = slice_trim(before).p;
		}
		at->rest.n = (size_t)(end - rest.n - at->rest.p);
	}
	if (!at && kind == FW_FORTI_SET)
		n->kind = FW_FORTI_UNSET;
	else if (!at)
		n->is_deleted = true;
}

/* From the last line to the first: only what comes later takes out. */
static void unselect_in(struct unselect *u, struct fw_forti_node *entry)
{
	for (struct fw_forti_node *n = entry->last, *prev; n; n = prev) {
		const struct fw_forti_node *list;

		prev = n->prev;
		if (n->kind == FW_FORTI_CONFIG || n->kind == FW_FORTI_EDIT) {
			unselect_in(u, n);
			continue;
		}
		if (n->kind == FW_FORTI_UNSELECT) {
			note_words(u, n);
			continue;
		}
		list = fw_dict_get(&u->lists, entry, n->key);
		if (list && n->kind != FW_FORTI_UNSET)
			keep_words(u, n, list);
	}
}

static void unselect_all(struct fw_forti_tree *t)
{
	struct unselect u = {.t = t};

	fw_dict_init_like(&u.lists, &t->dict);
	fw_dict_init_like(&u.words, &t->dict);
	unselect_in(&u, t->root);
	t->no_memory |= u.lists.no_memory || u.words.no_memory;
}

void fw_forti_read(struct fw_forti_tree *t, struct slice text)
{
	struct reader r = {.t = t, .rd = rd_init(text)};
	struct slice line;

	fw_dict_init(&t->dict, t->arena, text);
	fw_dict_init_like(&t->past, &t->dict);
	t->root = arena_alloc(t->arena, sizeof(*t->root));
	if (!t->root) {
		t->no_memory = true;
		return;
	}
	r.cur = t->root;
	while (!t->no_memory && rd_line(&r.rd, &line)) {
		r.line++;
		read_line(&r, line);
	}
	t->no_memory |= t->dict.no_memory || t->past.no_memory;
	if (t->has_unselected && !t->no_memory)
		unselect_all(t);
	if (r.cur->parent)
		diag_add(t->dg, DIAG_WARN, r.cur->raw,
		         _("The text ends inside this block: an \"end\" is "
		           "missing."));
	while (r.cur->parent) {
		const struct slice tail = {text.p + text.n, 0};

		close_node(&r, tail);
	}
}

struct fw_forti_node *fw_forti_config(const struct fw_forti_tree *t,
                                      const struct fw_forti_node *scope,
                                      const char *path)
{
	return scope ? fw_dict_get(&t->dict, scope, slice_str(path)) : NULL;
}

struct fw_forti_node *fw_forti_entry(const struct fw_forti_tree *t,
                                     const struct fw_forti_node *table,
                                     struct slice name)
{
	const struct slice text = t->rules->text;
	struct fw_forti_node *n;
	const struct fw_forti_bearer *b;

	if (!table)
		return NULL;
	n = fw_dict_get(&t->dict, table, name);
	b = t->has_renamed && name.p >= text.p && name.p < text.p + text.n
	            ? fw_dict_get(&t->past, table, name)
	            : NULL;
	for (; b && name.p < b->until; b = b->before)
		n = b->node;
	return n && !n->is_deleted && n->kind == FW_FORTI_EDIT ? n : NULL;
}

const struct fw_forti_node *fw_forti_value(const struct fw_forti_node *entry,
                                           const char *name)
{
	const struct fw_forti_node *found = NULL;
	const struct slice key = slice_str(name);

	for (const struct fw_forti_node *n = entry ? entry->first : NULL; n;
	     n = n->next) {
		/* Asked for each word of each policy: most lengths differ. */
		if (n->key.n != key.n || n->kind < FW_FORTI_SET ||
		    n->is_deleted || !slice_eq(n->key, key))
			continue;
		if (n->kind == FW_FORTI_UNSET)
			found = NULL;
		else if (n->kind == FW_FORTI_SET ||
		         (n->kind == FW_FORTI_APPEND && !found))
			found = n;
	}
	return found;
}

struct slice fw_forti_word(const struct fw_forti_node *entry, const char *name)
{
	const struct fw_forti_node *n = fw_forti_value(entry, name);
	struct slice rest = n ? n->rest : slice_str(NULL);
	struct slice word = {NULL, 0};

	(void)fw_word_next(&rest, &word);
	return word;
}

bool fw_forti_is(const struct fw_forti_node *entry, const char *name,
                 const char *word)
{
	return slice_eq_str(fw_forti_word(entry, name), word);
}

struct fw_forti_node *fw_forti_next(struct fw_forti_node *n,
                                    enum fw_forti_kind kind)
{
	while (n && (n->kind != kind || n->is_deleted))
		n = n->next;
	return n;
}
