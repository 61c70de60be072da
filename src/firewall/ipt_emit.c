/* SPDX-License-Identifier: ISC */
/*
 * Design: one line holds one source, one destination and one protocol, so a
 * rule becomes their product; ports go fifteen at a time, as multiport takes
 * them. IPv4 and IPv6 are two programs with two sets of tables, but one file
 * can be for both: each of them passes over the lines that an option (-4, -6)
 * gives to the other. A session time cannot be said in this language without a
 * table of the kernel's (nfct), so the dialect does not claim it.
 */
#include "firewall/ipt_emit.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/ipt_table.h"
#include "firewall/linux.h"
#include "firewall/shell.h"
#include "firewall/splice.h"

enum {
	MULTIPORT_MAX = 15,
};

/* @param families  The line is for these. */
typedef void line_fn(void *arg, unsigned families, struct slice line);

struct liner {
	const struct fw_rule *r;
	unsigned families; /* of the text */
	line_fn *fn;
	void *arg;
	bool no_memory;
};

static void put_addr(struct wr *w, const struct fw_addr *a, bool is_not,
                     bool is_dest)
{
	const bool is_prefix = fw_ip_prefix_len(a->lo, a->hi) >= 0;

	if (!is_prefix)
		wr_str(w, "-m iprange ");
	if (is_not)
		wr_str(w, "! ");
	if (is_prefix)
		wr_str(w, is_dest ? "-d " : "-s ");
	else
		wr_str(w, is_dest ? "--dst-range " : "--src-range ");
	fw_ip_put(w, a->lo, a->hi);
	wr_str(w, " ");
}

static void put_zone(struct wr *w, const struct fw_zone *z, bool is_not,
                     const char *option)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:@+";
	const size_t n = strlen(z->name);
	const bool is_like = n > 0 && z->name[n - 1] == '*';
	const size_t n_stem = is_like ? n - 1 : n;
	const char *quote = strspn(z->name, plain) < n_stem ? "\"" : "";

	wr_fmt(w, "%s%s %s%.*s%s%s ", is_not ? "! " : "", option, quote,
	       (int)n_stem, z->name, is_like ? "+" : "", quote);
}

static void put_states(struct wr *w, unsigned states)
{
	static const char *const names[] = {"NEW", "ESTABLISHED", "RELATED",
	                                    "INVALID", "UNTRACKED"};
	const char *sep = "";

	if (states == FW_STATE_ALL)
		return;
	wr_str(w, "-m conntrack --ctstate ");
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!(states & 1U << i))
			continue;
		wr_fmt(w, "%s%s", sep, names[i]);
		sep = ",";
	}
	wr_str(w, " ");
}

static void put_verdict(struct wr *w, const struct fw_rule *r,
                        unsigned families)
{
	static const char *const answers[] = {
		[FW_IP4] = " --reject-with icmp-port-unreachable",
		[FW_IP6] = " --reject-with icmp6-port-unreachable",
		[FW_IP4 | FW_IP6] = "",
	};
	static const char *const words[] = {
		[FW_CONTINUE] = "",        [FW_ACCEPT] = "-j ACCEPT",
		[FW_DROP] = "-j DROP",     [FW_REJECT] = "-j REJECT",
		[FW_RETURN] = "-j RETURN", [FW_JUMP] = "-j ",
		[FW_GOTO] = "-g ",
	};

	const char *to = r->nat.to;

	if (r->is_notrack)
		wr_str(w, "-j CT --notrack");
	else if (r->nat.kind == FW_NAT_SOURCE)
		wr_fmt(w, to ? "-j SNAT --to-source %s" : "-j MASQUERADE", to);
	else if (r->nat.kind == FW_NAT_DEST)
		wr_fmt(w, "-j DNAT --to-destination %s", to ? to : "");
	else if (r->nat.kind == FW_NAT_REDIRECT)
		wr_fmt(w, to ? "-j REDIRECT --to-ports %s" : "-j REDIRECT",
		       to ? to + strspn(to, ":") : NULL);
	else
		wr_fmt(w, "%s%s%s", words[r->action],
		       r->target ? r->target : "",
		       r->action == FW_REJECT ? answers[families] : "");
}

static void put_comment(struct wr *w, const char *text)
{
	if (!text)
		return;
	wr_str(w, "-m comment --comment \"");
	for (size_t i = 0; i < 250 && text[i]; i++) {
		const bool is_plain =
			text[i] >= ' ' && text[i] != '"' && text[i] != '\\';

		wr_u8(w, is_plain ? (uint8_t)text[i] : '?');
	}
	wr_str(w, "\" ");
}

static bool is_grouped(const struct fw_service *a, const struct fw_service *b)
{
	return a->proto == b->proto && a->sport_lo == b->sport_lo &&
	       a->sport_hi == b->sport_hi;
}

static void put_ports(struct wr *w, uint16_t lo, uint16_t hi)
{
	if (lo == hi)
		wr_fmt(w, "%u", lo);
	else
		wr_fmt(w, "%u:%u", lo, hi);
}

/* Ports of s's group from *next on, as many as fit; *next ends NULL. */
static void put_services(struct wr *w, const struct fw_service *s,
                         const struct fw_service **next)
{
	const struct fw_service *t = *next;
	unsigned room = MULTIPORT_MAX;
	const char *sep = "";

	*next = NULL;
	if (s->proto != FW_PROTO_ANY)
		wr_fmt(w, "-p %d ", s->proto);
	if (s->sport_lo > 0 || s->sport_hi < FW_PORT_MAX) {
		wr_str(w, "-m multiport --sports ");
		put_ports(w, s->sport_lo, s->sport_hi);
		wr_str(w, " ");
	}
	if (t->dport_lo == 0 && t->dport_hi == FW_PORT_MAX)
		return;
	wr_str(w, "-m multiport --dports ");
	for (; t; t = t->next) {
		const unsigned n = t->dport_lo == t->dport_hi ? 1 : 2;

		if (!is_grouped(s, t))
			continue;
		if (n > room) {
			*next = t;
			break;
		}
		room -= n;
		wr_str(w, sep);
		put_ports(w, t->dport_lo, t->dport_hi);
		sep = ",";
	}
	wr_str(w, " ");
}

/* Those that can have both addresses. */
static unsigned line_families(const struct liner *ln, const struct fw_addr *src,
                              const struct fw_addr *dst)
{
	unsigned families = ln->families;

	if (src)
		families &= fw_ip_is4(src->lo) ? FW_IP4 : FW_IP6;
	if (dst)
		families &= fw_ip_is4(dst->lo) ? FW_IP4 : FW_IP6;
	return families;
}

static void put_line(struct liner *ln, const struct fw_zone *in,
                     const struct fw_zone *out, const struct fw_addr *src,
                     const struct fw_addr *dst)
{
	const struct fw_rule *r = ln->r;
	const struct fw_service *s = r->services.first;
	const unsigned families = line_families(ln, src, dst);

	do {
		const struct fw_service *first = r->services.first, *at = s;

		while (first && !is_grouped(first, s))
			first = first->next;
		if (first != s) {
			s = s->next;
			continue;
		}
		do {
			struct wr w = wr_init_heap();

			if (in)
				put_zone(&w, in, r->in.is_negated, "-i");
			if (out)
				put_zone(&w, out, r->out.is_negated, "-o");
			if (src)
				put_addr(&w, src, r->src.is_negated, false);
			if (dst)
				put_addr(&w, dst, r->dst.is_negated, true);
			if (s)
				put_services(&w, s, &at);
			put_states(&w, r->states);
			put_comment(&w, r->name);
			put_verdict(&w, r, families);
			ln->fn(ln->arg, families, slice_trim(wr_slice(&w)));
			ln->no_memory |= w.bad;
			wr_fini(&w);
		} while (s && at);
		s = s ? s->next : NULL;
	} while (s);
}

static void each_zone(struct liner *ln, const struct fw_addr *src,
                      const struct fw_addr *dst)
{
	const struct fw_zone *in = ln->r->in.first;

	do {
		const struct fw_zone *out = ln->r->out.first;

		do {
			put_line(ln, in, out, src, dst);
			out = out ? out->next : NULL;
		} while (out);
		in = in ? in->next : NULL;
	} while (in);
}

/* Every line that a rule becomes. */
static void each_line(struct liner *ln)
{
	const struct fw_addr *src = ln->r->src.first;

	do {
		const struct fw_addr *dst = ln->r->dst.first;

		do {
			if (line_families(ln, src, dst))
				each_zone(ln, src, dst);
			dst = dst ? dst->next : NULL;
		} while (dst);
		src = src ? src->next : NULL;
	} while (src);
}

/* "Not one of several" would need one line and several matches; not an
 * address of one family means all of the other. */
static bool is_sayable(const struct fw_rule *r, unsigned families)
{
	const bool is_not = (r->src.is_negated && r->src.first) ||
	                    (r->dst.is_negated && r->dst.first);
	const bool is_many =
		(r->src.is_negated && r->src.first && r->src.first->next) ||
		(r->dst.is_negated && r->dst.first && r->dst.first->next) ||
		(r->in.is_negated && r->in.first && r->in.first->next) ||
		(r->out.is_negated && r->out.first && r->out.first->next);

	if (is_many || (is_not && families == (FW_IP4 | FW_IP6)))
		return false;
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		const bool has_ports = s->sport_lo ||
		                       s->sport_hi < FW_PORT_MAX ||
		                       s->dport_lo || s->dport_hi < FW_PORT_MAX;

		if (has_ports && s->proto != FW_PROTO_TCP &&
		    s->proto != FW_PROTO_UDP)
			return false;
	}
	return true;
}

/* The option that gives a line of a text for two families to one. */
static const char *family_option(unsigned text, unsigned line)
{
	if (text == line)
		return "";
	return line == FW_IP4 ? "-4 " : "-6 ";
}

struct emitting {
	struct wr *out;
	const char *chain;
	unsigned families; /* of the text */
};

static void emit_line(void *arg, unsigned families, struct slice line)
{
	struct emitting *em = arg;

	wr_fmt(em->out, "-A %s %s", em->chain,
	       family_option(em->families, families));
	wr_put(em->out, line);
	wr_str(em->out, "\n");
}

/* A text is for IPv6 too when one of its rules asks for that. */
static unsigned text_families(const struct fw_rules *rules)
{
	return fw_rules_caps(rules) & FW_CAP_IP6 ? FW_IP4 | FW_IP6 : FW_IP4;
}

static bool can_say(const struct fw_rules *rules, unsigned families,
                    struct diag *dg)
{
	const struct slice all = {NULL, 0};

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (is_sayable(r, families))
				continue;
			diag_add(dg, DIAG_ERROR, all,
			         _("One line of iptables cannot say rule %s."),
			         r->name ? r->name : r->id);
			return false;
		}
	}
	return true;
}

static const char *const table_names[] = {
	[FW_IPT_RAW] = "raw",
	[FW_IPT_MANGLE] = "mangle",
	[FW_IPT_NAT] = "nat",
	[FW_IPT_FILTER] = "filter",
};

static void put_table(struct wr *out, const struct fw_ipt_place *places,
                      size_t n, unsigned table, unsigned families)
{
	bool has_any = false;

	for (size_t i = 0; i < n; i++) {
		const struct fw_chain *c = places[i].chain;
		const char *policy = c->policy == FW_DROP ? "DROP" : "ACCEPT";

		if (!(places[i].tables & 1U << table))
			continue;
		if (!has_any)
			wr_fmt(out, "*%s\n", table_names[table]);
		has_any = true;
		wr_fmt(out, ":%s %s [0:0]\n", places[i].name,
		       c->hook == FW_HOOK_NONE ? "-" : policy);
	}
	for (size_t i = 0; i < n; i++) {
		const struct fw_chain *c = places[i].chain;
		struct emitting em = {.out = out,
		                      .chain = places[i].name,
		                      .families = families};

		if (!(places[i].tables & 1U << table))
			continue;
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			struct liner ln = {.r = r,
			                   .families = families & c->families &
			                               r->families,
			                   .fn = emit_line,
			                   .arg = &em};

			if (!r->is_disabled)
				each_line(&ln);
			out->bad |= ln.no_memory;
		}
	}
	if (has_any)
		wr_str(out, "COMMIT\n");
}

/* A table that is not there yet is not saved unless it is asked for, and then
 * the rules of this text would outlive their undo. */
static void put_saves(struct wr *out, const char *program, const char *file,
                      unsigned tables)
{
	const char *how = ">";

	for (unsigned t = 0; t < FW_IPT_TABLES; t++) {
		if (!(tables & 1U << t))
			continue;
		wr_fmt(out, "#     %s -t %s %s%s\n", program, table_names[t],
		       how, file);
		how = ">>";
	}
}

/* What a reader has to know before. */
static void put_head(struct wr *out, const struct fw_ipt_place *places,
                     size_t n, unsigned families)
{
	const char *is_two = families & FW_IP6 ? " and ip6tables-restore" : "";
	unsigned tables = 0;

	for (size_t i = 0; i < n; i++)
		tables |= places[i].tables;
	wr_fmt(out,
	       "# For iptables-restore%s: replaces all rules of a table, and "
	       "what no rule\n"
	       "# accepts is dropped. With --noflush a box's own rules stay, "
	       "above these; where\n"
	       "# they end in a drop, put these above it instead. Before, keep "
	       "what there is:\n",
	       is_two);
	put_saves(out, "iptables-save", "/var/tmp/prumo-before.rules", tables);
	if (families & FW_IP6)
		put_saves(out, "ip6tables-save", "/var/tmp/prumo-before.rules6",
		          tables);
}

static void put_tail(struct wr *out, const struct fw_rules *rules,
                     unsigned families)
{
	const int64_t udp_idle_s = rules->defaults.udp_idle_s;
	static const char name[] =
		"net.netfilter.nf_conntrack_udp_timeout_stream";

	if (udp_idle_s > 0)
		wr_fmt(out,
		       "\n# Session time is the kernel's, not a rule's:\n"
		       "#     sysctl -n %s >/var/tmp/prumo-udp-timeout\n"
		       "#     sysctl -w %s=%lld\n",
		       name, name, (long long)udp_idle_s);
	fw_linux_tail_put(out, rules);
	wr_str(out, "\n# Undo:\n"
	            "#     iptables-restore /var/tmp/prumo-before.rules\n");
	if (families & FW_IP6)
		wr_str(out, "#     ip6tables-restore "
		            "/var/tmp/prumo-before.rules6\n");
	if (udp_idle_s > 0)
		wr_fmt(out,
		       "#     sysctl -w %s=\"$(cat "
		       "/var/tmp/prumo-udp-timeout)\"\n",
		       name);
}

int fw_ipt_emit(struct wr *out, const struct fw_rules *rules, struct diag *dg)
{
	const unsigned families = text_families(rules);
	struct fw_ipt_place *places;
	struct arena scratch;
	size_t n;
	int err;

	if (rules->text.n && rules->dialect &&
	    strcmp(rules->dialect, "iptables") == 0) {
		wr_put(out, rules->text);
		return 0;
	}
	if (!can_say(rules, families, dg))
		return ENOTSUP;
	arena_init(&scratch);
	err = fw_ipt_places(&places, &n, &scratch, rules, dg);
	if (!err) {
		put_head(out, places, n, families);
		for (unsigned t = 0; t < FW_IPT_TABLES; t++)
			put_table(out, places, n, t, families);
		put_tail(out, rules, families);
	}
	arena_fini(&scratch);
	return err;
}

struct patching {
	struct fw_patch_out *out;
	struct fw_splice text;
	struct fw_places places;
	struct fw_shell_undo undo;
	struct arena arena;
	const struct fw_edit *edit;
};

/* A text for both families is two chains on the box: what stands where is
 * counted for each. */
static const void *counted(const struct fw_chain *c, unsigned family)
{
	return family == FW_IP6 ? (const void *)&c->families : c;
}

/* "filter" of "ip6 filter" */
static const char *table(const struct fw_chain *c)
{
	const char *s = strchr(c->table, ' ');

	return s ? s + 1 : c->table;
}

/* From 0; rules made of one line count once. */
static size_t index_of(const struct fw_chain *c, const struct fw_rule *rule,
                       unsigned family)
{
	const struct fw_rule *prev = NULL;
	size_t n = 0;

	for (const struct fw_rule *r = c->first; r && r != rule; r = r->next) {
		if (rule && rule->raw.n && r->raw.p == rule->raw.p)
			break;
		if (!(r->families & family))
			continue;
		n += !prev || !r->raw.n || r->raw.p != prev->raw.p;
		prev = r;
	}
	return n;
}

/* One command of a patch. */
struct call {
	const struct fw_chain *chain;
	unsigned family; /* FW_IP4 or FW_IP6 */
	size_t index;
};

static void put_call(struct wr *w, const struct call *c, char what)
{
	wr_fmt(w, "%s -t ", c->family == FW_IP6 ? "ip6tables" : "iptables");
	fw_shell_put(w, slice_str(table(c->chain)));
	wr_fmt(w, " -%c ", what);
	fw_shell_put(w, slice_str(c->chain->name));
	wr_fmt(w, " %zu", c->index + 1);
}

/* @param rest  The rule behind its "-A CHAIN". */
static void put_insert(struct wr *w, const struct call *c, struct slice rest)
{
	put_call(w, c, 'I');
	wr_str(w, " ");
	fw_shell_put_words(w, rest);
	wr_str(w, "\n");
}

static void put_delete(struct wr *w, const struct call *c)
{
	put_call(w, c, 'D');
	wr_str(w, "\n");
}

static void undo_by(struct patching *pt, struct wr *command)
{
	fw_shell_undo_add(&pt->undo, wr_slice(command));
	pt->undo.no_memory |= command->bad;
	wr_fini(command);
}

/* Behind the last line that declares a chain. */
static const uint8_t *behind_chains(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at == ':') {
		while (at < end && *at != '\n')
			at++;
		at += at < end;
	}
	return at;
}

static void splice_line(struct patching *pt, struct slice text)
{
	const struct fw_chain *c = pt->edit->chain;
	const uint8_t *end = pt->text.text.p + pt->text.text.n, *at;

	if (pt->edit->before) {
		fw_splice_before(&pt->text, pt->edit->before->raw.p, text);
		return;
	}
	if (c->last) {
		at = c->last->raw.p + c->last->raw.n;
		while (at < end && *at != '\n')
			at++;
		fw_splice_at(&pt->text, at < end ? at + 1 : at, text);
		return;
	}
	pt->out->patched.bad |= !c->raw.p;
	if (c->raw.p)
		fw_splice_at(&pt->text, behind_chains(c->raw.p, end), text);
}

static void insert_for(struct patching *pt, unsigned family, struct slice line)
{
	const struct fw_edit *e = pt->edit;
	const void *chain = counted(e->chain, family);
	const size_t at = index_of(e->chain, e->before, family);
	const struct call c = {e->chain, family,
	                       fw_places_now(&pt->places, chain, at)};
	struct wr undo = wr_init_heap();

	put_insert(&pt->out->commands, &c, line);
	put_delete(&undo, &c);
	undo_by(pt, &undo);
	fw_places_insert(&pt->places, chain, at);
}

static void patch_line(void *arg, unsigned families, struct slice line)
{
	struct patching *pt = arg;
	const struct fw_chain *c = pt->edit->chain;
	char *text = arena_fmt(&pt->arena, "-A %s %s%.*s\n", c->name,
	                       family_option(c->families, families),
	                       (int)line.n, (const char *)line.p);

	if (families & FW_IP4)
		insert_for(pt, FW_IP4, line);
	if (families & FW_IP6)
		insert_for(pt, FW_IP6, line);
	if (text)
		splice_line(pt, slice_str(text));
	else
		pt->out->patched.bad = true;
}

static void insert(struct patching *pt)
{
	const struct fw_edit *e = pt->edit;
	struct fw_rule r = {.states = FW_STATE_ALL,
	                    .action = FW_ACCEPT,
	                    .attrs = fw_attrs_unset(),
	                    .services = e->services};
	struct liner ln = {.r = &r,
	                   .families = e->chain->families,
	                   .fn = patch_line,
	                   .arg = pt};

	if (e->flow) {
		r.dst = e->flow->dst;
		pt->out->patched.bad |=
			fw_rule_set_place(&pt->arena, &r, e->place) != 0;
	} else {
		r.states = FW_STATE_ESTABLISHED | FW_STATE_RELATED;
	}
	r.name = arena_fmt(&pt->arena, "prumo:%s",
	                   e->flow ? e->flow->id : "return-traffic");
	each_line(&ln);
	pt->out->patched.bad |= ln.no_memory || !r.name;
}

/* What follows "-A CHAIN" in a line of the configuration. */
static struct slice behind_chain(struct slice raw)
{
	size_t i = 0;

	for (int word = 0; word < 2; word++) {
		while (i < raw.n && (raw.p[i] == ' ' || raw.p[i] == '\t'))
			i++;
		while (i < raw.n && raw.p[i] != ' ' && raw.p[i] != '\t')
			i++;
	}
	return slice_trim(slice_sub(raw, i, raw.n));
}

static void drop_for(struct patching *pt, unsigned family)
{
	const struct fw_rule *r = pt->edit->rule;
	const void *chain = counted(r->chain, family);
	const size_t at = index_of(r->chain, r, family);
	const struct call c = {r->chain, family,
	                       fw_places_now(&pt->places, chain, at)};
	struct wr undo = wr_init_heap();

	put_delete(&pt->out->commands, &c);
	put_insert(&undo, &c, behind_chain(r->raw));
	undo_by(pt, &undo);
	fw_places_delete(&pt->places, chain, at);
}

static void drop_rule(struct patching *pt)
{
	const struct fw_rule *r = pt->edit->rule;

	if (r->families & FW_IP4)
		drop_for(pt, FW_IP4);
	if (r->families & FW_IP6)
		drop_for(pt, FW_IP6);
	fw_splice_drop_line(&pt->text, r->raw.p);
}

/* A time for all sessions: outside of the rules, and of the text. What it was
 * is only known on the box, so it is kept there. */
static void raise_idle(struct patching *pt)
{
	static const char name[] =
		"net.netfilter.nf_conntrack_udp_timeout_stream";
	static const char kept[] = "/var/tmp/prumo-udp-timeout";
	struct wr undo = wr_init_heap();

	wr_fmt(&pt->out->commands, "sysctl -n %s >%s\nsysctl -w %s=%lld\n",
	       name, kept, name, (long long)pt->edit->idle_s);
	wr_fmt(&undo, "sysctl -w %s=\"$(cat %s)\"\n", name, kept);
	undo_by(pt, &undo);
}

int fw_ipt_patch(struct fw_patch_out *out, const struct fw_rules *rules,
                 const struct fw_edit *edits, struct diag *dg)
{
	struct patching pt = {.out = out, .text = {.text = rules->text}};
	const struct fw_edit *longest = NULL;

	UNUSED(dg);
	arena_init(&pt.arena);
	pt.places.arena = pt.undo.arena = &pt.arena;
	for (const struct fw_edit *e = edits; e; e = e->next) {
		pt.edit = e;
		if (e->kind == FW_EDIT_INSERT || e->kind == FW_EDIT_RETURN)
			insert(&pt);
		else if (e->kind == FW_EDIT_ALG_OFF && e->rule)
			drop_rule(&pt);
		else if (e->kind == FW_EDIT_IDLE &&
		         (!longest || e->idle_s > longest->idle_s))
			longest = e;
		if (e->flow)
			fw_linux_clear_put(&out->clear, "", 'd', &e->flow->dst);
	}
	if (longest) {
		pt.edit = longest;
		raise_idle(&pt);
	}
	fw_shell_undo_put(&out->undo, &pt.undo);
	fw_splice_put(&out->patched, &pt.text);
	out->patched.bad |= pt.undo.no_memory || pt.places.no_memory;
	fw_splice_fini(&pt.text);
	arena_fini(&pt.arena);
	return 0;
}
