/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule that came from this language is written as it was, so that
 * what the model cannot say survives. A rule that was made is written from
 * the model: one line per protocol and family, ports as sets. Marks have a
 * chain of their own, since all packets of a flow bear one, and rules see the
 * first alone.
 *
 * A patch is written as commands with an index, the place of a rule in its
 * chain from 0 as it is when the command's turn comes. Only deletion needs a
 * handle, which a saved listing does not have: the command looks up that of
 * the rule with this index. The undo does the same backwards.
 */
#include "firewall/nft_emit.h"

#include <errno.h>
#include <string.h>

#include "firewall/linux.h"
#include "firewall/shell.h"
#include "firewall/splice.h"
#include "firewall/vendor.h"

#define OWN_TABLE "inet prumo"

static const char *table_of(const struct fw_chain *c)
{
	return c->table[0] ? c->table : OWN_TABLE;
}

static void put_addrs(struct wr *w, const struct fw_addrs *set,
                      const char *side, unsigned family)
{
	const char *sep = "";

	if (!set->first)
		return;
	wr_fmt(w, "%s %s %s{ ", family == FW_IP4 ? "ip" : "ip6", side,
	       set->is_negated ? "!= " : "");
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (fw_ip_is4(a->lo) != (family == FW_IP4))
			continue;
		wr_str(w, sep);
		fw_ip_put(w, a->lo, a->hi);
		sep = ", ";
	}
	wr_str(w, " } ");
}

static bool has_family(const struct fw_addrs *set, unsigned family)
{
	if (!set->first)
		return true;
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (fw_ip_is4(a->lo) == (family == FW_IP4))
			return true;
	}
	return set->is_negated;
}

static void put_zones(struct wr *w, const struct fw_zones *set,
                      const char *word)
{
	if (!set->first)
		return;
	wr_fmt(w, "%s %s{ ", word, set->is_negated ? "!= " : "");
	for (const struct fw_zone *z = set->first; z; z = z->next)
		wr_fmt(w, "\"%s\"%s", z->name, z->next ? ", " : "");
	wr_str(w, " } ");
}

static void put_states(struct wr *w, unsigned states)
{
	static const char *const names[] = {"new", "established", "related",
	                                    "invalid", "untracked"};
	const char *sep = "";

	if (states == FW_STATE_ALL)
		return;
	wr_str(w, "ct state ");
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!(states & 1U << i))
			continue;
		wr_fmt(w, "%s%s", sep, names[i]);
		sep = ",";
	}
	wr_str(w, " ");
}

static bool is_all(uint16_t lo, uint16_t hi)
{
	return lo == 0 && hi == FW_PORT_MAX;
}

static void put_port(struct wr *w, uint16_t lo, uint16_t hi)
{
	if (lo == hi)
		wr_fmt(w, "%u", lo);
	else
		wr_fmt(w, "%u-%u", lo, hi);
}

static bool is_grouped(const struct fw_service *a, const struct fw_service *b)
{
	return a->proto == b->proto && a->sport_lo == b->sport_lo &&
	       a->sport_hi == b->sport_hi;
}

/* The services of s's protocol and source ports, in one match. */
static void put_group(struct wr *w, const struct fw_service *s)
{
	const char *name = fw_proto_name(s->proto), *sep = "";
	const bool has_ports =
		s->proto == FW_PROTO_TCP || s->proto == FW_PROTO_UDP;
	bool is_any = false;

	for (const struct fw_service *t = s; t; t = t->next)
		is_any |= is_grouped(s, t) && is_all(t->dport_lo, t->dport_hi);
	if (s->proto != FW_PROTO_ANY && (is_any || !has_ports))
		wr_fmt(w, "meta l4proto %d ", s->proto);
	if (!has_ports || !name)
		name = "th";
	if (!is_all(s->sport_lo, s->sport_hi)) {
		wr_fmt(w, "%s sport ", name);
		put_port(w, s->sport_lo, s->sport_hi);
		wr_str(w, " ");
	}
	if (is_any)
		return;
	wr_fmt(w, "%s dport { ", name);
	for (const struct fw_service *t = s; t; t = t->next) {
		if (!is_grouped(s, t))
			continue;
		wr_str(w, sep);
		put_port(w, t->dport_lo, t->dport_hi);
		sep = ", ";
	}
	wr_str(w, " } ");
}

static int64_t idle_of(const struct fw_rule *r, int proto)
{
	if (proto == FW_PROTO_UDP)
		return r->attrs.udp_idle_s;
	return proto == FW_PROTO_TCP ? r->attrs.tcp_idle_s : FW_IDLE_UNSET;
}

/* A table for both families wants to know which of them is meant. */
static const char *nat_family(const struct fw_rule *r)
{
	if (fw_has_prefix(slice_str(table_of(r->chain)), "ip"))
		return "";
	return strchr(r->nat.to, '.') ? "ip " : "ip6 ";
}

static void put_verdict(struct wr *w, const struct fw_rule *r)
{
	static const char *const words[] = {
		[FW_CONTINUE] = "",     [FW_ACCEPT] = "accept",
		[FW_DROP] = "drop",     [FW_REJECT] = "reject",
		[FW_RETURN] = "return", [FW_JUMP] = "jump ",
		[FW_GOTO] = "goto ",
	};

	const char *to = r->nat.to;

	if (r->is_notrack)
		wr_str(w, "notrack ");
	if (r->nat.kind == FW_NAT_SOURCE)
		wr_fmt(w, to ? "snat %sto %s" : "masquerade",
		       to ? nat_family(r) : NULL, to);
	else if (r->nat.kind == FW_NAT_DEST && to)
		wr_fmt(w, "dnat %sto %s", nat_family(r), to);
	else if (r->nat.kind == FW_NAT_REDIRECT)
		wr_fmt(w, to ? "redirect to :%s" : "redirect",
		       to ? to + strspn(to, ":") : NULL);
	else
		wr_fmt(w, "%s%s", words[r->action], r->target ? r->target : "");
}

/* A comment may hold anything but its quote. */
static void put_comment(struct wr *w, const char *text)
{
	if (!text)
		return;
	wr_str(w, w->n && w->p[w->n - 1] == ' ' ? "comment \"" : " comment \"");
	for (size_t i = 0; i < 120 && text[i]; i++) {
		const bool is_plain =
			text[i] >= ' ' && text[i] != '"' && text[i] != '\\';

		wr_u8(w, is_plain ? (uint8_t)text[i] : '?');
	}
	wr_str(w, "\"");
}

static void put_line(struct wr *w, const struct fw_rule *r,
                     const struct fw_service *s, unsigned family)
{
	const int64_t idle_s = s ? idle_of(r, s->proto) : FW_IDLE_UNSET;

	put_zones(w, &r->in, "iifname");
	put_zones(w, &r->out, "oifname");
	put_states(w, r->states);
	if (!r->src.first && !r->dst.first && family)
		wr_fmt(w, "meta nfproto %s ",
		       family == FW_IP4 ? "ipv4" : "ipv6");
	put_addrs(w, &r->src, "saddr", family);
	put_addrs(w, &r->dst, "daddr", family);
	if (s)
		put_group(w, s);
	if (idle_s > 0)
		wr_fmt(w, "ct timeout set \"prumo-%s-%lld\" ",
		       fw_proto_name(s->proto), (long long)idle_s);
	if (r->attrs.dscp != FW_DSCP_UNSET && family)
		wr_fmt(w, "%s dscp set %d ", family == FW_IP4 ? "ip" : "ip6",
		       r->attrs.dscp);
	put_verdict(w, r);
	put_comment(w, r->name);
}

typedef void line_fn(struct wr *w, const struct fw_rule *r,
                     const struct fw_service *s, unsigned family, void *arg);

/* Every line that a made rule becomes. */
static void each_line(struct wr *w, const struct fw_rule *r, line_fn *fn,
                      void *arg)
{
	const bool is_split = r->src.first || r->dst.first ||
	                      r->families != (FW_IP4 | FW_IP6) ||
	                      r->attrs.dscp != FW_DSCP_UNSET;

	for (unsigned family = FW_IP4; family <= FW_IP6; family <<= 1) {
		if (is_split &&
		    (!(r->families & family) || !has_family(&r->src, family) ||
		     !has_family(&r->dst, family)))
			continue;
		if (!r->services.first)
			fn(w, r, NULL, is_split ? family : 0, arg);
		for (const struct fw_service *s = r->services.first; s;
		     s = s->next) {
			const struct fw_service *t = r->services.first;

			while (!is_grouped(t, s))
				t = t->next;
			if (t == s)
				fn(w, r, s, is_split ? family : 0, arg);
		}
		if (!is_split)
			return;
	}
}

static void indent_line(struct wr *w, const struct fw_rule *r,
                        const struct fw_service *s, unsigned family, void *arg)
{
	UNUSED(arg);
	wr_str(w, "\t\t");
	put_line(w, r, s, family);
	wr_str(w, "\n");
}

/* Rules made of one line, a verdict map, are written once. */
static bool is_again(const struct fw_rule *r, const struct fw_rule *prev)
{
	return prev && r->raw.n && r->raw.p == prev->raw.p;
}

static const char *const hooks[] = {
	[FW_HOOK_PREROUTING] = "prerouting",   [FW_HOOK_INPUT] = "input",
	[FW_HOOK_FORWARD] = "forward",         [FW_HOOK_OUTPUT] = "output",
	[FW_HOOK_POSTROUTING] = "postrouting",
};

static void put_chain(struct wr *w, const struct fw_chain *c)
{
	static const char *const kinds[] = {
		[FW_CHAIN_FILTER] = "filter",
		[FW_CHAIN_NAT] = "nat",
		[FW_CHAIN_ROUTE] = "route",
	};
	const struct fw_rule *prev = NULL;

	wr_fmt(w, "\tchain %s {\n", c->name);
	if (c->hook != FW_HOOK_NONE)
		wr_fmt(w, "\t\ttype %s hook %s priority %d; policy %s;\n",
		       kinds[c->kind], hooks[c->hook], c->priority,
		       c->policy == FW_ACCEPT ? "accept" : "drop");
	for (const struct fw_rule *r = c->first; r; prev = r, r = r->next) {
		struct fw_rule plain = *r;

		if (r->is_disabled || is_again(r, prev))
			continue;
		if (c->hook != FW_HOOK_NONE)
			plain.attrs.dscp = FW_DSCP_UNSET;
		each_line(w, &plain, indent_line, NULL);
	}
	wr_str(w, "\t}\n");
}

static void put_timeout(struct wr *w, const char *indent, int proto,
                        int64_t idle_s)
{
	wr_fmt(w, "%sct timeout prumo-%s-%lld {\n", indent,
	       fw_proto_name(proto), (long long)idle_s);
	wr_fmt(w, "%s\tprotocol %s\n", indent, fw_proto_name(proto));
	if (proto == FW_PROTO_UDP)
		wr_fmt(w, "%s\tpolicy = { unreplied : 60, replied : %lld }\n",
		       indent, (long long)idle_s);
	else
		wr_fmt(w, "%s\tpolicy = { established : %lld }\n", indent,
		       (long long)idle_s);
	wr_fmt(w, "%s}\n", indent);
}

static bool is_new_idle(const struct fw_chain *chains, const char *table,
                        const struct fw_rule *upto, int proto)
{
	for (const struct fw_chain *c = chains; c; c = c->next) {
		if (strcmp(table_of(c), table) != 0)
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r == upto)
				return true;
			if (idle_of(r, proto) == idle_of(upto, proto))
				return false;
		}
	}
	return true;
}

static void put_timeouts(struct wr *w, const struct fw_rules *rules,
                         const char *table)
{
	static const int protos[] = {FW_PROTO_UDP, FW_PROTO_TCP};

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (strcmp(table_of(c), table) != 0)
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			for (size_t i = 0; i < ARRAY_LEN(protos); i++) {
				if (idle_of(r, protos[i]) > 0 &&
				    is_new_idle(rules->chains, table, r,
				                protos[i]))
					put_timeout(w, "\t", protos[i],
					            idle_of(r, protos[i]));
			}
		}
	}
}

/* Before the rules, and without a verdict. */
static void put_marks(struct wr *w, const struct fw_chain *c)
{
	bool has_any = false;

	for (const struct fw_rule *r = c->first; r; r = r->next) {
		struct fw_rule mark = *r;

		if (r->is_disabled || r->attrs.dscp == FW_DSCP_UNSET)
			continue;
		if (!has_any)
			wr_fmt(w,
			       "\tchain %s-dscp {\n"
			       "\t\ttype filter hook %s priority -150; "
			       "policy accept;\n",
			       c->name, hooks[c->hook]);
		has_any = true;
		mark.states = FW_STATE_ALL;
		mark.action = FW_CONTINUE;
		mark.attrs = fw_attrs_unset();
		mark.attrs.dscp = r->attrs.dscp;
		each_line(w, &mark, indent_line, NULL);
	}
	if (has_any)
		wr_str(w, "\t}\n");
}

static bool is_first_of_table(const struct fw_rules *rules,
                              const struct fw_chain *c)
{
	const struct fw_chain *d = rules->chains;

	while (strcmp(table_of(d), table_of(c)) != 0)
		d = d->next;
	return d == c;
}

static void put_undo(struct wr *out, const struct fw_rules *rules)
{
	fw_linux_tail_put(out, rules);
	wr_str(out, "\n# Undo:\n");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (is_first_of_table(rules, c))
			wr_fmt(out, "#     nft delete table %s\n", table_of(c));
	}
}

int fw_nft_emit(struct wr *out, const struct fw_rules *rules, struct diag *dg)
{
	UNUSED(dg);
	if (rules->text.n && rules->dialect &&
	    strcmp(rules->dialect, "nftables") == 0) {
		wr_put(out, rules->text);
		return 0;
	}
	wr_str(out,
	       "# For nft -f, once: a second time adds all rules again. What no "
	       "rule of a chain\n"
	       "# accepts is dropped where its policy says so, and what another "
	       "table drops\n"
	       "# stays dropped. On a box with rules of its own, put these above "
	       "its last drop.\n");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if (!is_first_of_table(rules, c))
			continue;
		wr_fmt(out, "table %s {\n", table_of(c));
		put_timeouts(out, rules, table_of(c));
		for (const struct fw_chain *d = c; d; d = d->next) {
			if (strcmp(table_of(c), table_of(d)) != 0)
				continue;
			put_chain(out, d);
			if (d->hook != FW_HOOK_NONE)
				put_marks(out, d);
		}
		wr_str(out, "}\n");
	}
	put_undo(out, rules);
	return 0;
}

/* A patch in the making. */
struct patching {
	struct fw_patch_out *out;
	const struct fw_rules *rules;
	struct fw_splice text;
	struct fw_places places;
	struct fw_shell_undo undo;
	struct arena arena;
	const struct fw_edit *edit;
	struct table_done *done;
};

/* Tables that got the object for a time. */
struct table_done {
	struct table_done *next;
	const char *table;
	int64_t idle_s;
};

/* Of several rules in one line, each is where the first of them is. */
static size_t index_of(const struct fw_chain *c, const struct fw_rule *rule)
{
	const struct fw_rule *prev = NULL;
	size_t n = 0;

	for (const struct fw_rule *r = c->first;
	     r && r != rule && !(rule && is_again(rule, r));
	     prev = r, r = r->next) {
		if (!is_again(r, prev))
			n++;
	}
	return n;
}

/* "inet fw" is two words. */
static void put_table(struct wr *w, const char *table)
{
	const char *blank = strchr(table, ' ');

	if (blank) {
		fw_shell_put(w, (struct slice){(const uint8_t *)table,
		                               (size_t)(blank - table)});
		wr_str(w, " ");
		table = blank + 1;
	}
	fw_shell_put(w, slice_str(table));
}

static void put_place(struct wr *w, const struct fw_chain *c)
{
	put_table(w, c->table);
	wr_str(w, " ");
	fw_shell_put(w, slice_str(c->name));
}

static void put_delete(struct wr *w, const struct fw_chain *c, size_t index)
{
	wr_str(w, "nft delete rule ");
	put_place(w, c);
	wr_str(w, " handle \"$(nft -a list chain ");
	put_place(w, c);
	wr_fmt(w,
	       " | awk '/^\\t\\t.*# handle [0-9]+$/ && n++ == %zu "
	       "{ print $NF }')\"\n",
	       index);
}

/* @param size  Rules in the chain at this moment. */
static void put_insert(struct wr *w, const struct fw_chain *c, size_t index,
                       size_t size, struct slice line)
{
	wr_str(w, index < size ? "nft insert rule " : "nft add rule ");
	put_place(w, c);
	if (index < size)
		wr_fmt(w, " index %zu", index);
	wr_str(w, " ");
	fw_shell_put(w, slice_trim(line));
	wr_str(w, "\n");
}

static void undo_by(struct patching *pt, struct wr *command)
{
	fw_shell_undo_add(&pt->undo, wr_slice(command));
	pt->undo.no_memory |= command->bad;
	wr_fini(command);
}

static void insert_line(struct wr *w, const struct fw_rule *r,
                        const struct fw_service *s, unsigned family, void *arg)
{
	struct patching *pt = arg;
	const struct fw_edit *e = pt->edit;
	const size_t at = index_of(e->chain, e->before);
	const size_t now = fw_places_now(&pt->places, e->chain, at);
	const size_t size =
		fw_places_now(&pt->places, e->chain, index_of(e->chain, NULL));
	struct wr line = wr_init_heap(), undo = wr_init_heap();
	char *text;

	UNUSED(w);
	put_line(&line, r, s, family);
	put_insert(&pt->out->commands, e->chain, now, size, wr_slice(&line));
	put_delete(&undo, e->chain, now);
	undo_by(pt, &undo);
	fw_places_insert(&pt->places, e->chain, at);
	text = arena_fmt(&pt->arena, "\t\t%.*s\n", (int)line.n,
	                 (const char *)line.p);
	if (!text || line.bad)
		pt->out->patched.bad = true;
	else if (e->before)
		fw_splice_before(&pt->text, e->before->raw.p, slice_str(text));
	else
		fw_splice_before(&pt->text,
		                 e->chain->raw.p + e->chain->raw.n - 1,
		                 slice_str(text));
	wr_fini(&line);
}

/* The answers to a flow: all ends are the other way round. */
static bool turn_round(struct fw_rule *r, struct patching *pt)
{
	const struct fw_edit *e = pt->edit;
	const struct fw_place back = {.path = e->place->path,
	                              .in = e->place->out,
	                              .out = e->place->in};

	if (fw_rule_set_place(&pt->arena, r, &back))
		return false;
	r->src = e->flow->dst;
	r->dst = e->place->src;
	r->states = FW_STATE_ESTABLISHED | FW_STATE_RELATED;
	r->services = (struct fw_services){NULL, NULL};
	for (const struct fw_service *s = e->services.first; s; s = s->next) {
		struct fw_service *t =
			fw_services_add(&pt->arena, &r->services, s->proto,
		                        s->sport_lo, s->sport_hi);

		if (!t)
			return false;
		t->sport_lo = s->dport_lo;
		t->sport_hi = s->dport_hi;
	}
	return true;
}

/* A made rule for an edit, with a mark to find it again. */
static bool make_rule(struct fw_rule *r, struct patching *pt)
{
	const struct fw_edit *e = pt->edit;

	*r = (struct fw_rule){.families = FW_IP4 | FW_IP6,
	                      .states = FW_STATE_ALL,
	                      .attrs = fw_attrs_unset(),
	                      .services = e->services};
	if (e->flow) {
		r->dst = e->flow->dst;
		r->families &= e->chain->families;
		if (e->is_reply ? !turn_round(r, pt)
		                : fw_rule_set_place(&pt->arena, r, e->place))
			return false;
	}
	r->name = arena_fmt(&pt->arena, "prumo:%s",
	                    e->flow ? e->flow->id : "return-traffic");
	return r->name;
}

static void insert(struct patching *pt)
{
	struct fw_rule r;

	if (!make_rule(&r, pt)) {
		pt->out->patched.bad = true;
		return;
	}
	r.action = FW_ACCEPT;
	if (pt->edit->kind == FW_EDIT_RETURN)
		r.states = FW_STATE_ESTABLISHED | FW_STATE_RELATED;
	each_line(NULL, &r, insert_line, pt);
}

static bool has_object(struct patching *pt)
{
	const struct fw_edit *e = pt->edit;
	const char *name =
		arena_fmt(&pt->arena, "prumo-udp-%lld", (long long)e->idle_s);
	struct table_done *d = pt->done;

	if (!name ||
	    fw_object_find(pt->rules, FW_OBJECT_TIMEOUT, e->chain->table, name))
		return true;
	while (d && (d->idle_s != e->idle_s ||
	             strcmp(d->table, e->chain->table) != 0))
		d = d->next;
	if (d)
		return true;
	d = arena_alloc(&pt->arena, sizeof(*d));
	if (!d) {
		pt->out->patched.bad = true;
		return true;
	}
	*d = (struct table_done){pt->done, e->chain->table, e->idle_s};
	pt->done = d;
	return false;
}

/* The object stands in its table before the first chain that needs it. */
static void add_object(struct patching *pt)
{
	const struct fw_edit *e = pt->edit;
	const long long idle_s = (long long)e->idle_s;
	struct wr object = wr_init_heap(), undo = wr_init_heap();
	char *text;

	put_timeout(&object, "\t", FW_PROTO_UDP, e->idle_s);
	text = arena_dup(&pt->arena, wr_slice(&object));
	pt->out->patched.bad |= object.bad || !text;
	if (text)
		fw_splice_before(&pt->text, e->chain->raw.p, slice_str(text));
	wr_str(&pt->out->commands, "nft add ct timeout ");
	put_table(&pt->out->commands, e->chain->table);
	wr_fmt(&pt->out->commands,
	       " prumo-udp-%lld '{ protocol udp; policy = { unreplied : 60, "
	       "replied : %lld } ; }'\n",
	       idle_s, idle_s);
	wr_str(&undo, "nft delete ct timeout ");
	put_table(&undo, e->chain->table);
	wr_fmt(&undo, " prumo-udp-%lld\n", idle_s);
	undo_by(pt, &undo);
	wr_fini(&object);
}

static void raise_idle(struct patching *pt)
{
	const struct fw_edit *e = pt->edit;
	struct fw_rule r;

	if (!make_rule(&r, pt)) {
		pt->out->patched.bad = true;
		return;
	}
	if (!has_object(pt))
		add_object(pt);
	r.services = (struct fw_services){NULL, NULL};
	for (const struct fw_service *s = e->services.first; s; s = s->next) {
		if (s->proto == FW_PROTO_UDP &&
		    !fw_services_add(&pt->arena, &r.services, s->proto,
		                     s->dport_lo, s->dport_hi))
			pt->out->patched.bad = true;
	}
	r.attrs.udp_idle_s = e->idle_s;
	if (r.services.first)
		each_line(NULL, &r, insert_line, pt);
}

static void drop_rule(struct patching *pt)
{
	const struct fw_rule *r = pt->edit->rule;
	struct wr undo = wr_init_heap();
	size_t at, now, size;

	if (!r) {
		pt->out->patched.bad = true;
		return;
	}
	at = index_of(r->chain, r);
	now = fw_places_now(&pt->places, r->chain, at);
	size = fw_places_now(&pt->places, r->chain, index_of(r->chain, NULL));
	put_delete(&pt->out->commands, r->chain, now);
	put_insert(&undo, r->chain, now, size - 1, r->raw);
	undo_by(pt, &undo);
	fw_places_delete(&pt->places, r->chain, at);
	fw_splice_drop_line(&pt->text, r->raw.p);
}

int fw_nft_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                 const struct fw_edit *edits, struct diag *dg)
{
	struct patching pt = {
		.out = out, .rules = rules, .text = {.text = rules->text}};

	UNUSED(dg);
	arena_init(&pt.arena);
	pt.places.arena = pt.undo.arena = &pt.arena;
	for (const struct fw_edit *e = edits; e; e = e->next) {
		pt.edit = e;
		if (e->kind == FW_EDIT_INSERT || e->kind == FW_EDIT_RETURN)
			insert(&pt);
		else if (e->kind == FW_EDIT_IDLE)
			raise_idle(&pt);
		else if (e->rule)
			drop_rule(&pt);
		/* Old sessions keep what they were given. */
		if (e->flow)
			fw_linux_clear_put(&out->clear, "", 'd', &e->flow->dst);
	}
	fw_shell_undo_put(&out->undo, &pt.undo);
	fw_splice_put(&out->patched, &pt.text);
	out->patched.bad |= pt.undo.no_memory || pt.places.no_memory;
	fw_splice_fini(&pt.text);
	arena_fini(&pt.arena);
	return 0;
}
