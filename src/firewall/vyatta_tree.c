/* SPDX-License-Identifier: ISC */
/*
 * Design: `a b { c d }` and `set a b c d` say the same path of words, so both
 * become a tree with one word per node, and the two forms may follow each
 * other: a patch in set form after a configuration in curly form reads as the
 * box would have it. The footer, which is a comment, says what the absence of
 * a line means.
 */
#include "firewall/vyatta.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

enum {
	MAX_VERSION = 1000,
	MAX_SCANNED = 12, /* children; more are found by their hash */
};

static void keep(struct fw_vy_tree *t, struct slice raw, unsigned line)
{
	if (!fw_kept_add(t->rules, line, raw))
		t->no_memory = true;
}

static void unlink_node(struct fw_vy_node *n)
{
	struct fw_vy_node *p = n->parent;

	if (n->prev)
		n->prev->next = n->next;
	else
		p->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		p->last = n->prev;
	n->next = n->prev = NULL;
}

static void link_last(struct fw_vy_node *n)
{
	struct fw_vy_node *p = n->parent;

	n->prev = p->last;
	if (p->last)
		p->last->next = n;
	else
		p->first = n;
	p->last = n;
}

static struct fw_vy_node *child_of(const struct fw_vy_tree *t,
                                   const struct fw_vy_node *parent,
                                   struct slice word)
{
	struct fw_vy_node *n = parent->first;

	if (parent->n_entered > MAX_SCANNED)
		return fw_dict_get(&t->dict, parent, word);
	while (n && !slice_eq(n->word, word))
		n = n->next;
	return n;
}

static void index_child(struct fw_vy_tree *t, struct fw_vy_node *n)
{
	struct fw_vy_node *p = n->parent;

	if (++p->n_entered <= MAX_SCANNED)
		return;
	if (p->n_entered > MAX_SCANNED + 1) {
		fw_dict_put(&t->dict, p, n->word, n);
		return;
	}
	for (n = p->first; n; n = n->next)
		fw_dict_put(&t->dict, p, n->word, n);
}

struct fw_vy_node *fw_vy_enter(struct fw_vy_tree *t, struct fw_vy_node *parent,
                               struct slice word, struct slice raw,
                               unsigned line)
{
	struct fw_vy_node *n = child_of(t, parent, word);

	if (n) {
		if (n->next) {
			unlink_node(n);
			link_last(n);
		}
		return n;
	}
	n = arena_alloc(t->arena, sizeof(*n));
	if (!n) {
		t->no_memory = true;
		return NULL;
	}
	*n = (struct fw_vy_node){
		.parent = parent, .word = word, .raw = raw, .line = line};
	link_last(n);
	index_child(t, n);
	return n;
}

struct fw_vy_node *fw_vy_child(const struct fw_vy_tree *t,
                               const struct fw_vy_node *parent,
                               struct slice word)
{
	return child_of(t, parent, word);
}

static void drop(struct fw_vy_tree *t, struct slice words)
{
	struct fw_vy_node *n = t->scope;
	struct slice rest = words, word;

	while (n && fw_word_next(&rest, &word))
		n = child_of(t, n, word);
	if (!n || n == t->scope)
		return;
	unlink_node(n);
	if (n->parent->n_entered > MAX_SCANNED)
		fw_dict_put(&t->dict, n->parent, n->word, NULL);
}

static size_t common_bytes(struct slice a, struct slice b)
{
	const size_t max = a.n < b.n ? a.n : b.n;
	uint64_t x, y;
	size_t n = 0;

	for (; max - n >= sizeof(x); n += sizeof(x)) {
		memcpy(&x, a.p + n, sizeof(x));
		memcpy(&y, b.p + n, sizeof(y));
		if (x != y)
			break;
	}
	while (n < max && a.p[n] == b.p[n])
		n++;
	return n;
}

/* How many words of the last path does @p line begin with? */
static size_t common_words(const struct fw_vy_tree *t, struct slice line)
{
	const size_t n = t->n_said ? common_bytes(line, t->said_line) : 0;
	size_t k = 0;

	/* A word is the same if what ends it is. */
	while (k < t->n_said && t->said[k].end < n)
		k++;
	return k;
}

/* Lines of one rule begin alike: their nodes were entered just now, and are
 * the last of their parents. */
static void take_path(struct fw_vy_tree *t, struct slice rest,
                      struct slice line, unsigned at)
{
	const size_t k = common_words(t, line);
	struct fw_vy_node *n = t->scope;
	struct slice word;

	if (k) {
		n = t->said[k - 1].node;
		rest = slice_sub(line, t->said[k - 1].end, SIZE_MAX);
	}
	t->n_said = k;
	t->said_line = line;
	while (n && fw_word_next(&rest, &word)) {
		n = fw_vy_enter(t, n, word, line, at);
		if (t->n_said == FW_VY_PATH_MAX)
			continue;
		t->said[t->n_said].node = n;
		t->said[t->n_said++].end = line.n - rest.n;
	}
}

/* Lines of a session that change nothing. */
static bool is_session(struct slice word)
{
	static const char *const words[] = {"configure", "commit", "save",
	                                    "end"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_eq_str(word, words[i]))
			return true;
	}
	return false;
}

/* "rename rule 10 to rule 20". @return false: it cannot be done. */
static bool take_rename(struct fw_vy_tree *t, struct slice rest)
{
	struct slice kind, old, to, again, word;
	struct fw_vy_node *list, *n;

	if (!fw_word_next(&rest, &kind) || !fw_word_next(&rest, &old) ||
	    !fw_word_next(&rest, &to) || !fw_word_next(&rest, &again) ||
	    !fw_word_next(&rest, &word) || !slice_eq_str(to, "to") ||
	    !slice_eq(kind, again))
		return false;
	list = child_of(t, t->scope, kind);
	n = list ? child_of(t, list, old) : NULL;
	if (!n || child_of(t, list, word))
		return false;
	n->word = word;
	if (list->n_entered > MAX_SCANNED) {
		fw_dict_put(&t->dict, list, old, NULL);
		fw_dict_put(&t->dict, list, word, n);
	}
	return true;
}

/* Where the next commands work. @return false: this line does not say. */
static bool take_scope(struct fw_vy_tree *t, struct slice verb,
                       struct slice rest, struct slice line, unsigned at)
{
	struct fw_vy_node *n = t->scope;
	struct slice word;

	if (slice_eq_str(verb, "edit")) {
		while (n && fw_word_next(&rest, &word))
			n = fw_vy_enter(t, n, word, line, at);
	} else if (slice_eq_str(verb, "up")) {
		n = n == t->root ? n : n->parent;
	} else if (slice_eq_str(verb, "top") || slice_eq_str(verb, "exit")) {
		n = t->root;
	} else {
		return false;
	}
	t->n_said = 0;
	t->scope = n ? n : t->root;
	return true;
}

/* @return false: this line is no command. */
static bool take_command(struct fw_vy_tree *t, struct slice line, unsigned at)
{
	struct slice rest = line, verb;

	if (!fw_word_next(&rest, &verb))
		return false;
	if (slice_eq_str(verb, "set")) {
		take_path(t, rest, line, at);
		return true;
	}
	if (is_session(verb) || take_scope(t, verb, rest, line, at))
		return true;
	if (slice_eq_str(verb, "rename")) {
		t->n_said = 0;
		return take_rename(t, rest);
	}
	if (!slice_eq_str(verb, "delete"))
		return false;
	t->n_said = 0;
	drop(t, slice_trim(rest));
	return true;
}

bool fw_vy_command(struct fw_vy_tree *t, struct slice line)
{
	return take_command(t, line, 0);
}

/* VyOS 1.4 wrote a block with nothing in it on one line: "sip { }". */
static struct slice cut_empty(struct slice line)
{
	struct slice rest = slice_trim(slice_sub(line, 0, line.n - 1));

	if (line.p[line.n - 1] != '}' || rest.n == 0 ||
	    rest.p[rest.n - 1] != '{')
		return line;
	return slice_trim(slice_sub(rest, 0, rest.n - 1));
}

/* @return where the next line belongs. */
static struct fw_vy_node *take_curly(struct fw_vy_tree *t,
                                     struct fw_vy_node *at, struct slice line,
                                     unsigned number)
{
	const bool opens = line.p[line.n - 1] == '{';
	struct slice rest = slice_sub(line, 0, line.n - opens), word;
	struct fw_vy_node *n = at;

	if (!opens)
		rest = cut_empty(line);

	t->n_said = 0;
	while (n && fw_word_next(&rest, &word))
		n = fw_vy_enter(t, n, word, line, number);
	if (!n || !opens || n == at)
		return at;
	n->back = at;
	return n;
}

/* "...:conntrack@3:...", of a line. @return -1: it is not there */
static long track_of(struct slice line, const char *what)
{
	const struct slice mark = slice_str(what);
	uint64_t v;

	for (size_t at = 0; at < line.n; at += mark.n) {
		struct slice rest = slice_sub(line, at, SIZE_MAX);
		const size_t found = slice_find(rest, mark);
		size_t n = 0;

		if (found == SIZE_MAX)
			return -1;
		at += found;
		if (at == 0 || (line.p[at - 1] != ':' && line.p[at - 1] != '"'))
			continue;
		rest = slice_sub(line, at + mark.n, 8);
		while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
			n++;
		if (text_u64(&v, slice_sub(rest, 0, n), MAX_VERSION) == 0)
			return (long)v;
	}
	return -1;
}

long fw_vy_footer(struct slice text, const char *what)
{
	const size_t at = slice_find(text, slice_str("-config-version:"));
	struct rd rd;
	struct slice line;

	if (at == SIZE_MAX)
		return -1;
	rd = rd_init(slice_sub(text, at, SIZE_MAX));
	return rd_line(&rd, &line) ? track_of(line, what) : -1;
}

/* Versions stand in comments: "...conntrack@3:...", "Release version: 1.4". */
static void read_comment(struct fw_vy_tree *t, struct slice text)
{
	const struct slice release = slice_str("Release version: ");
	const long conntrack = track_of(text, "conntrack@");
	struct slice rest, word;
	size_t at;

	if (conntrack >= 0)
		t->conntrack = conntrack;
	at = slice_find(text, release);
	if (at == SIZE_MAX)
		return;
	rest = slice_sub(text, at + release.n, 64);
	if (!fw_word_next(&rest, &word))
		return;
	if (word.n && word.p[0] == 'v')
		word = slice_sub(word, 1, SIZE_MAX);
	t->rules->version = arena_dup(&t->rules->arena, word);
	t->no_memory |= !t->rules->version;
}

/* A comment may go on over lines. */
static void skip_comment(struct fw_vy_tree *t, struct rd *rd, struct slice line,
                         unsigned *n)
{
	read_comment(t, line);
	while (slice_find(line, slice_str("*/")) == SIZE_MAX) {
		if (!rd_line(rd, &line))
			return;
		(*n)++;
		read_comment(t, line);
	}
}

static void take_line(struct fw_vy_tree *t, struct fw_vy_node **at,
                      struct slice line, unsigned n)
{
	const bool is_top = *at == t->root;
	const bool opens =
		line.p[line.n - 1] == '{' || cut_empty(line).n < line.n;

	if (slice_eq_str(line, "}")) {
		if (is_top)
			diag_add(t->dg, DIAG_WARN, line,
			         _("This brace closes nothing."));
		else
			*at = (*at)->back;
		return;
	}
	if (is_top && take_command(t, line, n))
		return;
	if (is_top && !opens) {
		diag_add(t->dg, DIAG_WARN, line,
		         _("Not understood; kept as it is. Expected set, "
		           "delete, or a block that ends in \"{\"."));
		keep(t, line, n);
		return;
	}
	*at = take_curly(t, *at, line, n);
}

void fw_vy_read(struct fw_vy_tree *t, struct slice text)
{
	struct slice line, last = {NULL, 0};
	struct fw_vy_node *at;
	unsigned n = 0;
	struct rd rd;

	t->conntrack = -1;
	fw_dict_init(&t->dict, t->arena, text);
	t->root = t->scope = at = arena_alloc(t->arena, sizeof(*at));
	if (!at) {
		t->no_memory = true;
		return;
	}
	if (fw_vy_json_is(text))
		text = slice_sub(text, fw_vy_json_read(t, text, &n), SIZE_MAX);
	rd = rd_init(text);
	while (!t->no_memory && rd_line(&rd, &line)) {
		n++;
		line = slice_trim(line);
		if (line.n == 0)
			continue;
		last = line;
		if (fw_has_prefix(line, "/*"))
			skip_comment(t, &rd, line, &n);
		else if (fw_has_prefix(line, "//") || line.p[0] == '#')
			read_comment(t, line);
		else
			take_line(t, &at, line, n);
		t->no_memory |= t->dict.no_memory;
	}
	if (at != t->root)
		diag_add(t->dg, DIAG_WARN, last,
		         _("The text ends inside a block."));
}

struct fw_vy_node *fw_vy_find(const struct fw_vy_tree *t,
                              const struct fw_vy_node *scope, const char *path)
{
	struct slice rest = slice_str(path), word;
	struct fw_vy_node *n = NULL;

	if (!scope)
		return NULL;
	while (fw_word_next(&rest, &word)) {
		n = child_of(t, scope, word);
		if (!n)
			return NULL;
		scope = n;
	}
	return n;
}

struct slice fw_vy_value(const struct fw_vy_tree *t,
                         const struct fw_vy_node *scope, const char *path)
{
	const struct fw_vy_node *n = fw_vy_find(t, scope, path);

	return n && n->last ? n->last->word : (struct slice){NULL, 0};
}
