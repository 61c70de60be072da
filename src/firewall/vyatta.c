/* SPDX-License-Identifier: ISC */
/*
 * Design: rule sets that are bound to interfaces ("in", "out", "local")
 * become chains that base chains jump to: one base chain per direction, so
 * that a packet has to pass both the set of where it enters and that of where
 * it leaves. VyOS from 1.4 has base chains of its own, which are taken as
 * they are. A default action is a last rule.
 */
#include "firewall/vyatta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/match.h"
#include "firewall/vyatta_read.h"

enum {
	UDP_STREAM_S = 180,
	TCP_ESTABLISHED_S = 432000,
	MAX_RULE = 999999,
	MAX_SECONDS = 21474836,
};

const char fw_vy_table4[] = "ipv4";
const char fw_vy_table6[] = "ipv6";

void fw_vy_check(struct fw_vy_reader *c, const void *made)
{
	if (!made)
		c->err = ENOMEM;
}

const char *fw_vy_dup(struct fw_vy_reader *c, struct slice s)
{
	const char *text = arena_dup(&c->rules->arena, s);

	fw_vy_check(c, text);
	return text ? text : "";
}

/* ---- chains ---- */

static int by_number(const void *a, const void *b)
{
	const struct fw_vy_numbered *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

size_t fw_vy_sort(struct fw_vy_reader *c, struct fw_vy_numbered **out,
                  const struct fw_vy_node *set)
{
	const struct fw_vy_node *list = fw_vy_find(&c->t, set, "rule");
	size_t n = 0;

	for (const struct fw_vy_node *r = fw_vy_first(list); r; r = r->next)
		n++;
	*out = arena_alloc(&c->scratch, (n + 1) * sizeof(**out));
	fw_vy_check(c, *out);
	if (!*out)
		return 0;
	n = 0;
	for (const struct fw_vy_node *r = fw_vy_first(list); r; r = r->next) {
		uint64_t number;

		if (text_u64(&number, r->word, MAX_RULE)) {
			diag_add(c->t.dg, DIAG_ERROR, r->word,
			         _("A rule is known by a number up to %d."),
			         MAX_RULE);
			continue;
		}
		(*out)[n++] = (struct fw_vy_numbered){number, r};
	}
	qsort(*out, n, sizeof(**out), by_number);
	return n;
}

struct fw_chain *fw_vy_chain_add(struct fw_vy_reader *c, const char *name,
                                 const char *table, enum fw_hook hook)
{
	struct fw_chain *ch = fw_chain_add(c->rules, name);

	fw_vy_check(c, ch);
	if (!ch)
		return NULL;
	ch->table = table;
	ch->families = table == fw_vy_table6 ? FW_IP6 : FW_IP4;
	ch->hook = hook;
	ch->policy = FW_ACCEPT;
	fw_dict_put(&c->chains, table, slice_str(ch->name), ch);
	return ch;
}

/* A rule that no line of its own says. */
struct fw_rule *fw_vy_made_add(struct fw_vy_reader *c, struct fw_chain *ch,
                               const struct fw_vy_node *at,
                               enum fw_action action)
{
	struct fw_rule *r = fw_rule_add(c->rules, ch);

	fw_vy_check(c, r);
	if (!r)
		return NULL;
	r->families = ch->families;
	r->states = FW_STATE_ALL;
	r->attrs = fw_attrs_unset();
	r->action = action;
	r->id = arena_fmt(&c->rules->arena, "%s default-action", ch->name);
	fw_vy_check(c, r->id);
	if (!r->id)
		r->id = "";
	if (at) {
		r->line = at->line;
		r->raw = at->raw;
	}
	return r;
}

static void add_default(struct fw_vy_reader *c, struct fw_chain *ch,
                        const struct fw_vy_node *set)
{
	const struct fw_vy_node *n = fw_vy_find(&c->t, set, "default-action");
	const struct slice said = fw_vy_value(&c->t, set, "default-action");
	enum fw_action action = FW_DROP;
	struct fw_rule *r;

	if (ch->hook != FW_HOOK_NONE) {
		ch->policy = slice_eq_str(said, "drop") ? FW_DROP : FW_ACCEPT;
		return;
	}
	if (slice_eq_str(said, "accept"))
		action = FW_ACCEPT;
	else if (slice_eq_str(said, "reject"))
		action = FW_REJECT;
	else if (slice_eq_str(said, "return") || slice_eq_str(said, "continue"))
		action = FW_RETURN;
	else if (slice_eq_str(said, "jump"))
		action = FW_JUMP;
	r = fw_vy_made_add(c, ch, n ? n : set, action);
	if (r && action == FW_JUMP)
		r->target = fw_vy_dup(
			c, fw_vy_value(&c->t, set, "default-jump-target"));
}

/* Answers to what passed before may be let through by one line for all. */
void fw_vy_state_policy_add(struct fw_vy_reader *c, struct fw_chain *ch)
{
	static const struct {
		const char *name;
		unsigned state;
	} rows[] = {
		{"established", FW_STATE_ESTABLISHED},
		{"related", FW_STATE_RELATED},
		{"invalid", FW_STATE_INVALID},
	};
	static const char *const places[] = {
		"firewall state-policy",
		"firewall global-options state-policy"};

	for (size_t i = 0; i < ARRAY_LEN(places) * ARRAY_LEN(rows); i++) {
		const struct fw_vy_node *n =
			fw_vy_find(&c->t,
		                   fw_vy_find(&c->t, c->t.root,
		                              places[i / ARRAY_LEN(rows)]),
		                   rows[i % ARRAY_LEN(rows)].name);
		const struct slice action = fw_vy_value(&c->t, n, "action");
		struct fw_rule *r;

		if (action.n == 0)
			continue;
		r = fw_vy_made_add(c, ch, n,
		                   slice_eq_str(action, "accept") ? FW_ACCEPT
		                                                  : FW_DROP);
		if (!r)
			return;
		r->states = rows[i % ARRAY_LEN(rows)].state;
		r->id = "state-policy";
	}
}

static void fill_chain(struct fw_vy_reader *c, struct fw_chain *ch,
                       const struct fw_vy_node *set)
{
	struct fw_vy_numbered *v;
	const size_t n = fw_vy_sort(c, &v, set);

	ch->line = set->line;
	ch->raw = set->raw;
	/* There is no state yet before it is asked for. */
	if (ch->hook == FW_HOOK_PREROUTING)
		ch->priority = FW_VY_PRIORITY_RAW;
	else if (ch->hook != FW_HOOK_NONE)
		fw_vy_state_policy_add(c, ch);
	for (size_t i = 0; i < n && !c->err; i++)
		fw_vy_check(c,
		            fw_vy_rule_add(&c->t, &c->groups, ch, v[i].node));
	add_default(c, ch, set);
}

static void read_sets(struct fw_vy_reader *c)
{
	static const struct {
		const char *path;
		const char *table;
	} rows[] = {
		{"firewall name", fw_vy_table4},
		{"firewall ipv4 name", fw_vy_table4},
		{"firewall ipv6-name", fw_vy_table6},
		{"firewall ipv6 name", fw_vy_table6},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_vy_node *list =
			fw_vy_find(&c->t, c->t.root, rows[i].path);

		for (const struct fw_vy_node *n = fw_vy_first(list);
		     n && !c->err; n = n->next) {
			struct fw_chain *ch =
				fw_vy_chain_add(c, fw_vy_dup(c, n->word),
			                        rows[i].table, FW_HOOK_NONE);

			if (ch)
				fill_chain(c, ch, n);
		}
	}
}

/* VyOS from 1.4. */
static void read_base(struct fw_vy_reader *c)
{
	static const struct {
		const char *path, *name, *table;
		enum fw_hook hook;
	} rows[] = {
		{"firewall ipv4 forward filter", "forward filter", fw_vy_table4,
	         FW_HOOK_FORWARD},
		{"firewall ipv4 input filter", "input filter", fw_vy_table4,
	         FW_HOOK_INPUT},
		{"firewall ipv4 output filter", "output filter", fw_vy_table4,
	         FW_HOOK_OUTPUT},
		{"firewall ipv6 forward filter", "forward filter", fw_vy_table6,
	         FW_HOOK_FORWARD},
		{"firewall ipv6 input filter", "input filter", fw_vy_table6,
	         FW_HOOK_INPUT},
		{"firewall ipv6 output filter", "output filter", fw_vy_table6,
	         FW_HOOK_OUTPUT},
		{"firewall ipv4 prerouting raw", "prerouting raw", fw_vy_table4,
	         FW_HOOK_PREROUTING},
		{"firewall ipv6 prerouting raw", "prerouting raw", fw_vy_table6,
	         FW_HOOK_PREROUTING},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) && !c->err; i++) {
		const struct fw_vy_node *n =
			fw_vy_find(&c->t, c->t.root, rows[i].path);
		struct fw_chain *ch;

		if (!n)
			continue;
		ch = fw_vy_chain_add(c, rows[i].name, rows[i].table,
		                     rows[i].hook);
		if (ch)
			fill_chain(c, ch, n);
	}
}

static void check_targets(struct fw_vy_reader *c)
{
	for (struct fw_chain *ch = c->rules->chains; ch; ch = ch->next) {
		for (struct fw_rule *r = ch->first; r; r = r->next) {
			if (r->action != FW_JUMP)
				continue;
			if (r->target && fw_dict_get(&c->chains, ch->table,
			                             slice_str(r->target)))
				continue;
			r->action = FW_DROP;
			if (!r->conditional)
				r->conditional = "jump-target";
			diag_add(c->t.dg, DIAG_WARN, r->raw,
			         _("This rule set is not in the text."));
		}
	}
}

/* ---- the box ---- */

static struct fw_setting *add_setting(struct fw_vy_reader *c, const char *id,
                                      const char *source,
                                      const struct fw_vy_node *at)
{
	struct fw_setting *s = fw_setting_add(c->rules, id);

	fw_vy_check(c, s);
	if (!s)
		return NULL;
	s->source = source;
	s->is_default = !at;
	if (at) {
		s->line = at->line;
		s->raw = at->raw;
	}
	return s;
}

/* Words that no version knew before helpers were off unless named. */
static bool has_base_words(const struct fw_vy_reader *c)
{
	static const char *const paths[] = {
		"firewall ipv4",           "firewall ipv6",
		"firewall global-options", "firewall flowtable",
		"firewall zone",           "firewall interface"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (fw_vy_find(&c->t, c->t.root, paths[i]))
			return true;
	}
	return false;
}

static void read_sip(struct fw_vy_reader *c, bool is_edgeos)
{
	const struct fw_vy_node *leaf =
		fw_vy_find(&c->t, c->t.root, "system conntrack modules sip");
	const struct fw_vy_sip in = {
		.is_edgeos = is_edgeos,
		.is_part = c->is_part,
		.has_leaf = leaf,
		.is_disabled = fw_vy_find(&c->t, leaf, "disable"),
		.has_base = has_base_words(c),
		.conntrack = c->t.conntrack,
	};
	const struct fw_vy_sip_state st = fw_vy_sip_judge(&in);
	struct fw_setting *s =
		add_setting(c, "conntrack.modules.sip", st.source, leaf);

	c->rules->defaults.alg = st.alg;
	if (st.alg == FW_ON)
		c->rules->defaults.helper = "nf_conntrack_sip";
	if (s)
		s->attrs.alg = st.alg;
}

static int64_t read_time(struct fw_vy_reader *c, const char *what,
                         int64_t default_s, const struct fw_vy_node **at)
{
	static const char *const places[] = {"system conntrack timeout",
	                                     "firewall global-options timeout"};
	int64_t found_s = default_s;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct fw_vy_node *n = fw_vy_find(
			&c->t, fw_vy_find(&c->t, c->t.root, places[i]), what);
		uint64_t v;

		if (!n || !n->last)
			continue;
		if (text_u64(&v, n->last->word, MAX_SECONDS)) {
			diag_add(c->t.dg, DIAG_ERROR, n->last->word,
			         _("Not a number of seconds."));
			found_s = FW_IDLE_UNKNOWN;
		} else {
			found_s = (int64_t)v;
		}
		*at = n;
	}
	return found_s;
}

static void read_timers(struct fw_vy_reader *c)
{
	struct fw_attrs *d = &c->rules->defaults;
	const struct fw_vy_node *at = NULL, *other = NULL, *custom;
	struct fw_setting *s;

	d->tcp_idle_s =
		read_time(c, "tcp established", TCP_ESTABLISHED_S, &other);
	d->udp_idle_s = read_time(c, "udp stream", UDP_STREAM_S, &at);
	if (c->is_part && !at)
		d->udp_idle_s = FW_IDLE_UNKNOWN;
	s = add_setting(c, "conntrack.timeout.udp.stream",
	                c->is_part ? "unifi-part" : "vyatta-udp-default", at);
	if (s)
		s->attrs.udp_idle_s = d->udp_idle_s;
	custom =
		fw_vy_find(&c->t, c->t.root, "system conntrack timeout custom");
	if (!custom || !custom->first)
		return;
	/* Some flows have times of their own, which are not followed. */
	d->udp_idle_s = FW_IDLE_UNKNOWN;
	s = add_setting(c, "conntrack.timeout.custom", "vyos-timeout-custom",
	                custom);
	if (s)
		s->attrs.udp_idle_s = FW_IDLE_UNKNOWN;
}

static void read_offload(struct fw_vy_reader *c)
{
	static const char *const paths[] = {"system offload hwnat",
	                                    "system offload ipv4 forwarding"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct fw_vy_node *n =
			fw_vy_find(&c->t, c->t.root, paths[i]);
		struct fw_setting *s;

		if (!n || !n->last)
			continue;
		s = add_setting(c, "system.offload", NULL, n);
		if (!s)
			return;
		s->attrs.offload =
			slice_eq_str(n->last->word, "enable") ? FW_ON : FW_OFF;
		if (c->rules->defaults.offload != FW_ON)
			c->rules->defaults.offload = s->attrs.offload;
	}
}

/* What is not about packets is kept by its first line. */
static void keep_rest(struct fw_vy_reader *c)
{
	static const char *const ours[] = {"firewall", "interfaces",
	                                   "nat",      "system",
	                                   "service",  "zone-policy"};

	for (const struct fw_vy_node *n = fw_vy_first(c->t.root); n && !c->err;
	     n = n->next) {
		bool is_ours = false;

		for (size_t i = 0; i < ARRAY_LEN(ours); i++)
			is_ours |= slice_eq_str(n->word, ours[i]);
		if (!is_ours)
			fw_vy_check(c, fw_kept_add(c->rules, n->line, n->raw));
	}
}

/* Rules that are added to others in between: nothing is sure. */
static void read_part(struct fw_vy_reader *c)
{
	diag_add_at(c->t.dg, DIAG_WARN, 1, 1,
	            _("This is what is added to a UniFi gateway's "
	              "configuration, not all of it: for its rules, give what "
	              "mca-ctrl -t dump-cfg prints on the gateway."));
	for (int i = 0; i < 2 && !c->err; i++) {
		struct fw_chain *ch = fw_vy_chain_add(
			c, "controller", i ? fw_vy_table6 : fw_vy_table4,
			FW_HOOK_FORWARD);
		struct fw_rule *r =
			ch ? fw_vy_made_add(c, ch, c->t.root->first, FW_DROP)
			   : NULL;

		if (r)
			r->conditional = "config.gateway.json";
	}
}

static void read_rules(struct fw_vy_reader *c)
{
	read_sets(c);
	if (!c->err)
		read_base(c);
	if (!c->err)
		fw_vy_routing_read(c);
	if (!c->err)
		fw_vy_bindings_read(c);
	if (!c->err)
		fw_vy_routing_end(c);
	if (!c->err)
		fw_vy_zones_read(c);
	if (!c->err)
		fw_vy_nat_read(c);
	if (!c->err)
		fw_vy_ignored_read(c);
	if (!c->err)
		check_targets(c);
}

static void read_all(struct fw_vy_reader *c, bool is_edgeos)
{
	/* Whoever may log in is in every whole one. */
	c->is_part =
		c->t.is_json && !fw_vy_find(&c->t, c->t.root, "system login");
	if (c->is_part)
		read_part(c);
	else
		read_rules(c);
	if (!c->err)
		read_sip(c, is_edgeos);
	if (!c->err)
		read_timers(c);
	if (!c->err)
		read_offload(c);
	if (!c->err)
		keep_rest(c);
	/* Traffic that no list speaks of passes. */
	fw_vy_sides_open(c);
	if (!fw_vy_find(&c->t, c->t.root, "firewall ipv6-name") &&
	    !fw_vy_find(&c->t, c->t.root, "firewall ipv6"))
		fw_rules_note_names(c->rules);
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg,
                 bool is_edgeos)
{
	struct fw_vy_reader c = {.rules = out};
	const size_t n_before = dg->n_errors;

	arena_init(&c.scratch);
	out->dialect = is_edgeos ? "edgeos" : "vyos";
	out->text = text;
	if (fw_has_prefix(text, "\xff\xfe") || fw_has_prefix(text, "\xfe\xff"))
		diag_add_at(dg, DIAG_ERROR, 1, 1,
		            _("This text is UTF-16; save it as UTF-8."));
	if (fw_has_prefix(text, "\xef\xbb\xbf"))
		text = slice_sub(text, 3, SIZE_MAX);
	c.t = (struct fw_vy_tree){.arena = &c.scratch, .rules = out, .dg = dg};
	fw_vy_read(&c.t, text);
	fw_dict_init_like(&c.chains, &c.t.dict);
	if (c.t.no_memory)
		c.err = ENOMEM;
	if (!c.err)
		c.err = fw_vy_groups_read(&c.groups, &c.t);
	if (!c.err)
		read_all(&c, is_edgeos);
	if (c.chains.no_memory || c.t.no_memory)
		c.err = ENOMEM;
	arena_fini(&c.scratch);
	if (c.err)
		return c.err;
	return dg->n_errors > n_before ? EBADMSG : 0;
}

static int edgeos_parse(struct fw_rules *out, struct slice text,
                        struct diag *dg)
{
	return parse(out, text, dg, true);
}

static int vyos_parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	return parse(out, text, dg, false);
}

static bool holds(struct slice text, const char *s)
{
	return slice_find(text, slice_str(s)) != SIZE_MAX;
}

static bool is_vyatta(struct slice text)
{
	struct rd rd = rd_init(slice_sub(text, 0, 1 << 16));
	struct slice line;

	while (rd_line(&rd, &line)) {
		if (fw_has_prefix(line, "set firewall ") ||
		    fw_has_prefix(line, "set interfaces ") ||
		    fw_has_prefix(line, "set system conntrack ") ||
		    slice_eq_str(slice_trim(line), "firewall {"))
			return true;
	}
	return holds(text, "vyatta-config-version:") ||
	       holds(text, "vyos-config-version:");
}

/* Without a mark of either, VyOS is taken: less is said of it unproved. */
static int edgeos_recognise(struct slice text)
{
	if (fw_vy_json_is(text))
		return 90;
	if (!is_vyatta(text))
		return 0;
	if (holds(text, "ubnt") || holds(text, "Release version: v") ||
	    holds(text, "# EdgeOS"))
		return 95;
	return holds(text, "system offload hwnat") ||
	                       holds(text, "service gui") ||
	                       holds(text, "service unms") ||
	                       holds(text, "\n    gui {") ||
	                       holds(text, "\n    unms {")
	               ? 85
	               : 45;
}

static int vyos_recognise(struct slice text)
{
	if (!is_vyatta(text))
		return 0;
	return holds(text, "vyos-config-version:") || holds(text, "# VyOS")
	               ? 95
	               : 60;
}

static int edgeos_emit(struct wr *out, const struct fw_rules *rules,
                       struct diag *dg)
{
	return fw_vy_emit(out, rules, FW_VY_EDGEOS, dg);
}

static int vyos_emit(struct wr *out, const struct fw_rules *rules,
                     struct diag *dg)
{
	return fw_vy_emit(out, rules, fw_vy_form_of("vyos", rules->version),
	                  dg);
}

const struct fw_dialect fw_dialect_edgeos = {
	.name = "edgeos",
	.title = "Ubiquiti EdgeOS",
	.file_ext = ".boot",
	.drops_rest = true,
	.caps = FW_CAP_IP6 | FW_CAP_ZONES | FW_CAP_SPORT | FW_CAP_STATES |
                FW_CAP_REJECT | FW_CAP_DISABLED | FW_CAP_ALG | FW_CAP_UDP_IDLE |
                FW_CAP_COMMENT,
	.recognise = edgeos_recognise,
	.parse = edgeos_parse,
	.emit = edgeos_emit,
	.patch = fw_vy_patch,
};

const struct fw_dialect fw_dialect_vyos = {
	.name = "vyos",
	.title = "VyOS",
	.file_ext = ".boot",
	.drops_rest = true,
	.caps = FW_CAP_IP6 | FW_CAP_NAMES | FW_CAP_ZONES | FW_CAP_SPORT |
                FW_CAP_STATES | FW_CAP_REJECT | FW_CAP_DISABLED | FW_CAP_ALG |
                FW_CAP_UDP_IDLE | FW_CAP_COMMENT,
	.lacks = fw_vy_lacks,
	.recognise = vyos_recognise,
	.parse = vyos_parse,
	.emit = vyos_emit,
	.patch = fw_vy_patch,
};
