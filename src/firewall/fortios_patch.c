/* SPDX-License-Identifier: ISC */
/*
 * Design: a patch is a script for the box, and a configuration is one too:
 * the patched text is the old one with the script after it. Here the session
 * helper's number is known, from the entry that has its name.
 *
 * Each edit writes its own blocks, and blocks that follow each other are
 * joined in the end: a row that is added is not a screen to read. For that,
 * all the new objects are written before the policies that use them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/fortios_write.h"

enum {
	FAR_ID = 1000000, /* nobody numbers policies by hand that far */
};

static void refuse(struct fw_forti_emitter *e, const char *msgid,
                   const char *about)
{
	fw_patch_refuse(e->patch, msgid, about, NULL);
	e->err = ENOTSUP;
}

/* Can it stand in a command: bare, or between quotes? */
static bool is_plain(const char *name, bool is_quoted)
{
	for (const char *p = name; *p; p++) {
		const unsigned char ch = (unsigned char)*p;

		if (ch < ' ' || ch == 0x7f || ch == '"' || ch == '\\' ||
		    ch == '\'' || (!is_quoted && (ch == ' ' || ch == '#')))
			return false;
	}
	return true;
}

static void open_scope(struct fw_forti_emitter *e, const char *vdom)
{
	struct wr *all[] = {e->out, e->undo, e->undo_first};

	for (size_t i = 0; i < ARRAY_LEN(all) && vdom[0]; i++)
		wr_fmt(all[i], "config vdom\nedit %s\n", vdom);
}

static void close_scope(struct fw_forti_emitter *e, const char *vdom)
{
	struct wr *all[] = {e->out, e->undo, e->undo_first};

	for (size_t i = 0; i < ARRAY_LEN(all) && vdom[0]; i++)
		wr_str(all[i], "next\nend\n");
}

/* A pasted piece does not show every policy, and `edit` of a number that the
 * box has would change that one; only a backup names its version. */
static unsigned long free_id(const struct fw_rules *rules,
                             const struct fw_chain *c)
{
	unsigned long max = rules->version ? 0 : FAR_ID;

	for (const struct fw_rule *r = c->first; r; r = r->next) {
		const unsigned long id = strtoul(r->id, NULL, 10);

		if (id > max && id < 1UL << 31)
			max = id;
	}
	return max + 1;
}

static bool is_policy6(const struct fw_forti_emitter *e,
                       const struct fw_rule *r)
{
	return fw_forti_is_split(e) && r->families == FW_IP6;
}

/* What of the new rules is written; each for all rules before the next. */
enum part {
	PART_ADDRS,
	PART_ADDRS6,
	PART_SERVICES,
	PART_POLICY,
	N_PARTS,
};

/* The existing policy that a new one must precede; NULL: none. */
static const struct fw_rule *next_policy(const struct fw_forti_emitter *e,
                                         const struct fw_edit *ed)
{
	const struct fw_rule *before = ed->before;

	/* The rule for return traffic is built in: nothing goes before it. */
	if (before && !before->line)
		before = before->next;
	while (before &&
	       (is_policy6(e, before) || before->action == FW_CONTINUE))
		before = before->next;
	return before;
}

static void put_policy(struct fw_forti_emitter *e, const struct fw_rule *r,
                       const struct fw_rule *before, unsigned long id)
{
	wr_str(e->out, "config firewall policy\n");
	fw_forti_put_policy(e, r, id,
	                    fw_forti_is_split(e) ? FW_IP4 : FW_IP4 | FW_IP6);
	if (before)
		wr_fmt(e->out, "    move %lu before %s\n", id, before->id);
	wr_str(e->out, "end\n");
	/* An object in use cannot be deleted. */
	wr_fmt(e->undo_first, "config firewall policy\n    delete %lu\nend\n",
	       id);
}

static void patch_insert(struct fw_forti_emitter *e, const struct fw_edit *ed,
                         unsigned long id, enum part part)
{
	const struct fw_rule *before = next_policy(e, ed);
	struct fw_rule r = {.id = ed->flow->id,
	                    .name = ed->flow->title,
	                    .families = FW_IP4 | FW_IP6,
	                    .states = FW_STATE_NEW,
	                    .dst = ed->flow->dst,
	                    .services = ed->services,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset()};

	if (fw_rule_set_place(e->seen.arena, &r, ed->place))
		e->seen.no_memory = true;
	if (!r.in.first && before && before->in.first &&
	    !before->in.first->next)
		r.in = before->in;
	if (!r.out.first && before && before->out.first &&
	    !before->out.first->next)
		r.out = before->out;
	r.attrs.udp_idle_s = ed->flow->min_udp_idle_s;
	r.attrs.tcp_idle_s = ed->flow->min_tcp_idle_s;
	if (ed->flow->is_sip)
		r.attrs.alg = FW_OFF;
	if (part == PART_ADDRS)
		fw_forti_check_rule(e, &r);
	if (part == PART_ADDRS && fw_forti_is_split(e) &&
	    !fw_forti_has_half(&r, false))
		refuse(e,
		       N_("%1$s: IPv6 has a list of policies of its own before "
		          "6.4, which is not written: add the rule there by "
		          "hand."),
		       r.id);
	if (part == PART_POLICY) {
		put_policy(e, &r, before, id);
	} else if (part == PART_SERVICES) {
		wr_str(e->out, "config firewall service custom\n");
		fw_forti_put_services(e, &r);
		wr_str(e->out, "end\n");
	} else if (fw_forti_has_half(&r, part == PART_ADDRS6)) {
		wr_fmt(e->out, "config firewall address%s\n",
		       part == PART_ADDRS6 ? "6" : "");
		fw_forti_put_addrs(e, &r, part == PART_ADDRS6);
		wr_str(e->out, "end\n");
	}
}

/* What the policy says of @p name, by the last of its lines; nothing: it is
 * silent. Its text may hold other policies, when it was opened twice. */
static struct slice value_in(const struct fw_rule *r, const char *name)
{
	struct rd rd = rd_init(r->raw);
	struct slice found = {NULL, 0}, line, first = {NULL, 0};
	bool is_ours = false;

	while (rd_line(&rd, &line)) {
		struct slice rest = slice_trim(line), verb, word;

		if (!fw_word_next(&rest, &verb) || !fw_word_next(&rest, &word))
			continue;
		/* The first one is ours, whatever it is called by now. */
		if (slice_eq_str(verb, "edit")) {
			first = first.p ? first : word;
			is_ours = slice_eq(word, first) ||
			          slice_eq_str(word, r->id);
		}
		if (is_ours && slice_eq_str(word, name))
			found = slice_eq_str(verb, "set")
			                ? slice_trim(rest)
			                : slice_sub(rest, 0, 0);
	}
	return found;
}

static void edit_policy(struct fw_forti_emitter *e, const struct fw_rule *r,
                        const char *name, const char *set)
{
	const struct slice old = value_in(r, name);
	const char *path =
		is_policy6(e, r) ? "firewall policy6" : "firewall policy";

	wr_fmt(e->out, "config %s\n    edit %s\n        %s\n    next\nend\n",
	       path, r->id, set);
	wr_fmt(e->undo, "config %s\n    edit %s\n        ", path, r->id);
	if (old.n)
		wr_fmt(e->undo, "set %s %.*s", name, (int)old.n,
		       (const char *)old.p);
	else
		wr_fmt(e->undo, "unset %s", name);
	wr_str(e->undo, "\n    next\nend\n");
}

/* All that turns SIP processing on, off at once. */
static void patch_helper(struct fw_forti_emitter *e,
                         const struct fw_rules *rules, bool has_vdoms)
{
	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		struct slice rest = s->raw, word;

		if (strcmp(s->id, "session-helper.sip") != 0 ||
		    s->attrs.alg != FW_ON || !fw_word_next(&rest, &word) ||
		    !fw_word_next(&rest, &word))
			continue;
		wr_fmt(e->out,
		       "%sconfig system session-helper\n    delete %.*s\nend\n"
		       "%s",
		       has_vdoms ? "config global\n" : "", (int)word.n,
		       (const char *)word.p, has_vdoms ? "end\n" : "");
		wr_fmt(e->undo,
		       "%sconfig system session-helper\n    %.*s\nend\n%s",
		       has_vdoms ? "config global\n" : "", (int)s->raw.n,
		       (const char *)s->raw.p, has_vdoms ? "end\n" : "");
	}
}

static void patch_idle(struct fw_forti_emitter *e, const struct fw_edit *ed)
{
	const struct fw_rule *r = ed->rule;
	int64_t ttl_s = fw_forti_ttl_at_least(ed->idle_s);
	char set[64];
	struct wr w = wr_init(set, sizeof(set));

	/* What raises UDP must not cut TCP. */
	if (r->attrs.tcp_idle_s > ttl_s && r->attrs.tcp_idle_s < FW_IDLE_NEVER)
		ttl_s = r->attrs.tcp_idle_s;
	wr_fmt(&w, "set session-ttl %lld%c", (long long)ttl_s, '\0');
	edit_policy(e, r, "session-ttl", set);
}

static void patch_services(struct fw_forti_emitter *e,
                           const struct fw_rules *rules,
                           const struct fw_edit *ed)
{
	for (const struct fw_service *s = ed->rule->services.first; s;
	     s = s->next) {
		const struct fw_object *o;

		if (!s->name || s->proto != FW_PROTO_UDP)
			continue;
		if (!ed->rule->chain)
			return;
		o = fw_object_find(rules, FW_OBJECT_SERVICES,
		                   ed->rule->chain->table, s->name);
		if (!o || o->attrs.udp_idle_s <= 0 ||
		    o->attrs.udp_idle_s >= ed->idle_s)
			continue;
		wr_fmt(e->out,
		       "config firewall service custom\n    edit \"%s\"\n"
		       "        set udp-idle-timer %lld\n    next\nend\n",
		       o->name, (long long)ed->idle_s);
		wr_fmt(e->undo,
		       "config firewall service custom\n    edit \"%s\"\n"
		       "        set udp-idle-timer %lld\n    next\nend\n",
		       o->name, (long long)o->attrs.udp_idle_s);
	}
}

static const char *vdom_of(const struct fw_rules *rules,
                           const struct fw_edit *ed)
{
	const struct fw_chain *c = ed->chain;

	if (!c && ed->rule)
		c = ed->rule->chain;
	if (!c)
		c = rules->chains;
	return c ? c->table : "";
}

static void patch_policy(struct fw_forti_emitter *e,
                         const struct fw_rules *rules, const struct fw_edit *ed)
{
	const char *vdom = vdom_of(rules, ed);

	open_scope(e, vdom);
	if (ed->kind == FW_EDIT_IDLE && ed->rule) {
		patch_services(e, rules, ed);
		patch_idle(e, ed);
	} else if (ed->kind == FW_EDIT_OFFLOAD_OFF && ed->rule) {
		edit_policy(e, ed->rule, "auto-asic-offload",
		            "set auto-asic-offload disable");
	} else if (ed->kind == FW_EDIT_ALG_OFF && ed->rule &&
	           value_in(ed->rule, "voip-profile").n) {
		edit_policy(e, ed->rule, "voip-profile", "unset voip-profile");
	}
	close_scope(e, vdom);
}

static void patch_inserts(struct fw_forti_emitter *e,
                          const struct fw_rules *rules,
                          const struct fw_edit *edits)
{
	for (int part = 0; part < N_PARTS; part++) {
		unsigned long n_new = 0;

		for (const struct fw_edit *ed = edits; ed; ed = ed->next) {
			const struct fw_chain *c =
				ed->chain ? ed->chain : rules->chains;
			const char *vdom = vdom_of(rules, ed);

			if (ed->kind != FW_EDIT_INSERT)
				continue;
			open_scope(e, vdom);
			patch_insert(e, ed,
			             c ? free_id(rules, c) + n_new
			               : FAR_ID + n_new + 1,
			             (enum part)part);
			close_scope(e, vdom);
			n_new++;
		}
	}
}

/* Settings of the next VDOM, which are told after this one. */
static const struct fw_setting *next_scope(const struct fw_setting *s)
{
	while (s && strcmp(s->id, "default-voip-alg-mode") != 0)
		s = s->next;
	return s;
}

/* A word that a switch is set to; nothing: it is silent, or says more. */
static struct slice switch_value(const struct fw_setting *s)
{
	struct slice rest = s->raw, verb, name, word = {NULL, 0};

	if (!fw_word_next(&rest, &verb) || !fw_word_next(&rest, &name) ||
	    !fw_word_next(&rest, &word))
		return word;
	for (size_t i = 0; i < word.n; i++) {
		const uint8_t letter = (uint8_t)(word.p[i] - 'a');

		if (letter >= 26 && word.p[i] != '-')
			return slice_sub(word, 0, 0);
	}
	return word;
}

/* Each switch as it was. @p own  The first setting of this VDOM, or NULL. */
static void put_switches_back(struct fw_forti_emitter *e,
                              const struct fw_setting *own)
{
	static const char *const names[] = {"default-voip-alg-mode",
	                                    "sip-helper", "sip-expectation",
	                                    "sip-nat-trace"};
	const struct slice done = wr_slice(e->out);
	const struct fw_setting *end = own ? next_scope(own->next) : NULL;

	wr_str(e->undo, "config system settings\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct slice old = {NULL, 0};
		char set[64];
		struct wr w = wr_init(set, sizeof(set));

		wr_fmt(&w, "    set %s ", names[i]);
		if (slice_find(done, wr_slice(&w)) == SIZE_MAX)
			continue;
		for (const struct fw_setting *s = own; s && s != end;
		     s = s->next) {
			if (strcmp(s->id, names[i]) == 0 && s->line)
				old = switch_value(s);
		}
		if (old.n)
			wr_fmt(e->undo, "    set %s %.*s\n", names[i],
			       (int)old.n, (const char *)old.p);
		else
			wr_fmt(e->undo, "    unset %s\n", names[i]);
	}
	wr_str(e->undo, "end\n");
}

static void patch_switches(struct fw_forti_emitter *e,
                           const struct fw_rules *rules)
{
	const struct fw_setting *own = next_scope(rules->settings);
	struct wr *const undo = e->undo;
	bool has_vdoms = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (strcmp(c->name, "vdoms") == 0)
			continue;
		has_vdoms |= c->table[0] != '\0';
		open_scope(e, c->table);
		e->undo = NULL;
		fw_forti_put_switches(e, fw_forti_has_mode(e->version) ||
		                                 (own && own->line));
		e->undo = undo;
		put_switches_back(e, own);
		close_scope(e, c->table);
		own = own ? next_scope(own->next) : NULL;
	}
	patch_helper(e, rules, has_vdoms);
}

static void refuse_name(struct fw_forti_emitter *e, const char *name)
{
	refuse(e,
	       N_("The name %1$s cannot be typed: rename it on the box and "
	          "audit again."),
	       name);
}

/* The commands quote names of the configuration: none may end its line, or
 * open another. */
static void check_names(struct fw_forti_emitter *e,
                        const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (!is_plain(c->table, false))
			refuse_name(e, c->table);
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->line && r->action != FW_CONTINUE &&
			    !is_plain(r->id, false))
				refuse_name(e, r->id);
		}
	}
	for (const struct fw_object *o = rules->objects; o; o = o->next) {
		if (o->kind == FW_OBJECT_SERVICES && !is_plain(o->name, true))
			refuse_name(e, o->name);
	}
}

enum {
	MAX_OPEN = 8,
};

/* A block that is open, or was closed by the line just read. */
struct block {
	struct slice opener, closer;
	bool is_written;
};

struct joiner {
	struct wr *out;
	struct block open[MAX_OPEN], closed[MAX_OPEN];
	size_t n_open, n_closed;
};

static void put_text_line(struct joiner *jn, struct slice line)
{
	wr_put(jn->out, line);
	wr_str(jn->out, "\n");
}

static void put_openers(struct joiner *jn)
{
	for (size_t i = 0; i < jn->n_open; i++) {
		if (!jn->open[i].is_written)
			put_text_line(jn, jn->open[i].opener);
		jn->open[i].is_written = true;
	}
}

static void put_closers(struct joiner *jn)
{
	for (size_t i = 0; i < jn->n_closed; i++)
		put_text_line(jn, jn->closed[i].closer);
	jn->n_closed = 0;
}

/* The block closed last is opened again: it goes on. */
static bool goes_on(struct joiner *jn, struct slice line)
{
	const struct block *last;

	if (!jn->n_closed)
		return false;
	last = &jn->closed[jn->n_closed - 1];
	if (!slice_eq(slice_trim(last->opener), slice_trim(line)))
		return false;
	jn->open[jn->n_open++] = *last;
	jn->n_closed--;
	return true;
}

static bool begins(struct slice line, const char *word)
{
	const struct slice s = slice_trim(line);

	return slice_eq_str(slice_sub(s, 0, strlen(word)), word);
}

static void open_block(struct joiner *jn, struct slice line)
{
	const bool is_vdom =
		jn->n_open &&
		begins(jn->open[jn->n_open - 1].opener, "config vdom");

	if (goes_on(jn, line))
		return;
	put_closers(jn);
	jn->open[jn->n_open++] = (struct block){.opener = line};
	/* Nothing in a table, or in a VDOM, changes nothing. */
	if (!is_vdom && !begins(line, "config "))
		put_openers(jn);
}

static void close_block(struct joiner *jn, struct slice line)
{
	struct block b = jn->open[--jn->n_open];

	b.closer = line;
	if (b.is_written)
		jn->closed[jn->n_closed++] = b;
}

/* Blocks that follow each other as one; made of what is written here, so not
 * more than MAX_OPEN deep, and none closed that is not open. */
static void put_joined(struct wr *out, struct slice text)
{
	struct joiner jn = {.out = out};
	struct rd r = rd_init(text);
	struct slice line;

	while (rd_line(&r, &line)) {
		const struct slice word = slice_trim(line);
		const bool is_close =
			slice_eq_str(word, "end") || slice_eq_str(word, "next");
		const bool is_open =
			begins(word, "config ") || begins(word, "edit ");

		if (is_close && jn.n_open) {
			close_block(&jn, line);
		} else if (is_open && jn.n_open < MAX_OPEN) {
			open_block(&jn, line);
		} else {
			put_closers(&jn);
			put_openers(&jn);
			put_text_line(&jn, line);
		}
	}
	put_closers(&jn);
}

/* Policies that the text does not show may stand before new ones. */
static void warn_excerpt(struct fw_patch_out *out, const struct fw_rules *rules,
                         const struct fw_edit *edits)
{
	bool is_excerpt = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next)
		is_excerpt |= c->last && !c->last->line && c->last->conditional;
	while (edits && edits->kind != FW_EDIT_INSERT)
		edits = edits->next;
	if (is_excerpt && edits)
		wr_str(&out->commands,
		       "# The text shows no policies, so these stand last: "
		       "move them above any\n# that denies the same traffic "
		       "(move <number> before <number>).\n");
}

int fw_forti_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                   const struct fw_edit *edits, struct diag *dg)
{
	struct wr commands = wr_init_heap(), undo = wr_init_heap();
	struct wr undo_first = wr_init_heap();
	struct fw_forti_emitter e = {.out = &commands,
	                             .undo = &undo,
	                             .undo_first = &undo_first,
	                             .dg = dg,
	                             .patch = out,
	                             .prefix = ""};
	bool are_switches_done = false;
	struct arena scratch;

	arena_init(&scratch);
	fw_dict_init(&e.seen, &scratch, slice_str("fortios"));
	e.version = fw_version_num(rules->version);
	e.is_made = true;
	fw_mark_choose(e.mark, rules);
	check_names(&e, rules);
	patch_inserts(&e, rules, edits);
	for (const struct fw_edit *ed = edits; ed && !e.err; ed = ed->next) {
		if (ed->kind == FW_EDIT_ALG_OFF && !are_switches_done) {
			are_switches_done = true;
			patch_switches(&e, rules);
		}
		patch_policy(&e, rules, ed);
		if (ed->flow)
			fw_forti_put_clear(&out->clear, &e.seen, &ed->flow->dst,
			                   "");
	}
	put_joined(&out->commands, wr_slice(&commands));
	warn_excerpt(out, rules, edits);
	wr_put(&undo_first, wr_slice(&undo));
	put_joined(&out->undo, wr_slice(&undo_first));
	out->undo.bad |= undo.bad || undo_first.bad;
	out->commands.bad |= commands.bad;
	wr_fini(&commands);
	wr_fini(&undo);
	wr_fini(&undo_first);
	wr_put(&out->patched, rules->text);
	wr_str(&out->patched, "\n");
	wr_put(&out->patched, wr_slice(&out->commands));
	if (e.seen.no_memory)
		e.err = ENOMEM;
	arena_fini(&scratch);
	return e.err;
}
