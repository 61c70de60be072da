/* SPDX-License-Identifier: ISC */
/*
 * Design: nobody said where phones are, and rules let some addresses or
 * interfaces pass and not others: that is blocked, but to say only so would be
 * half of it. From where it passes is not read off the rules but judged again
 * for that alone, so it is as sure as the verdict.
 */
#include "firewall/tell.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"

enum {
	SPACES_MAX = 8,        /* each compiles all rules once more */
	SPACE_STEPS = 1 << 22, /* a hint is not worth the time of a verdict */
};

/* The same question, as if phones were at `place.src` alone. */
struct fw_tell_from {
	struct fw_tell_from *next;
	struct fw_place place;
	struct fw_space *space;
	size_t n;     /* of this and the next */
	size_t asked; /* the flow that was judged last, from 1 */
	bool passes;  /* it */
};

static bool is_same(const struct fw_addrs *a, const struct fw_addrs *b)
{
	const struct fw_addr *x = a->first, *y = b->first;

	while (x && y && fw_ip_cmp(x->lo, y->lo) == 0 &&
	       fw_ip_cmp(x->hi, y->hi) == 0) {
		x = x->next;
		y = y->next;
	}
	return x == y;
}

static bool is_same_zone(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same_place(const struct fw_place *a, const struct fw_place *b)
{
	return is_same_zone(a->in, b->in) && is_same_zone(a->out, b->out) &&
	       is_same(&a->src, &b->src);
}

/* Flows mostly pass at the same few. @param out  NULL: one too many */
static int take_space(struct fw_tell_from **out, struct fw_tell *au,
                      const struct fw_place *place)
{
	struct fw_tell_from *from = au->from;
	int err;

	while (from && !is_same_place(&from->place, place))
		from = from->next;
	*out = from;
	if (from || (au->from && au->from->n == SPACES_MAX))
		return 0;
	from = arena_alloc(&au->r->arena, sizeof(*from));
	if (!from)
		return ENOMEM;
	from->place = *place;
	err = fw_space_alloc(&from->space, au->rules, au->q->flows,
	                     au->q->n_flows, &from->place, au->q->hosts,
	                     au->q->n_hosts);
	if (err)
		return err;
	fw_space_limit(from->space, SPACE_STEPS);
	from->n = au->from ? au->from->n + 1 : 1;
	from->next = au->from;
	au->from = from;
	*out = from;
	return 0;
}

void fw_tell_from_fini(struct fw_tell *au)
{
	for (struct fw_tell_from *f = au->from; f; f = f->next)
		fw_space_free(f->space);
	au->from = NULL;
}

/* Many rules let the same pass: a flow is judged once for each place. */
static int judge_at(bool *passes, struct fw_tell *au, size_t i,
                    const struct fw_place *place)
{
	struct fw_judgement out, back = {.verdict = FW_DONT_KNOW};
	struct arena *a = &au->r->arena;
	struct fw_tell_from *at;
	int err = take_space(&at, au, place);

	*passes = false;
	if (err || !at)
		return err;
	if (at->asked != i + 1) {
		err = fw_space_judge(&out, a, at->space, i);
		if (!err)
			err = fw_space_judge_reply(&back, a, at->space, i,
			                           &out);
		if (err)
			return err;
		at->asked = i + 1;
		at->passes = out.verdict == FW_PASS && back.verdict == FW_PASS;
	}
	*passes = at->passes;
	return 0;
}

/* @return false: it is for anybody, or for names */
static bool is_limited(const struct fw_addrs *src)
{
	for (const struct fw_addr *ad = src->first; ad; ad = ad->next) {
		if (ad->kind != FW_ADDR_RANGE)
			return false;
	}
	return src->first && !src->is_negated;
}

static int add_src(struct fw_addrs *to, struct arena *a,
                   const struct fw_addrs *src)
{
	for (const struct fw_addr *ad = src->first; ad; ad = ad->next) {
		const struct fw_addr *has = to->first;

		while (has && (fw_ip_cmp(has->lo, ad->lo) ||
		               fw_ip_cmp(has->hi, ad->hi)))
			has = has->next;
		if (!has && !fw_addrs_add_range(a, to, ad->lo, ad->hi))
			return ENOMEM;
	}
	return 0;
}

static const char *range_text(struct fw_tell *au, const struct fw_addr *ad)
{
	struct wr w = wr_init_heap();
	const char *text;

	fw_ip_put(&w, ad->lo, ad->hi);
	au->r->no_memory |= w.bad;
	text = report_text(au->r, wr_slice(&w));
	wr_fini(&w);
	return text;
}

static const char *src_text(struct fw_tell *au, struct fact *f,
                            const struct fw_addrs *src)
{
	struct val *list = fact_field(au->r, f, "passes_from", val_list());
	const char *all = "";

	for (const struct fw_addr *ad = src->first; ad; ad = ad->next) {
		const char *one = range_text(au, ad);

		all = report_fmt(au->r, "%s%s%s", all, *all ? ", " : "", one);
		(void)val_put(&au->r->arena, &au->r->no_memory, list, NULL,
		              val_text(one));
	}
	return all;
}

/* Once is enough for all flows. */
static void ask_place(struct fw_tell *au, struct words words)
{
	if (!au->is_lan_asked)
		(void)finding_remedy(
			au->r,
			fw_tell_cause(au, &au->blocked, "firewall.blocks"),
			"say-lan", words);
	au->is_lan_asked = true;
}

/* @param from  Of all for which it passes.
 * @param lan   What --lan takes of it */
static void tell_elsewhere(struct fw_tell *au, struct fact *f, const char *from,
                           const char *lan)
{
	f->summary.args[3] = from;
	if (f->summary.args[1])
		f->summary.msgid =
			N_("%1$s: passes from %4$s, but not from elsewhere: "
		           "blocked, by line %2$s.");
	else
		f->summary.msgid = N_("%1$s: passes from %4$s, but not from "
		                      "elsewhere: no rule accepts it.");
	ask_place(au,
	          (struct words){
			  .msgid = N_("If phones are only at %1$s, say so with "
	                              "--lan=%1$s, and they alone are judged."),
			  .args = {lan}});
}

static int find_src(struct fw_addrs *src, struct fw_tell *au, size_t i,
                    const struct fw_answer *an)
{
	int err = 0;

	for (const struct fw_part *p = an->out.parts; p && !err; p = p->next) {
		struct fw_place place = au->q->place;
		bool passes = false;

		if (p->verdict != FW_PASS || !p->rule ||
		    !is_limited(&p->rule->src))
			continue;
		place.src = p->rule->src;
		err = judge_at(&passes, au, i, &place);
		if (!err && passes)
			err = add_src(src, &au->r->arena, &p->rule->src);
	}
	return err;
}

/* Between which interfaces, where they are not said: from one to any, else to
 * one. @param place  In: as asked; out: where it passes, or the same */
static int find_zones(struct fw_place *place, struct fw_tell *au, size_t i,
                      const struct fw_answer *an)
{
	const struct fw_place asked = *place;
	bool passes = false;
	int err = 0;

	for (const struct fw_part *p = an->out.parts; p && !err && !passes;
	     p = p->next) {
		const struct fw_packet *e = &p->example;

		*place = asked;
		if (p->verdict != FW_PASS)
			continue;
		if (!asked.in)
			place->in = e->in_is_like ? NULL : e->in;
		if (place->in && !asked.in)
			err = judge_at(&passes, au, i, place);
		if (passes || err || asked.out || !place->in || !e->out ||
		    e->out_is_like || strcmp(place->in, e->out) == 0)
			continue;
		place->out = e->out;
		err = judge_at(&passes, au, i, place);
	}
	if (!passes)
		*place = asked;
	return err;
}

/* From one interface to wherever. */
static void tell_zone(struct fw_tell *au, struct fact *f, const char *zone)
{
	const char *in = report_text(au->r, slice_str(zone));

	(void)fact_field(au->r, f, "passes_in", val_text(in));
	tell_elsewhere(au, f, in, in);
}

static void tell_zones(struct fw_tell *au, struct fact *f,
                       const struct fw_place *place)
{
	const char *in = report_text(au->r, slice_str(place->in));
	const char *out = report_text(au->r, slice_str(place->out));

	(void)fact_field(au->r, f, "passes_in", val_text(in));
	(void)fact_field(au->r, f, "passes_out", val_text(out));
	f->summary.args[3] = in;
	f->summary.args[4] = out;
	if (f->summary.args[1])
		f->summary.msgid =
			N_("%1$s: passes from %4$s to %5$s, but not between "
		           "all others: blocked, by line %2$s.");
	else
		f->summary.msgid =
			N_("%1$s: passes from %4$s to %5$s, but not between "
		           "all others: no rule accepts it.");
	ask_place(
		au,
		(struct words){
			.msgid = N_("If phones are only at %1$s, and the "
	                            "provider at %2$s, say so with --lan=%1$s "
	                            "--wan=%2$s, and they alone are judged."),
			.args = {in, out}});
}

int fw_tell_from(struct fw_tell *au, struct fact *f, size_t i,
                 const struct fw_answer *an)
{
	struct fw_place place = au->q->place;
	struct fw_addrs src = {0};
	int err = 0;

	if (an->verdict != FW_FAIL || place.path != FW_PATH_FORWARD)
		return 0;
	if (!place.src.first)
		err = find_src(&src, au, i, an);
	if (!err && src.first)
		tell_elsewhere(au, f, src_text(au, f, &src),
		               range_text(au, src.first));
	if (err || src.first || (place.in && place.out))
		return err;
	err = find_zones(&place, au, i, an);
	if (!err && place.out != au->q->place.out)
		tell_zones(au, f, &place);
	else if (!err && place.in != au->q->place.in)
		tell_zone(au, f, place.in);
	return err;
}
