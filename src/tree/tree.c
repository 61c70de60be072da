/* SPDX-License-Identifier: ISC */
/*
 * Design: libcyaml fills structs but forgets where each value stood, stops at
 * the first fault and follows aliases. So libyaml's events are read first, into
 * a tree that keeps places; faults are found in the tree, all of them, and
 * libcyaml only sees text that has none.
 *
 * libyaml counts characters, we count bytes. Events come in order, so one
 * cursor that walks forward converts all marks in linear time.
 */
#include "tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/i18n.h"
#include "base/text.h"

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct diag *dg;
	struct slice text;
	size_t chars, bytes; /* the cursor: the same place in both units */
	struct tree_node *open[TREE_MAX_DEPTH];
	size_t depth;
	struct tree_node *root;
	struct slice key, key_at; /* of the value that comes next */
	bool has_key, is_done;
};

static size_t char_bytes(struct slice text, size_t at)
{
	size_t n = text_utf8_len(slice_sub(text, at, 4));

	return n ? n : 1;
}

static size_t byte_at(struct reader *r, size_t chars)
{
	if (chars < r->chars)
		r->chars = r->bytes = 0;
	while (r->chars < chars && r->bytes < r->text.n) {
		r->bytes += char_bytes(r->text, r->bytes);
		r->chars++;
	}
	return r->bytes;
}

/* What the event covers, cut at the end of its first line. */
static struct slice source_of(struct reader *r, const yaml_event_t *ev)
{
	size_t start = byte_at(r, ev->start_mark.index), end = start;
	size_t chars = ev->start_mark.index;

	while (chars < ev->end_mark.index && end < r->text.n &&
	       r->text.p[end] != '\n' && r->text.p[end] != '\r') {
		end += char_bytes(r->text, end);
		chars++;
	}
	return (struct slice){r->text.p + start, end - start};
}

static int refuse(struct reader *r, const yaml_event_t *ev, const char *what)
{
	diag_add(r->dg, DIAG_ERROR, source_of(r, ev), "%s", what);
	return EBADMSG;
}

static int syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "";
	size_t at;

	if (p->error == YAML_MEMORY_ERROR)
		return ENOMEM;
	if (p->error == YAML_READER_ERROR)
		at = p->problem_offset < r->text.n ? p->problem_offset
		                                   : r->text.n;
	else
		at = byte_at(r, p->problem_mark.index);
	diag_add(r->dg, DIAG_ERROR, (struct slice){r->text.p + at, 0},
	         _("this is not YAML: %s"), problem);
	return EBADMSG;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return true;
	}
	return false;
}

static int copy_scalar(struct reader *r, const yaml_event_t *ev,
                       struct slice *copy)
{
	struct slice s = {ev->data.scalar.value, ev->data.scalar.length};
	char *p;

	if (has_control(s))
		return refuse(r, ev, _("control characters are not allowed"));
	p = arena_dup(r->arena, s);
	if (!p)
		return ENOMEM;
	*copy = (struct slice){(const uint8_t *)p, s.n};
	return 0;
}

static int take_key(struct reader *r, const yaml_event_t *ev)
{
	const struct tree_node *map = r->open[r->depth - 1];
	int err;

	if (ev->type != YAML_SCALAR_EVENT)
		return refuse(r, ev, _("a key must be plain text"));
	err = copy_scalar(r, ev, &r->key);
	if (err)
		return err;
	if (tree_get(map, (const char *)r->key.p))
		return refuse(r, ev, _("this key was already given"));
	r->key_at = source_of(r, ev);
	r->has_key = true;
	return 0;
}

static int add_node(struct reader *r, const yaml_event_t *ev,
                    enum tree_node_kind kind)
{
	struct tree_node *up = r->depth ? r->open[r->depth - 1] : NULL;
	struct tree_node *n;

	if (up && up->kind == TREE_NODE_MAP && !r->has_key)
		return take_key(r, ev);
	n = arena_alloc(r->arena, sizeof(*n));
	if (!n)
		return ENOMEM;
	n->kind = kind;
	n->at = source_of(r, ev);
	n->key = r->key;
	n->key_at = r->key_at;
	r->has_key = false;
	r->key = r->key_at = (struct slice){0};
	if (!up)
		r->root = n;
	else if (up->last)
		up->last->next = n;
	else
		up->first = n;
	if (up) {
		up->last = n;
		up->n++;
	}
	if (kind == TREE_NODE_SCALAR)
		return copy_scalar(r, ev, &n->text);
	if (r->depth == TREE_MAX_DEPTH)
		return refuse(r, ev, _("nested too deeply"));
	r->open[r->depth++] = n;
	return 0;
}

static bool has_anchor_or_tag(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.anchor || ev->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.anchor ||
		       ev->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.anchor ||
		       ev->data.mapping_start.tag;
	default:
		return false;
	}
}

static int take_event(struct reader *r, const yaml_event_t *ev)
{
	if (has_anchor_or_tag(ev))
		return refuse(r, ev,
		              _("anchors, aliases and tags are not allowed"));
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->root)
			return refuse(r, ev, _("a second document"));
		return 0;
	case YAML_SCALAR_EVENT:
		return add_node(r, ev, TREE_NODE_SCALAR);
	case YAML_SEQUENCE_START_EVENT:
		return add_node(r, ev, TREE_NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return add_node(r, ev, TREE_NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return 0;
	case YAML_STREAM_END_EVENT:
		r->is_done = true;
		return 0;
	default:
		return 0;
	}
}

static int read_events(struct reader *r)
{
	yaml_event_t ev;
	int err = 0;

	while (!err && !r->is_done) {
		if (!yaml_parser_parse(&r->parser, &ev))
			return syntax_error(r);
		err = take_event(r, &ev);
		yaml_event_delete(&ev);
	}
	if (!err && !r->root) {
		diag_add(r->dg, DIAG_ERROR, (struct slice){0},
		         _("the file is empty"));
		err = EBADMSG;
	}
	return err;
}

int tree_read(const struct tree_node **rootp, struct arena *a,
              struct slice text, struct diag *dg)
{
	struct reader r = {.arena = a, .dg = dg, .text = text};
	int err;

	if (!yaml_parser_initialize(&r.parser))
		return ENOMEM;
	/* Else a byte order mark could choose UTF-16, and marks would not
	 * fit the text that we quote. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r.parser, text.p ? text.p : (const uint8_t *)"", text.n);
	err = read_events(&r);
	yaml_parser_delete(&r.parser);
	if (!err)
		*rootp = r.root;
	return err;
}

const struct tree_node *tree_get(const struct tree_node *map, const char *key)
{
	if (!map || map->kind != TREE_NODE_MAP)
		return NULL;
	for (const struct tree_node *n = map->first; n; n = n->next) {
		if (slice_eq_str(n->key, key))
			return n;
	}
	return NULL;
}
