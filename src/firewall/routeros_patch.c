/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule is placed by its number in its chain, counted among the
 * rules that an export shows: numbers of the whole menu would also count the
 * dynamic ones, of which an export says nothing. What the patch adds bears a
 * mark that the configuration does not have yet, so the undo takes away just
 * that.
 */
#include <errno.h>
#include <string.h>

#include "firewall/routeros.h"

enum {
	MAX_CLEARED = 16, /* addresses of one range */
};

/* Rules that were put before rule number `before` of the old chain. */
struct placed {
	struct placed *next;
	const struct fw_chain *chain;
	unsigned before, n;
};

struct patch {
	struct fw_patch_out *out;
	const struct fw_rules *rules;
	const struct fw_edit *edits;
	struct diag *dg;
	struct arena arena;
	struct placed *placed;
	char tag[32];
	bool has_rules[2];
	int err;
};

/* A mark that is nowhere in the text. */
static void choose_tag(struct patch *p)
{
	for (unsigned i = 1; i; i++) {
		struct wr w = wr_init(p->tag, sizeof(p->tag));

		wr_fmt(&w, i == 1 ? "prumo-patch" : "prumo-patch%u", i);
		wr_u8(&w, 0);
		if (slice_find(p->rules->text, slice_str(p->tag)) == SIZE_MAX)
			return;
	}
}

/* Is the name one of a list of interfaces, as the rules use it? */
static bool is_list(const struct patch *p, const char *name)
{
	struct slice rest = p->rules->text;
	const struct slice mark = slice_str("interface-list=");
	size_t at;

	while (name && (at = slice_find(rest, mark)) != SIZE_MAX) {
		struct slice word;

		rest = slice_sub(rest, at + mark.n, SIZE_MAX);
		if (rest.n && rest.p[0] == '!')
			rest = slice_sub(rest, 1, SIZE_MAX);
		if (!fw_word_next(&rest, &word))
			break;
		if (slice_eq_str(word, name))
			return true;
	}
	return false;
}

static unsigned number_of(const struct fw_chain *c, const struct fw_rule *rule)
{
	unsigned n = 0;

	for (const struct fw_rule *r = c->first; r && r != rule; r = r->next)
		n++;
	return n;
}

static void place(struct patch *p, struct fw_ros_mark *mark,
                  const struct fw_chain *c, const struct fw_rule *before)
{
	const unsigned at = before ? number_of(c, before) : 0;

	if (!before)
		return;
	mark->is_placed = true;
	mark->before = at;
	for (const struct placed *o = p->placed; o; o = o->next) {
		if (o->chain == c && o->before <= at)
			mark->before += o->n;
	}
}

static void note(struct patch *p, const struct fw_ros_mark *mark,
                 const struct fw_chain *c, const struct fw_rule *before)
{
	struct placed *o = arena_alloc(&p->arena, sizeof(*o));

	if (!o) {
		p->err = ENOMEM;
		return;
	}
	*o = (struct placed){.next = p->placed,
	                     .chain = c,
	                     .before = number_of(c, before),
	                     .n = mark->n_lines};
	p->placed = o;
}

static const struct fw_chain *twin(const struct patch *p,
                                   const struct fw_chain *c, bool is6)
{
	if ((c->families & FW_IP6) == (is6 ? FW_IP6 : 0))
		return c;
	return fw_chain_find(p->rules, is6 ? "ipv6 filter" : "filter", c->name);
}

/* Is a rule for the flow planned there by itself? */
static bool is_planned(const struct patch *p, const struct fw_edit *ed,
                       const struct fw_chain *c)
{
	const struct fw_edit *e = p->edits;

	while (e && (e->kind != FW_EDIT_INSERT || e->flow != ed->flow ||
	             e->chain != c))
		e = e->next;
	return e;
}

/* The half of a family. The chain that was planned for is met in the planned
 * place; its twin at its beginning, if it filters at all. */
static void put_half(struct patch *p, const struct fw_edit *ed,
                     const struct fw_rule *r, bool is6)
{
	struct wr *w = &p->out->commands;
	const char *menu = is6 ? "ipv6" : "ip";
	const struct fw_chain *c = twin(p, ed->chain, is6);
	const struct fw_rule *before = ed->before;
	struct fw_ros_mark mark = {
		.tag = p->tag,
		.is_in_list = is_list(p, ed->place->in),
		.is_out_list = is_list(p, ed->place->out),
	};

	if (!c || !fw_ros_has_half(r, is6))
		return;
	if (c != ed->chain) {
		before = c->first;
		if (!before || is_planned(p, ed, c))
			return;
	}
	if (r->src.first || r->dst.first) {
		wr_fmt(w, "/%s firewall address-list\n", menu);
		fw_ros_put_lists(w, r, is6, &mark);
	}
	place(p, &mark, c, before);
	wr_fmt(w, "/%s firewall filter\n", menu);
	fw_ros_put_rule(w, r, c->name, is6, &mark);
	note(p, &mark, c, before);
	p->has_rules[is6] = true;
}

static void insert(struct patch *p, const struct fw_edit *ed)
{
	struct fw_rule r = {.id = "return-traffic",
	                    .families = FW_IP4 | FW_IP6,
	                    .states = FW_STATE_ESTABLISHED | FW_STATE_RELATED,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset()};

	if (ed->flow) {
		r.id = ed->flow->id;
		r.name = ed->flow->title;
		r.states = FW_STATE_ALL;
		r.dst = ed->flow->dst;
		r.services = ed->services;
		if (fw_rule_set_place(&p->arena, &r, ed->place)) {
			p->err = ENOMEM;
			return;
		}
	} else {
		r.families = ed->chain->families;
	}
	p->err = fw_ros_check_rule(&r, p->dg);
	for (int is6 = 0; is6 < 2 && !p->err; is6++)
		put_half(p, ed, &r, is6);
}

static void turn_alg_off(struct patch *p)
{
	const char *menu = "/ip firewall service-port\n";

	wr_fmt(&p->out->commands, "%sset sip disabled=yes\n", menu);
	wr_fmt(&p->out->undo, "%sset sip disabled=no\n", menu);
}

static void raise_idle(struct patch *p, int64_t idle_s)
{
	const char *menu = "/ip firewall connection tracking\n";

	wr_fmt(&p->out->commands, "%sset udp-stream-timeout=%llds\n", menu,
	       (long long)idle_s);
	wr_fmt(&p->out->undo, "%sset udp-stream-timeout=%llds\n", menu,
	       (long long)p->rules->defaults.udp_idle_s);
}

/* Rows of a profile share addresses. */
static void clear_address(struct wr *w, uint32_t ip)
{
	char text[128];
	struct wr line = wr_init(text, sizeof(text));

	wr_fmt(&line,
	       "/ip firewall connection remove [find "
	       "dst-address~\"^%u\\\\.%u\\\\.%u\\\\.%u:\"]\n",
	       ip >> 24, ip >> 16 & 0xff, ip >> 8 & 0xff, ip & 0xff);
	if (slice_find(wr_slice(w), wr_slice(&line)) == SIZE_MAX)
		wr_put(w, wr_slice(&line));
}

static bool is_cleared(const struct fw_edit *edits, const struct fw_edit *ed)
{
	for (const struct fw_edit *o = edits; o != ed; o = o->next) {
		if (o->flow == ed->flow)
			return true;
	}
	return false;
}

static void put_clear(struct patch *p, const struct fw_addrs *dst)
{
	struct wr *w = &p->out->clear;

	for (const struct fw_addr *a = dst->first; a; a = a->next) {
		uint32_t lo, hi;

		if (a->kind != FW_ADDR_RANGE)
			continue;
		lo = fw_ip_is4(a->lo) ? (uint32_t)a->lo.lo : 0;
		hi = fw_ip_is4(a->hi) ? (uint32_t)a->hi.lo : UINT32_MAX;
		if (hi - lo < MAX_CLEARED) {
			for (uint32_t i = 0; i <= hi - lo; i++)
				clear_address(w, lo + i);
			continue;
		}
		wr_str(w, "# in /ip or /ipv6 firewall connection, remove what "
		          "goes to ");
		fw_ip_put(w, a->lo, a->hi);
		wr_str(w, "\n");
	}
}

static void put_undo(struct patch *p)
{
	struct wr *w = &p->out->undo;

	for (int is6 = 0; is6 < 2; is6++) {
		const char *menu = is6 ? "ipv6" : "ip";

		if (!p->has_rules[is6])
			continue;
		wr_fmt(w,
		       "/%s firewall filter remove [find comment~\"^%s: \"]\n",
		       menu, p->tag);
		wr_fmt(w,
		       "/%s firewall address-list remove [find list~\"^%s-\"]\n",
		       menu, p->tag);
	}
}

int fw_ros_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                 const struct fw_edit *edits, struct diag *dg)
{
	struct patch p = {.out = out, .rules = rules, .edits = edits, .dg = dg};
	int64_t idle_s = 0;
	bool has_alg = false;

	arena_init(&p.arena);
	choose_tag(&p);
	for (const struct fw_edit *ed = edits; ed && !p.err; ed = ed->next) {
		if (ed->kind == FW_EDIT_INSERT || ed->kind == FW_EDIT_RETURN)
			insert(&p, ed);
		else if (ed->kind == FW_EDIT_IDLE && ed->idle_s > idle_s)
			idle_s = ed->idle_s;
		has_alg |= ed->kind == FW_EDIT_ALG_OFF;
		if (ed->flow && !is_cleared(edits, ed))
			put_clear(&p, &ed->flow->dst);
	}
	put_undo(&p);
	if (has_alg)
		turn_alg_off(&p);
	if (idle_s > 0)
		raise_idle(&p, idle_s);
	wr_put(&out->patched, rules->text);
	wr_str(&out->patched, "\n");
	wr_put(&out->patched, wr_slice(&out->commands));
	arena_fini(&p.arena);
	return p.err;
}
