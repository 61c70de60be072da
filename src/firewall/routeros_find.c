/* SPDX-License-Identifier: ISC */
/*
 * Design: which items a command means. A condition is answered yes, no or not
 * sure, by comparing what was written: "192.0.2.1" and "192.0.2.1/32" are one
 * address, so a difference is sure only where a value is a plain word.
 *
 * People see numbers after a print, and those stay until the next one; but
 * without a print a box counts anew. A number is followed where both ways of
 * counting mean one item, and where no rule of the text brings others that
 * are counted and not exported.
 */
#include "firewall/routeros_read.h"

#include <errno.h>

#include "base/text.h"

enum {
	MAX_CONDS = 8,
	MAX_STEPS = 1 << 24, /* over items, and bytes of them */
	NUMBER_MAX = 1 << 24,
};

enum answer {
	NO,
	YES,
	NOT_SURE,
};

enum op {
	OP_IS,
	OP_IS_NOT,
	OP_LIKE,
};

struct cond {
	enum op op;
	struct slice key, value;
};

struct conds {
	struct cond v[MAX_CONDS];
	size_t n;
	bool is_odd; /* more than is read here */
};

/* ---- conditions ---- */

static bool is_name(uint8_t ch)
{
	const uint8_t letter = (uint8_t)((ch | 0x20) - 'a');

	return letter < 26 || (uint8_t)(ch - '0') < 10 || ch == '-' ||
	       ch == '.';
}

/* A value in quotes or up to a blank. */
static struct slice take_value(struct slice *rest)
{
	struct slice s = *rest, v;
	size_t n = 0;

	if (s.n && s.p[0] == '"') {
		for (n = 1; n < s.n && s.p[n] != '"'; n++)
			n += s.p[n] == '\\';
		n = n < s.n ? n : s.n;
		v = slice_sub(s, 1, n - 1);
		*rest = slice_sub(s, n + 1, SIZE_MAX);
		return v;
	}
	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	*rest = slice_sub(s, n, SIZE_MAX);
	return slice_sub(s, 0, n);
}

/* "chain=forward", "comment~\"x\"", "dst-port!=80", "disabled", "!dynamic" */
static bool take_cond(struct slice *rest, struct cond *cond)
{
	struct slice s = *rest;
	bool is_not = false;
	size_t n = 0;

	if (s.p[0] == '!') {
		is_not = true;
		s = slice_sub(s, 1, SIZE_MAX);
	}
	while (n < s.n && is_name(s.p[n]))
		n++;
	cond->key = slice_sub(s, 0, n);
	s = slice_sub(s, n, SIZE_MAX);
	cond->op = is_not ? OP_IS_NOT : OP_IS;
	cond->value = slice_str("yes");
	*rest = s;
	if (n == 0 || s.n == 0 || s.p[0] == ' ' || s.p[0] == '\t')
		return n > 0;
	if (is_not)
		return false;
	if (s.p[0] == '!' && s.n > 1 && s.p[1] == '=') {
		cond->op = OP_IS_NOT;
		s = slice_sub(s, 1, SIZE_MAX);
	} else if (s.p[0] == '~') {
		cond->op = OP_LIKE;
	} else if (s.p[0] != '=') {
		return false;
	}
	*rest = slice_sub(s, 1, SIZE_MAX);
	cond->value = take_value(rest);
	return true;
}

/* What stands between "[find" and its "]". */
static void read_conds(struct conds *out, struct slice text)
{
	struct slice rest = slice_trim(text), after, word;

	*out = (struct conds){0};
	for (; rest.n && !out->is_odd; rest = slice_trim(rest)) {
		after = rest;
		if (!fw_word_next(&after, &word))
			break;
		out->is_odd =
			slice_eq_str(word, "or") || slice_eq_str(word, "||");
		if ((slice_eq_str(word, "where") || slice_eq_str(word, "and") ||
		     slice_eq_str(word, "&&"))) {
			rest = after;
			continue;
		}
		if (out->n == MAX_CONDS || !take_cond(&rest, &out->v[out->n]))
			out->is_odd = true;
		else
			out->n++;
	}
}

/* Values that are one word, written in one way. */
static bool is_plain(struct slice key)
{
	static const char *const names[] = {
		"action",
		"chain",
		"comment",
		"disabled",
		"dynamic",
		"in-interface",
		"interface",
		"jump-target",
		"list",
		"name",
		"out-interface",
		"in-interface-list",
		"protocol",
		"out-interface-list",
		"log-prefix",
		"src-address-list",
		"routing-mark",
		"dst-address-list",
		"connection-mark",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(key, names[i]))
			return true;
	}
	return false;
}

static struct slice value_of(const struct fw_ros_item *it, struct slice key)
{
	char name[64];
	struct wr w = wr_init(name, sizeof(name) - 1);
	struct slice v = {NULL, 0};

	if (slice_eq_str(key, "chain"))
		return it->chain;
	wr_put(&w, key);
	name[w.n] = '\0';
	if (!w.bad)
		v = fw_ros_value(it->args, name);
	if (v.n == 0 && slice_eq_str(key, "action"))
		return slice_str("accept");
	if (v.n == 0 &&
	    (slice_eq_str(key, "disabled") || slice_eq_str(key, "dynamic")))
		return slice_str("no");
	return v;
}

static struct slice yes_or_no(struct slice v)
{
	if (slice_eq_str(v, "true"))
		return slice_str("yes");
	return slice_eq_str(v, "false") ? slice_str("no") : v;
}

static enum answer is_equal(const struct fw_ros_item *it,
                            const struct cond *cond)
{
	const struct slice has = yes_or_no(value_of(it, cond->key));
	const struct slice want = yes_or_no(cond->value);

	if (slice_eq(has, want))
		return YES;
	/* What is not said has a default, which is not known of all keys. */
	return is_plain(cond->key) ? NO : NOT_SURE;
}

/* Of expressions: letters, ".", and what ties them to the ends. */
static enum answer is_like(const struct fw_ros_item *it,
                           const struct cond *cond)
{
	const struct slice has = value_of(it, cond->key);
	struct slice re = cond->value;
	bool is_from = false, is_to = false;

	if (re.n && re.p[0] == '^') {
		is_from = true;
		re = slice_sub(re, 1, SIZE_MAX);
	}
	if (re.n && re.p[re.n - 1] == '$') {
		is_to = true;
		re = slice_sub(re, 0, re.n - 1);
	}
	for (size_t i = 0; i < re.n; i++) {
		const struct slice special = slice_str("[]()*+?{}|\\^$");

		if (slice_find(special, slice_sub(re, i, 1)) != SIZE_MAX)
			return NOT_SURE;
	}
	for (size_t at = 0; at + re.n <= has.n; at++) {
		size_t n = 0;

		while (n < re.n && (re.p[n] == '.' || re.p[n] == has.p[at + n]))
			n++;
		if (n == re.n && (!is_to || at + n == has.n))
			return YES;
		if (is_from)
			break;
	}
	return NO;
}

static enum answer is_meant(const struct fw_ros_item *it,
                            const struct conds *conds)
{
	enum answer all = YES;

	for (size_t i = 0; i < conds->n; i++) {
		const struct cond *cond = &conds->v[i];
		enum answer one = cond->op == OP_LIKE ? is_like(it, cond)
		                                      : is_equal(it, cond);

		if (cond->op == OP_IS_NOT && one != NOT_SURE)
			one = one == YES ? NO : YES;
		if (one == NO)
			return NO;
		if (one == NOT_SURE)
			all = NOT_SURE;
	}
	return all;
}

/* ---- which items ---- */

struct picking {
	struct fw_ros_ctx *c;
	const struct fw_ros_command *m;
	struct fw_ros_items *items;
	struct fw_ros_item *first;
};

static bool spend(struct fw_ros_ctx *c, size_t n)
{
	c->n_steps += n;
	return c->n_steps <= MAX_STEPS;
}

static void mark(struct picking *p, struct fw_ros_item *it)
{
	it->picked_by = p->c->n_commands;
	if (!p->first)
		p->first = it;
}

/* @param nth  Only the one of that number among them; SIZE_MAX: all. */
static int pick_found(struct picking *p, struct slice inside, uint64_t nth)
{
	struct conds conds;
	uint64_t n = 0;

	read_conds(&conds, inside);
	if (conds.is_odd)
		return ENOENT;
	for (struct fw_ros_item *it = p->items->first; it; it = it->next) {
		enum answer a;

		if (!spend(p->c, 1 + it->args.n / 8))
			return ENOENT;
		a = is_meant(it, &conds);
		if (a == NOT_SURE)
			return ENOENT;
		if (a == NO || (nth != SIZE_MAX && n++ != nth))
			continue;
		mark(p, it);
		if (nth != SIZE_MAX)
			return 0;
	}
	return nth == SIZE_MAX ? 0 : ENOENT;
}

static void show(struct fw_ros_items *items)
{
	size_t n = 0;

	for (struct fw_ros_item *it = items->first; it; it = it->next)
		it->shown = ++n;
	items->is_shown = true;
}

/* A rule that the box adds to show the counters of fasttrack is number 0. */
static bool has_dynamic(struct picking *p)
{
	const enum fw_ros_menu menu = p->m->menu;

	if (menu == FW_ROS_LIST || menu == FW_ROS_IFLIST)
		return true;
	for (struct fw_ros_item *it = p->items->first; it; it = it->next) {
		if (slice_eq_str(fw_ros_value(it->args, "action"),
		                 "fasttrack-connection"))
			return true;
	}
	return p->c->has_dynamic;
}

static int pick_number(struct picking *p, uint64_t number)
{
	struct fw_ros_item *shown = NULL, *counted = NULL;
	uint64_t n = 0;

	if (!spend(p->c, p->items->n_added * 8) || has_dynamic(p))
		return ENOENT;
	if (!p->items->is_shown)
		show(p->items);
	for (struct fw_ros_item *it = p->items->first; it; it = it->next) {
		if (n++ == number)
			counted = it;
		if (it->shown == number + 1)
			shown = it;
	}
	if (!counted || counted != shown)
		return ENOENT;
	mark(p, counted);
	return 0;
}

/* "0,2" or "sip,h323": one of them. */
static int pick_one(struct picking *p, struct slice part)
{
	uint64_t number;

	if (p->m->menu == FW_ROS_SERVICE_PORT) {
		/* Only one is of interest; which number it has is not known. */
		if (slice_eq_str(part, "sip"))
			mark(p, p->items->first);
		return text_u64(&number, part, NUMBER_MAX) && part.p[0] != '*'
		               ? 0
		               : ENOENT;
	}
	if (text_u64(&number, part, NUMBER_MAX))
		return ENOENT;
	return pick_number(p, number);
}

static bool is_call(struct slice where, const char *head, struct slice *inside)
{
	const size_t n = slice_str(head).n;

	if (!fw_has_prefix(where, head) || where.n <= n ||
	    where.p[where.n - 1] != ']' || is_name(where.p[n]))
		return false;
	*inside = slice_sub(where, n, where.n - n - 1);
	return true;
}

/* "[find ...] 3", within "[:pick " and "]" */
static int pick_picked(struct picking *p, struct slice inside)
{
	struct slice list, number, found;
	uint64_t nth;

	inside = slice_trim(inside);
	list = slice_sub(inside, 0, fw_ros_bracket_len(inside));
	number = slice_trim(slice_sub(inside, list.n, SIZE_MAX));
	if (!is_call(list, "[find", &found) ||
	    text_u64(&nth, number, NUMBER_MAX))
		return ENOENT;
	return pick_found(p, found, nth);
}

static int pick_listed(struct picking *p, struct slice where)
{
	struct slice part;
	int err = where.n && where.p[0] != '[' ? 0 : ENOENT;

	while (!err && fw_part_next(&where, ',', &part))
		err = part.n ? pick_one(p, part) : ENOENT;
	return err;
}

int fw_ros_pick(struct fw_ros_item **first, struct fw_ros_ctx *c,
                const struct fw_ros_command *m, struct slice where)
{
	struct picking p = {
		.c = c, .m = m, .items = &c->items[m->menu][m->is6]};
	struct slice inside;
	int err;

	c->n_commands++;
	if (is_call(where, "[find", &inside) ||
	    is_call(where, "[ find", &inside))
		err = pick_found(&p, inside, SIZE_MAX);
	else if (is_call(where, "[:pick", &inside))
		err = pick_picked(&p, inside);
	else
		err = pick_listed(&p, where);
	if (!err)
		*first = p.first;
	return err;
}
