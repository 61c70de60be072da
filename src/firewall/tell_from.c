/* SPDX-License-Identifier: ISC */
/*
 * Design: nobody said where phones are, and rules let some addresses pass and
 * not others: that is blocked, but to say only so would be half of it. From
 * whom it passes is not read off the rules but judged again for those alone,
 * so it is as sure as the verdict.
 */
#include "firewall/tell.h"

#include <errno.h>

#include "base/i18n.h"

enum {
	SPACES_MAX = 8, /* each compiles all rules once more */
};

/* The same question, as if phones were at `place.src` alone. */
struct fw_tell_from {
	struct fw_tell_from *next;
	struct fw_place place;
	struct fw_space *space;
	size_t n; /* of this and the next */
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

/* Flows mostly pass from the same few. @param out  NULL: one too many */
static int take_space(struct fw_space **out, struct fw_tell *au,
                      const struct fw_addrs *src)
{
	struct fw_tell_from *from = au->from;
	int err;

	while (from && !is_same(&from->place.src, src))
		from = from->next;
	*out = from ? from->space : NULL;
	if (from || (au->from && au->from->n == SPACES_MAX))
		return 0;
	from = arena_alloc(&au->r->arena, sizeof(*from));
	if (!from)
		return ENOMEM;
	from->place = au->q->place;
	from->place.src = *src;
	err = fw_space_alloc(&from->space, au->rules, au->q->flows,
	                     au->q->n_flows, &from->place, au->q->hosts,
	                     au->q->n_hosts);
	if (err)
		return err;
	from->n = au->from ? au->from->n + 1 : 1;
	from->next = au->from;
	au->from = from;
	*out = from->space;
	return 0;
}

void fw_tell_from_fini(struct fw_tell *au)
{
	for (struct fw_tell_from *f = au->from; f; f = f->next)
		fw_space_free(f->space);
	au->from = NULL;
}

static int judge_from(bool *passes, struct fw_tell *au, size_t i,
                      const struct fw_addrs *src)
{
	struct arena *a = &au->r->arena;
	struct fw_judgement out, back = {.verdict = FW_DONT_KNOW};
	struct fw_space *sp;
	int err = take_space(&sp, au, src);

	*passes = false;
	if (err || !sp)
		return err;
	err = fw_space_judge(&out, a, sp, i);
	if (!err)
		err = fw_space_judge_reply(&back, a, sp, i, &out);
	if (!err)
		*passes = out.verdict == FW_PASS && back.verdict == FW_PASS;
	return err;
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

static void tell(struct fw_tell *au, struct fact *f, const struct fw_addrs *src)
{
	const char *from = src_text(au, f, src);
	struct remedy_step *step;

	f->summary.args[3] = from;
	if (f->summary.args[1])
		f->summary.msgid =
			N_("%1$s: passes from %4$s, but not from elsewhere: "
		           "blocked, by line %2$s.");
	else
		f->summary.msgid = N_("%1$s: passes from %4$s, but not from "
		                      "elsewhere: no rule accepts it.");
	if (au->is_lan_asked)
		return;
	au->is_lan_asked = true;
	step = finding_remedy(
		au->r, fw_tell_cause(au, &au->blocked, "firewall.blocks"),
		"say-lan",
		(struct words){
			.msgid = N_("If phones are only at %1$s, say so with "
	                            "--lan=%1$s, and they alone are judged.")});
	step->text.args[0] = range_text(au, src->first);
}

int fw_tell_from(struct fw_tell *au, struct fact *f, size_t i,
                 const struct fw_answer *an)
{
	struct arena *a = &au->r->arena;
	struct fw_addrs src = {0};
	int err = 0;

	if (au->q->place.src.first || an->verdict != FW_FAIL)
		return 0;
	for (const struct fw_part *p = an->out.parts; p && !err; p = p->next) {
		bool passes = false;

		if (p->verdict != FW_PASS || !p->rule ||
		    !is_limited(&p->rule->src))
			continue;
		err = judge_from(&passes, au, i, &p->rule->src);
		if (!err && passes)
			err = add_src(&src, a, &p->rule->src);
	}
	if (!err && src.first)
		tell(au, f, &src);
	return err;
}
