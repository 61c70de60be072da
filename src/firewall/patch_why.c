/* SPDX-License-Identifier: ISC */
/*
 * Design: the first reason is the nearest to the cause, so what a dialect
 * said stays. Each names what to do next; a patch that depends on where
 * phones and provider are offers the interfaces that the text names.
 */
#include "firewall/patch_why.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

enum {
	MAX_ZONES = 12,
};

static const char *keep(struct fw_patch_out *out, const char *text)
{
	struct wr w = wr_init_heap();
	const char *s = "";

	fw_clean_put(&w, text ? text : "");
	if (!w.bad)
		s = arena_dup(&out->arena, wr_slice(&w));
	wr_fini(&w);
	return s;
}

void fw_patch_refuse(struct fw_patch_out *out, const char *msgid, const char *a,
                     const char *b)
{
	if (out->why.msgid)
		return;
	out->why = (struct words){.msgid = msgid,
	                          .args = {keep(out, a), keep(out, b)}};
}

struct seen {
	const char *v[MAX_ZONES];
	size_t n;
};

static void see(struct seen *s, const struct fw_zones *zones)
{
	for (const struct fw_zone *z = zones->first; z; z = z->next) {
		size_t i = 0;

		if (z->is_unknown || !fw_name_is_clean(z->name) ||
		    strchr(z->name, '*') || strcmp(z->name, "any") == 0)
			continue;
		while (i < s->n && strcmp(s->v[i], z->name) != 0)
			i++;
		if (i == s->n && s->n < MAX_ZONES)
			s->v[s->n++] = z->name;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *zones_of(struct fw_patch_out *out,
                            const struct fw_rules *rules)
{
	struct wr w = wr_init_heap();
	struct seen s = {.n = 0};
	const char *text = "";

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			see(&s, &r->in);
			see(&s, &r->out);
		}
	}
	qsort(s.v, s.n, sizeof(*s.v), by_name);
	for (size_t i = 0; i < s.n; i++) {
		wr_str(&w, i ? ", " : "");
		wr_str(&w, s.v[i]);
	}
	if (!w.bad)
		text = arena_dup(&out->arena, wr_slice(&w));
	wr_fini(&w);
	return text ? text : "";
}

void fw_patch_why_edit(struct fw_patch_out *out, const struct fw_rules *rules,
                       const char *unsafe)
{
	if (unsafe)
		fw_patch_refuse(out,
		                N_("A name in the text could end a quotation "
		                   "or a line when it is typed; rename it on "
		                   "the box and audit again: %1$s"),
		                unsafe, NULL);
	else
		fw_patch_refuse(out,
		                N_("The text has no list of rules where a new "
		                   "one could stand; `prumo rules --for %1$s` "
		                   "writes one."),
		                rules->dialect, NULL);
}

static void blame(struct fw_patch_out *out, const struct fw_patch_block *block)
{
	const struct fw_part *p = block->j->parts;
	const struct fw_rule *r = NULL;

	while (p && p->verdict == FW_PASS)
		p = p->next;
	if (p)
		r = p->doubt ? p->doubt : p->rule;
	if (r && r->conditional)
		fw_patch_refuse(
			out,
			N_("With every rule that can be added, %1$s would "
		           "still not surely pass: what rule %2$s asks is not "
		           "known here. Change that rule on the box and audit "
		           "again."),
			block->flow->id, r->id);
	else
		fw_patch_refuse(
			out,
			N_("With every rule that can be added, %1$s would "
		           "still not pass: %2$s decides it. Change that on "
		           "the box and audit again."),
			block->flow->id,
			r               ? r->id
			: p && p->chain ? p->chain->name
					: "");
}

void fw_patch_why_text(struct fw_patch_out *out, const struct fw_rules *rules,
                       const struct fw_question *q,
                       const struct fw_patch_block *block)
{
	const struct fw_place *at = &q->place;
	const bool is_vague = at->path == FW_PATH_FORWARD &&
	                      (!(at->in || at->src.first) || !at->out);
	const char *zones = is_vague ? zones_of(out, rules) : "";

	if (*zones)
		fw_patch_refuse(
			out,
			N_("It depends on where the phones and the provider "
		           "are: say --lan and --wan. The text names %1$s."),
			zones, NULL);
	else if (is_vague)
		fw_patch_refuse(
			out,
			N_("It depends on where the phones and the provider "
		           "are: say --lan and --wan, or --host when the "
		           "firewall itself makes the calls."),
			NULL, NULL);
	else if (block)
		blame(out, block);
	else
		fw_patch_refuse(out,
		                N_("This text has no words for the rules that "
		                   "are missing; `prumo rules --for %1$s` says "
		                   "which they are."),
		                rules->dialect, NULL);
}
