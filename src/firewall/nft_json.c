/* SPDX-License-Identifier: ISC */
/*
 * Design: libnftables writes one object per table, set, chain and rule, each
 * with the names of what it is in; the text has them inside each other. So
 * the objects are read twice: once to see what is in what, and again, one at
 * a time, to write them, so that not all of a ruleset is a tree at once. The
 * text is what nft lists without -j: lines to quote, and a language that is
 * read already. Behind a fault, reading goes on at the next object.
 */
#include "firewall/nft_json.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

/* An object of the text, to be read again. */
struct piece {
	struct piece *next;
	struct slice raw;
};

struct list {
	struct piece *first, *last;
};

struct chain {
	struct chain *next;
	struct slice name;
	struct list own, rules;
};

struct table {
	struct table *next;
	struct slice family, name;
	struct list own, objects;
	struct chain *chains, *chains_last;
};

struct translation {
	struct wr *out;
	struct diag *dg;
	struct arena arena;   /* what is in what */
	struct arena scratch; /* of one object */
	struct fw_dict names;
	struct table *tables, *tables_last;
	int err;
};

static int add(struct translation *tr, struct list *l, struct slice raw)
{
	struct piece *p = arena_alloc(&tr->arena, sizeof(*p));

	if (!p)
		return ENOMEM;
	p->raw = raw;
	if (l->last)
		l->last->next = p;
	else
		l->first = p;
	l->last = p;
	return 0;
}

/* Names of a piece live in the scratch arena. */
static struct slice keep(struct translation *tr, struct slice s)
{
	const char *p = arena_dup(&tr->arena, s);

	if (!p)
		tr->err = ENOMEM;
	return (struct slice){(const uint8_t *)p, p ? s.n : 0};
}

static struct table *find_table(struct translation *tr, struct slice family,
                                struct slice name)
{
	struct table *t;
	struct slice key = {NULL, 0};
	struct wr w = wr_init_heap();

	wr_put(&w, family);
	wr_str(&w, " ");
	wr_put(&w, name);
	t = fw_dict_get(&tr->names, NULL, wr_slice(&w));
	if (w.bad)
		tr->err = ENOMEM;
	if (!t && !tr->err) {
		t = arena_alloc(&tr->arena, sizeof(*t));
		key = keep(tr, wr_slice(&w));
		if (!t)
			tr->err = ENOMEM;
	}
	wr_fini(&w);
	if (tr->err || t->name.n)
		return tr->err ? NULL : t;
	t->family = slice_sub(key, 0, family.n);
	t->name = slice_sub(key, family.n + 1, SIZE_MAX);
	fw_dict_put(&tr->names, NULL, key, t);
	if (tr->tables_last)
		tr->tables_last->next = t;
	else
		tr->tables = t;
	tr->tables_last = t;
	return t;
}

static struct chain *find_chain(struct translation *tr, struct table *t,
                                struct slice name)
{
	struct chain *c = fw_dict_get(&tr->names, t, name);

	if (c)
		return c;
	c = arena_alloc(&tr->arena, sizeof(*c));
	if (!c) {
		tr->err = ENOMEM;
		return NULL;
	}
	c->name = keep(tr, name);
	fw_dict_put(&tr->names, t, c->name, c);
	if (t->chains_last)
		t->chains_last->next = c;
	else
		t->chains = c;
	t->chains_last = c;
	return c;
}

/* Where a piece belongs, by what it says itself. */
static void file_piece(struct translation *tr, const struct fw_json *j,
                       struct slice raw)
{
	const struct slice family = fw_json_text(j, "family");
	const bool is_table = slice_eq_str(j->key, "table");
	const bool is_rule = slice_eq_str(j->key, "rule");
	const struct slice name = fw_json_text(j, is_rule ? "chain" : "name");
	const struct slice table = is_table ? name : fw_json_text(j, "table");
	struct table *t;
	struct chain *c = NULL;

	/* Members of a set that was read without them. */
	if (slice_eq_str(j->key, "element")) {
		diag_add(tr->dg, DIAG_ERROR, raw,
		         _("Expected an object of nft: \"table\", \"chain\" or "
		           "\"rule\"."));
		return;
	}
	if (!family.n || !table.n || !name.n) {
		diag_add(tr->dg, DIAG_ERROR, raw,
		         _("Expected \"family\", \"table\" and \"name\" of "
		           "nft."));
		return;
	}
	t = find_table(tr, family, table);
	if (t && (is_rule || slice_eq_str(j->key, "chain")))
		c = find_chain(tr, t, name);
	if (tr->err)
		return;
	if (is_table)
		tr->err = add(tr, &t->own, raw);
	else if (c)
		tr->err = add(tr, is_rule ? &c->rules : &c->own, raw);
	else
		tr->err = add(tr, &t->objects, raw);
}

/* The byte that was read last, or the end of the text. */
static struct slice here(const struct fw_json_in *in)
{
	return (struct slice){in->text.p + in->at, in->at < in->text.n};
}

/* {"rule": {...}}, or the same in {"add": ...} as nft takes it */
static void read_piece(struct translation *tr, struct fw_json_in *in)
{
	const size_t from = in->at;
	struct fw_json *j;
	const struct fw_json *what;
	const int err = fw_json_read(&j, &tr->scratch, in);

	if (err == ENOMEM) {
		tr->err = err;
		return;
	}
	if (err) {
		diag_add(tr->dg, DIAG_ERROR, here(in), "%s", _(in->why));
		in->at += in->at == from;
		return;
	}
	what = fw_json_get(j, "add");
	if (!what)
		what = j;
	if (what->kind != FW_JSON_OBJECT || !what->first || what->first->next ||
	    j->first->next)
		diag_add(tr->dg, DIAG_ERROR,
		         slice_trim(slice_sub(in->text, from, in->at - from)),
		         _("Expected an object of nft: \"table\", \"chain\" or "
		           "\"rule\"."));
	else if (!slice_eq_str(what->first->key, "metainfo"))
		file_piece(
			tr, what->first,
			slice_trim(slice_sub(in->text, from, in->at - from)));
	arena_fini(&tr->scratch);
}

/* Behind a fault: to where an object of nft begins. @return false: nowhere */
static bool resume(struct fw_json_in *in)
{
	static const char *const names[] = {"table",     "chain", "rule",
	                                    "set",       "map",   "ct helper",
	                                    "ct timeout"};

	for (; in->at < in->text.n; in->at++) {
		struct fw_json_in next = *in;
		const size_t from = in->at;

		if (!fw_json_eat(&next, '{') || !fw_json_eat(&next, '"'))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			const struct slice name = slice_str(names[i]);
			const struct slice at =
				slice_sub(in->text, next.at, name.n + 1);

			if (at.n > name.n && at.p[name.n] == '"' &&
			    slice_eq(slice_sub(at, 0, name.n), name)) {
				in->at = from;
				return true;
			}
		}
	}
	return false;
}

static void read_pieces(struct translation *tr, struct fw_json_in *in)
{
	bool has_more = !fw_json_eat(in, ']');

	while (has_more && !tr->err) {
		const size_t n_errors = tr->dg->n_errors;
		const size_t from = in->at;

		read_piece(tr, in);
		if (fw_json_eat(in, ']'))
			return;
		has_more = fw_json_eat(in, ',');
		if (has_more || tr->err)
			continue;
		if (tr->dg->n_errors == n_errors)
			diag_add(tr->dg, DIAG_ERROR, here(in),
			         _("Expected \",\" or \"]\"."));
		if (in->at == from)
			in->at++;
		has_more = resume(in);
	}
}

/* Read a piece once more. @return its member, or NULL */
static const struct fw_json *again(struct translation *tr,
                                   const struct piece *p)
{
	struct fw_json_in in = {.text = p->raw};
	struct fw_json *j;
	const struct fw_json *what;

	arena_fini(&tr->scratch);
	tr->err = fw_json_read(&j, &tr->scratch, &in);
	if (tr->err)
		return NULL;
	what = fw_json_get(j, "add");
	return what ? what->first : j->first;
}

static void put_word(struct wr *w, const char *before, const struct fw_json *j,
                     const char *key, const char *after)
{
	const struct fw_json *m = fw_json_get(j, key);

	if (!m)
		return;
	wr_str(w, before);
	if (m->text.n)
		nft_json_name_put(w, m->text);
	for (const struct fw_json *e = m->first; e; e = e->next) {
		nft_json_name_put(w, e->text);
		wr_str(w, e->next ? "," : "");
	}
	wr_str(w, after);
}

static void put_set(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *elements = fw_json_get(j, "elem");

	put_word(w, "\t\ttype ", j, "type", "");
	put_word(w, " : ", j, "map", "");
	wr_str(w, "\n");
	put_word(w, "\t\tflags ", j, "flags", "\n");
	if (!elements || !elements->first)
		return;
	wr_str(w, "\t\telements = ");
	nft_json_elements_put(w, elements);
	wr_str(w, "\n");
}

static void put_ct(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *policy = fw_json_get(j, "policy");
	const char *sep = " ";

	if (slice_eq_str(j->key, "ct helper")) {
		wr_str(w, "\t\ttype \"");
		nft_json_name_put(w, fw_json_text(j, "type"));
		wr_str(w, "\"");
		put_word(w, " protocol ", j, "protocol", "\n");
	} else {
		put_word(w, "\t\tprotocol ", j, "protocol", "\n");
	}
	put_word(w, "\t\tl3proto ", j, "l3proto", "\n");
	if (!policy || !policy->first)
		return;
	wr_str(w, "\t\tpolicy = {");
	for (const struct fw_json *m = policy->first; m; m = m->next) {
		wr_str(w, sep);
		nft_json_name_put(w, m->key);
		wr_str(w, " : ");
		nft_json_name_put(w, m->text);
		sep = ", ";
	}
	wr_str(w, " }\n");
}

static void put_objects(struct translation *tr, const struct table *t)
{
	struct wr *w = tr->out;

	for (const struct piece *p = t->objects.first; p && !tr->err;
	     p = p->next) {
		const struct fw_json *j = again(tr, p);
		bool is_ct;

		if (!j)
			return;
		is_ct = fw_has_prefix(j->key, "ct ");
		wr_str(w, "\t");
		if (is_ct)
			wr_put(w, j->key);
		else
			nft_json_name_put(w, j->key);
		wr_str(w, " ");
		nft_json_name_put(w, fw_json_text(j, "name"));
		wr_str(w, " {\n");
		if (slice_eq_str(j->key, "set") || slice_eq_str(j->key, "map"))
			put_set(w, j);
		else if (is_ct)
			put_ct(w, j);
		wr_str(w, "\t}\n\n");
	}
}

static void put_base(struct translation *tr, const struct chain *c)
{
	struct wr *w = tr->out;
	const struct fw_json *j;

	if (!c->own.first)
		return;
	j = again(tr, c->own.first);
	if (!j || !fw_json_get(j, "hook"))
		return;
	put_word(w, "\t\ttype ", j, "type", "");
	put_word(w, " hook ", j, "hook", "");
	put_word(w, " device ", j, "dev", "");
	put_word(w, " priority ", j, "prio", ";");
	put_word(w, " policy ", j, "policy", ";");
	wr_str(w, "\n");
}

static void put_rule(struct translation *tr, const struct piece *p)
{
	const struct fw_json *j = again(tr, p);
	const struct fw_json *expr = fw_json_get(j, "expr");
	const struct slice comment = fw_json_text(j, "comment");
	struct wr *w = tr->out;

	if (!j)
		return;
	wr_str(w, "\t\t");
	for (const struct fw_json *e = expr ? expr->first : NULL; e;
	     e = e->next) {
		nft_json_statement_put(w, e);
		wr_str(w, e->next ? " " : "");
	}
	if (comment.n) {
		wr_str(w, " comment \"");
		for (size_t i = 0; i < comment.n; i++) {
			const uint8_t c = comment.p[i];

			wr_u8(w, c < ' ' || c == '"' ? '?' : c);
		}
		wr_str(w, "\"");
	}
	wr_str(w, "\n");
}

static void put_table(struct translation *tr, const struct table *t)
{
	struct wr *w = tr->out;

	wr_str(w, "table ");
	nft_json_name_put(w, t->family);
	wr_str(w, " ");
	nft_json_name_put(w, t->name);
	wr_str(w, " {\n");
	if (t->own.first)
		put_word(w, "\tflags ", again(tr, t->own.first), "flags", "\n");
	if (!tr->err)
		put_objects(tr, t);
	for (const struct chain *c = t->chains; c && !tr->err; c = c->next) {
		wr_str(w, "\tchain ");
		nft_json_name_put(w, c->name);
		wr_str(w, " {\n");
		put_base(tr, c);
		for (const struct piece *p = c->rules.first; p && !tr->err;
		     p = p->next)
			put_rule(tr, p);
		wr_str(w, c->next ? "\t}\n\n" : "\t}\n");
	}
	wr_str(w, "}\n");
}

/* A member of the whole. @return false: nothing more can be read */
static bool read_member(struct translation *tr, struct fw_json_in *in,
                        bool *has_list)
{
	struct slice key;
	struct fw_json *j;
	int err = fw_json_string(&key, &tr->scratch, in);

	if (!err && !fw_json_eat(in, ':'))
		err = EBADMSG;
	if (!err && slice_eq_str(key, "nftables")) {
		if (*has_list || !fw_json_eat(in, '['))
			return false;
		*has_list = true;
		read_pieces(tr, in);
	} else if (!err) {
		err = fw_json_read(&j, &tr->scratch, in);
	}
	if (err == ENOMEM)
		tr->err = err;
	return !err && !tr->err;
}

/* {"nftables": [ ... ]} @return as read_member() */
static bool read_document(struct translation *tr, struct fw_json_in *in)
{
	bool has_list = false;

	if (!fw_json_eat(in, '{'))
		return false;
	do {
		if (!read_member(tr, in, &has_list))
			return false;
	} while (fw_json_eat(in, ','));
	return has_list && fw_json_eat(in, '}');
}

/* Listings of several tables may stand behind each other. */
static void read_all(struct translation *tr, struct slice text)
{
	struct fw_json_in in = {.text = text};
	const size_t n_errors = tr->dg->n_errors;

	while (!tr->err && read_document(tr, &in)) {
		if (slice_trim(slice_sub(text, in.at, SIZE_MAX)).n == 0)
			return;
	}
	if (tr->err || (in.at >= text.n && tr->dg->n_errors > n_errors))
		return;
	diag_add(tr->dg, DIAG_ERROR, here(&in),
	         _("Expected {\"nftables\": [...]}."));
	if (resume(&in))
		read_pieces(tr, &in);
}

bool nft_json_is(struct slice text)
{
	struct fw_json_in in = {.text = text};

	return fw_json_eat(&in, '{') &&
	       slice_find(slice_sub(text, 0, 1024),
	                  slice_str("\"nftables\"")) != SIZE_MAX;
}

int nft_json_put(struct wr *out, struct slice text, struct diag *dg)
{
	struct translation tr = {.out = out, .dg = dg};
	const size_t n_errors = dg->n_errors;

	arena_init(&tr.arena);
	arena_init(&tr.scratch);
	fw_dict_init(&tr.names, &tr.arena, text);
	read_all(&tr, text);
	for (const struct table *t = tr.tables; t && !tr.err; t = t->next)
		put_table(&tr, t);
	if (tr.names.no_memory || out->bad)
		tr.err = ENOMEM;
	arena_fini(&tr.scratch);
	arena_fini(&tr.arena);
	if (tr.err)
		return tr.err;
	return dg->n_errors > n_errors ? EBADMSG : 0;
}
