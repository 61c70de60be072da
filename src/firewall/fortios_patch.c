/* SPDX-License-Identifier: ISC */
/*
 * Design: a patch is a script for the box, and a configuration is one too:
 * the patched text is the old one with the script after it. Here the session
 * helper's number is known, from the entry that has its name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/fortios_write.h"

static void open_scope(struct fw_forti_emitter *e, const char *vdom)
{
	struct wr *both[] = {e->out, e->undo};

	for (size_t i = 0; i < ARRAY_LEN(both) && vdom[0]; i++)
		wr_fmt(both[i], "config vdom\nedit %s\n", vdom);
}

static void close_scope(struct fw_forti_emitter *e, const char *vdom)
{
	struct wr *both[] = {e->out, e->undo};

	for (size_t i = 0; i < ARRAY_LEN(both) && vdom[0]; i++)
		wr_str(both[i], "next\nend\n");
}

static unsigned long free_id(const struct fw_chain *c)
{
	unsigned long max = 0;

	for (const struct fw_rule *r = c->first; r; r = r->next) {
		const unsigned long id = strtoul(r->id, NULL, 10);

		if (id > max && id < 1UL << 31)
			max = id;
	}
	return max + 1;
}

static void patch_insert(struct fw_forti_emitter *e, const struct fw_edit *ed,
                         unsigned long id)
{
	const struct fw_rule *before = ed->before;
	struct fw_rule r = {.id = ed->flow->id,
	                    .name = ed->flow->title,
	                    .families = FW_IP4 | FW_IP6,
	                    .states = FW_STATE_NEW,
	                    .dst = ed->flow->dst,
	                    .services = ed->services,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset()};

	/* The rule for return traffic is built in: nothing goes before it. */
	if (before && !before->line)
		before = before->next;
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
	fw_forti_check_rule(e, &r);
	if (fw_forti_is_split(e) && !fw_forti_has_half(&r, false))
		fw_forti_refuse(e, &r,
		                _("IPv6 has a list of its own before 6.4"));
	if (fw_forti_has_half(&r, false)) {
		wr_str(e->out, "config firewall address\n");
		fw_forti_put_addrs(e, &r, false);
		wr_str(e->out, "end\n");
	}
	if (fw_forti_has_half(&r, true)) {
		wr_str(e->out, "config firewall address6\n");
		fw_forti_put_addrs(e, &r, true);
		wr_str(e->out, "end\n");
	}
	wr_str(e->out, "config firewall service custom\n");
	fw_forti_put_services(e, &r);
	wr_str(e->out, "end\nconfig firewall policy\n");
	fw_forti_put_policy(e, &r, id,
	                    fw_forti_is_split(e) ? FW_IP4 : FW_IP4 | FW_IP6);
	if (before)
		wr_fmt(e->out, "    move %lu before %s\n", id, before->id);
	wr_str(e->out, "end\n");
}

static void edit_policy(struct fw_forti_emitter *e, const struct fw_rule *r,
                        const char *set, const char *unset)
{
	wr_fmt(e->out,
	       "config firewall policy\n    edit %s\n        %s\n    next\n"
	       "end\n",
	       r->id, set);
	wr_fmt(e->undo,
	       "config firewall policy\n    edit %s\n        %s\n    next\n"
	       "end\n",
	       r->id, unset);
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
	char set[64], unset[] = "unset session-ttl";
	struct wr w = wr_init(set, sizeof(set) - 1);

	if (!r && ed->idle_s <= e->box_idle_s)
		return;
	if (!r) {
		e->box_idle_s = ed->idle_s;
		wr_fmt(e->out,
		       "config system global\n    set udp-idle-timer %lld\n"
		       "end\n",
		       (long long)ed->idle_s);
		wr_str(e->undo, "config system global\n"
		                "    unset udp-idle-timer\nend\n");
		return;
	}
	/* What raises UDP must not cut TCP. */
	if (r->attrs.tcp_idle_s > ttl_s && r->attrs.tcp_idle_s < INT32_MAX)
		ttl_s = r->attrs.tcp_idle_s;
	wr_fmt(&w, "set session-ttl %lld", (long long)ttl_s);
	set[w.n] = '\0';
	edit_policy(e, r, set, unset);
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

static void patch_policy(struct fw_forti_emitter *e,
                         const struct fw_rules *rules, const struct fw_edit *ed,
                         unsigned long id)
{
	const struct fw_chain *c = ed->chain;

	if (!c && ed->rule)
		c = ed->rule->chain;
	if (!c)
		c = rules->chains;
	open_scope(e, c ? c->table : "");
	if (ed->kind == FW_EDIT_INSERT) {
		patch_insert(e, ed, id);
		/* An object in use cannot be deleted. */
		if (c && c->table[0])
			wr_fmt(e->undo_first, "config vdom\nedit %s\n",
			       c->table);
		wr_fmt(e->undo_first,
		       "config firewall policy\n    delete %lu\nend\n", id);
		if (c && c->table[0])
			wr_str(e->undo_first, "next\nend\n");
	} else if (ed->kind == FW_EDIT_IDLE) {
		if (ed->rule)
			patch_services(e, rules, ed);
		patch_idle(e, ed);
	} else if (ed->kind == FW_EDIT_OFFLOAD_OFF && ed->rule) {
		edit_policy(e, ed->rule, "set auto-asic-offload disable",
		            "unset auto-asic-offload");
	} else if (ed->kind == FW_EDIT_ALG_OFF && ed->rule &&
	           slice_find(ed->rule->raw, slice_str("voip-profile")) !=
	                   SIZE_MAX) {
		char set[] = "unset voip-profile", back[128];
		struct wr w = wr_init(back, sizeof(back) - 1);

		wr_fmt(&w, "set voip-profile \"%s\"",
		       ed->rule->attrs.helper ? ed->rule->attrs.helper : "");
		back[w.n] = '\0';
		edit_policy(e, ed->rule, set, back);
	}
	close_scope(e, c ? c->table : "");
}

static void patch_switches(struct fw_forti_emitter *e,
                           const struct fw_rules *rules)
{
	bool has_vdoms = false;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (strcmp(c->name, "vdoms") == 0)
			continue;
		has_vdoms |= c->table[0] != '\0';
		open_scope(e, c->table);
		fw_forti_put_switches(e);
		close_scope(e, c->table);
	}
	patch_helper(e, rules, has_vdoms);
}

/* A flow that gets a policy gets its session time there. */
static bool has_policy(const struct fw_edit *edits, const struct fw_edit *ed)
{
	if (ed->kind != FW_EDIT_IDLE)
		return false;
	for (const struct fw_edit *o = edits; o; o = o->next) {
		if (o->kind == FW_EDIT_INSERT && o->flow == ed->flow)
			return true;
	}
	return false;
}

int fw_forti_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                   const struct fw_edit *edits, struct diag *dg)
{
	struct wr undo = wr_init_heap();
	struct fw_forti_emitter e = {.out = &out->commands,
	                             .undo = &undo,
	                             .undo_first = &out->undo,
	                             .dg = dg,
	                             .prefix = ""};
	bool are_switches_done = false;
	unsigned long n_new = 0;
	struct arena scratch;

	arena_init(&scratch);
	fw_dict_init(&e.seen, &scratch, slice_str("fortios"));
	e.version = fw_version_num(rules->version);
	e.is_made = true;
	for (const struct fw_edit *ed = edits; ed && !e.err; ed = ed->next) {
		const struct fw_chain *c =
			ed->chain ? ed->chain : rules->chains;

		if (has_policy(edits, ed))
			continue;

		if (ed->kind == FW_EDIT_ALG_OFF && !are_switches_done) {
			are_switches_done = true;
			patch_switches(&e, rules);
		}
		patch_policy(&e, rules, ed, c ? free_id(c) + n_new++ : 1);
		if (ed->flow)
			fw_forti_put_clear(&out->clear, &ed->flow->dst, "");
	}
	wr_put(&out->undo, wr_slice(&undo));
	out->undo.bad |= undo.bad;
	wr_fini(&undo);
	wr_put(&out->patched, rules->text);
	wr_str(&out->patched, "\n");
	wr_put(&out->patched, wr_slice(&out->commands));
	if (e.seen.no_memory)
		e.err = ENOMEM;
	arena_fini(&scratch);
	return e.err;
}
