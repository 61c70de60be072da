/* SPDX-License-Identifier: ISC */
/*
 * Design: "nft list ruleset" and the files people write are one language of
 * blocks. Blocks are read by a stack-free loop over lines; what stands in a
 * chain goes to nft_rule.c. What -j lists is written as such a text first
 * (nft_json.c). Tables of other families (arp, bridge, netdev)
 * and objects without a say in verdicts are kept as they are.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/linux.h"
#include "firewall/nft_emit.h"
#include "firewall/nft_json.h"
#include "firewall/nft_rule.h"

enum {
	MAX_TOKENS = 1 << 16, /* of one rule or one set */
};

struct parser {
	struct nft_parser p;
	struct nft_lexer lx;
	struct nft_token now;
	struct nft_token *line; /* arena; one rule at a time */
	size_t n_line, cap_line;
	struct arena scratch;
	bool is_ingress; /* the chain being read */
	bool is_dormant; /* the table being read */
	int err;
};

static void next(struct parser *ps)
{
	ps->now = nft_lex(&ps->lx);
}

static void skip_ends(struct parser *ps)
{
	while (ps->now.kind == NFT_EOL || nft_is(&ps->now, ";"))
		next(ps);
}

static const char *dup_now(struct parser *ps)
{
	const char *s = arena_dup(&ps->p.rules->arena, ps->now.s);

	if (!s)
		ps->err = ENOMEM;
	return s ? s : "";
}

static void push(struct parser *ps, const struct nft_token *t)
{
	if (ps->n_line == ps->cap_line) {
		const size_t cap = ps->cap_line ? ps->cap_line * 2 : 64;
		struct nft_token *v;

		v = arena_alloc(&ps->scratch, cap * sizeof(*v));
		if (!v) {
			ps->err = ENOMEM;
			return;
		}
		if (ps->n_line)
			memcpy(v, ps->line, ps->n_line * sizeof(*v));
		ps->line = v;
		ps->cap_line = cap;
	}
	ps->line[ps->n_line++] = *t;
}

/* Tokens of a statement: to the end of its line, or to a semicolon, outside
 * of braces; a closing brace that is not ours ends it too. */
static struct slice take_line(struct parser *ps)
{
	const uint8_t *from = ps->now.s.p, *to = from;
	unsigned depth = 0;

	ps->n_line = 0;
	if (ps->now.kind == NFT_STRING)
		from--;
	while (ps->now.kind != NFT_END && !ps->err) {
		if (depth == 0 &&
		    (ps->now.kind == NFT_EOL || nft_is(&ps->now, ";") ||
		     nft_is(&ps->now, "}")))
			break;
		if (nft_is(&ps->now, "{"))
			depth++;
		if (nft_is(&ps->now, "}"))
			depth--;
		if (ps->now.kind != NFT_EOL)
			push(ps, &ps->now);
		to = ps->now.s.p + ps->now.s.n +
		     (ps->now.kind == NFT_STRING ? 1 : 0);
		next(ps);
	}
	if (to > ps->lx.text.p + ps->lx.text.n)
		to = ps->lx.text.p + ps->lx.text.n;
	return (struct slice){from, (size_t)(to - from)};
}

/* Past the block whose opening brace was read. */
static void skip_block(struct parser *ps)
{
	unsigned depth = 1;

	while (ps->now.kind != NFT_END && depth > 0) {
		if (nft_is(&ps->now, "{"))
			depth++;
		if (nft_is(&ps->now, "}"))
			depth--;
		next(ps);
	}
}

static void keep(struct parser *ps, unsigned line, struct slice raw)
{
	if (!fw_kept_add(ps->p.rules, line, raw))
		ps->err = ENOMEM;
}

static struct slice from_to(const struct parser *ps, const uint8_t *from)
{
	const size_t n = (size_t)(ps->lx.text.p + ps->lx.at - from);

	return slice_trim((struct slice){from, n});
}

static const struct {
	const char *name;
	int value;
} priorities[] = {
	{"raw", -300}, {"mangle", -150}, {"dstnat", -100},
	{"filter", 0}, {"security", 50}, {"srcnat", 100},
};

enum {
	PRIORITY_MAX = 1 << 29, /* beyond that, order is not told apart */
	INGRESS_FIRST = -2 * PRIORITY_MAX,
};

static void read_priority(struct fw_chain *c, const struct nft_token *t,
                          size_t n)
{
	int sign = 1;

	c->priority = 0;
	for (size_t i = 0; i < n; i++) {
		struct slice s = t[i].s;
		uint64_t v;

		for (size_t k = 0; k < ARRAY_LEN(priorities); k++) {
			if (slice_eq_str(s, priorities[k].name))
				c->priority = priorities[k].value;
		}
		if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
			sign = s.p[0] == '-' ? -1 : 1;
			s = slice_sub(s, 1, SIZE_MAX);
		}
		if (text_u64(&v, s, UINT32_MAX) == 0)
			c->priority +=
				sign * (v < PRIORITY_MAX ? (int)v
			                                 : PRIORITY_MAX - 100);
	}
}

static const struct {
	const char *name;
	enum fw_hook hook;
} hooks[] = {
	{"prerouting", FW_HOOK_PREROUTING},   {"input", FW_HOOK_INPUT},
	{"forward", FW_HOOK_FORWARD},         {"output", FW_HOOK_OUTPUT},
	{"postrouting", FW_HOOK_POSTROUTING},
};

/* type filter hook forward priority filter */
static void read_base(struct parser *ps, struct fw_chain *c)
{
	const struct nft_token *t = ps->line;
	const size_t n = ps->n_line;

	for (size_t i = 0; i + 1 < n; i++) {
		if (nft_is(&t[i], "type") && nft_is(&t[i + 1], "nat"))
			c->kind = FW_CHAIN_NAT;
		if (nft_is(&t[i], "type") && nft_is(&t[i + 1], "route"))
			c->kind = FW_CHAIN_ROUTE;
		if (nft_is(&t[i], "priority")) {
			read_priority(c, &t[i + 1], n - i - 1);
			break;
		}
		if (!nft_is(&t[i], "hook"))
			continue;
		ps->is_ingress = nft_is(&t[i + 1], "ingress");
		for (size_t k = 0; k < ARRAY_LEN(hooks); k++) {
			if (nft_is(&t[i + 1], hooks[k].name))
				c->hook = hooks[k].hook;
		}
	}
}

/* A chain at one device: whether it is on the way is not known here. */
static void read_ingress(struct parser *ps, struct fw_chain *c)
{
	struct fw_rule *last = fw_rule_add(ps->p.rules, c);

	if (!last) {
		ps->err = ENOMEM;
		return;
	}
	last->id = c->name;
	last->line = c->line;
	last->families = FW_IP4 | FW_IP6;
	last->states = FW_STATE_ALL;
	last->attrs = fw_attrs_unset();
	last->action = c->policy;
	c->hook = FW_HOOK_PREROUTING;
	c->priority += INGRESS_FIRST;
	c->policy = FW_ACCEPT;
	for (struct fw_rule *r = c->first; r; r = r->next) {
		if (!r->conditional)
			r->conditional = "hook ingress";
	}
}

static bool starts(const struct parser *ps, const char *word)
{
	return ps->n_line > 0 && nft_is(&ps->line[0], word);
}

static void read_chain(struct parser *ps, const uint8_t *from)
{
	struct fw_chain *c;
	const char *name = dup_now(ps);

	c = fw_chain_find(ps->p.rules, ps->p.table, name);
	if (!c)
		c = fw_chain_add(ps->p.rules, name);
	if (!c) {
		ps->err = ENOMEM;
		return;
	}
	c->table = ps->p.table;
	c->families = ps->p.families;
	c->line = ps->now.line;
	ps->is_ingress = false;
	next(ps);
	skip_ends(ps);
	if (!nft_is(&ps->now, "{"))
		return;
	next(ps);
	while (ps->now.kind != NFT_END && !ps->err) {
		struct slice raw;

		skip_ends(ps);
		if (nft_is(&ps->now, "}") || ps->now.kind == NFT_END)
			break;
		raw = take_line(ps);
		if (ps->err || ps->n_line == 0)
			continue;
		if (starts(ps, "type") && ps->n_line > 2 &&
		    nft_is(&ps->line[2], "hook"))
			read_base(ps, c);
		else if (starts(ps, "policy") && ps->n_line > 1)
			c->policy = nft_is(&ps->line[1], "drop") ? FW_DROP
			                                         : FW_ACCEPT;
		else if (!starts(ps, "comment"))
			ps->err = nft_rule_parse(&ps->p, c, ps->line,
			                         ps->n_line, raw);
	}
	next(ps);
	c->raw = from_to(ps, from);
	if (ps->is_ingress && !ps->err)
		read_ingress(ps, c);
}

static void add_set(struct parser *ps, struct nft_set *set)
{
	struct wr w = wr_init_heap();
	char *key;

	nft_set_key(&w, set->table, slice_str(set->name));
	key = w.bad ? NULL : arena_dup(&ps->scratch, wr_slice(&w));
	wr_fini(&w);
	if (!key) {
		ps->err = ENOMEM;
		return;
	}
	fw_dict_put(&ps->p.sets, NULL, slice_str(key), set);
}

static void read_set(struct parser *ps)
{
	struct nft_set *set = arena_alloc(&ps->scratch, sizeof(*set));

	if (!set) {
		ps->err = ENOMEM;
		return;
	}
	set->name = dup_now(ps);
	set->table = ps->p.table;
	next(ps);
	skip_ends(ps);
	if (!nft_is(&ps->now, "{"))
		return;
	next(ps);
	while (ps->now.kind != NFT_END && !ps->err) {
		skip_ends(ps);
		if (nft_is(&ps->now, "}") || ps->now.kind == NFT_END)
			break;
		(void)take_line(ps);
		for (size_t i = 0; starts(ps, "flags") && i < ps->n_line; i++)
			set->is_volatile |= nft_is(&ps->line[i], "dynamic") ||
			                    nft_is(&ps->line[i], "timeout");
		if (starts(ps, "elements") && ps->n_line > 3) {
			set->elements = ps->line + 3;
			set->n_elements = ps->n_line - 4;
			/* The tokens stay; the next line gets new room. */
			ps->line = NULL;
			ps->n_line = ps->cap_line = 0;
		}
	}
	next(ps);
	add_set(ps, set);
}

/* "300", "300s" or "1m40s" */
static bool read_span(int64_t *out, struct slice s)
{
	static const struct {
		uint8_t unit;
		int64_t in_s;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int64_t sum = 0;

	while (s.n) {
		int64_t v = 0, in_s = 1;
		size_t i = 0;

		for (; i < s.n && i < 9 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			v = v * 10 + s.p[i] - '0';
		if (i == 0)
			return false;
		if (i < s.n) {
			in_s = 0;
			for (size_t k = 0; k < ARRAY_LEN(units); k++) {
				if (s.p[i] == units[k].unit)
					in_s = units[k].in_s;
			}
			i++;
		}
		if (in_s == 0)
			return false;
		sum += v * in_s;
		s = slice_sub(s, i, SIZE_MAX);
	}
	*out = sum;
	return sum > 0;
}

/* What nft itself writes into a policy, and so leaves out of a listing; some
 * versions have 180 s. The box's own defaults have no say. */
enum {
	NFT_UDP_REPLIED_S = 120,
	NFT_TCP_ESTABLISHED_S = 432000,
};

/* policy = { unreplied : 60, replied : 300 } */
static int64_t read_policy(const struct parser *ps, const char *name,
                           int64_t left_out_s)
{
	const size_t n = strlen(name);
	int64_t v;

	for (size_t i = 0; i + 2 < ps->n_line; i++) {
		const struct slice s = ps->line[i].s;
		/* By hand it is written without a blank, too. */
		const bool is_joined = s.n == n + 1 && s.p[n] == ':' &&
		                       slice_eq_str(slice_sub(s, 0, n), name);

		if (!is_joined &&
		    (!slice_eq_str(s, name) || !nft_is(&ps->line[i + 1], ":")))
			continue;
		return read_span(&v, ps->line[i + 2 - is_joined].s)
		               ? v
		               : FW_IDLE_UNKNOWN;
	}
	return left_out_s;
}

static unsigned nft_families(struct slice s)
{
	if (slice_eq_str(s, "ip6"))
		return FW_IP6;
	return slice_eq_str(s, "ip") ? FW_IP4 : FW_IP4 | FW_IP6;
}

static void read_object_line(struct parser *ps, struct fw_object *o)
{
	for (size_t i = 0; i + 1 < ps->n_line; i++) {
		int proto;

		if (nft_is(&ps->line[i], "type")) {
			const struct slice s = ps->line[i + 1].s;
			char *name = arena_dup(&ps->p.rules->arena, s);

			o->attrs.helper = name;
			o->attrs.alg = slice_eq_str(s, "sip") ? FW_ON : FW_OFF;
		}
		if (nft_is(&ps->line[i], "l3proto"))
			o->families = nft_families(ps->line[i + 1].s);
		if (nft_is(&ps->line[i], "protocol") &&
		    fw_proto_parse(&proto, ps->line[i + 1].s) == 0 &&
		    !fw_services_add(&ps->p.rules->arena, &o->services, proto,
		                     0, FW_PORT_MAX))
			ps->err = ENOMEM;
	}
	if (starts(ps, "policy")) {
		o->attrs.udp_idle_s =
			read_policy(ps, "replied", NFT_UDP_REPLIED_S);
		o->attrs.tcp_idle_s =
			read_policy(ps, "established", NFT_TCP_ESTABLISHED_S);
	}
}

/* ct helper NAME { ... }, ct timeout NAME { ... } */
static void read_object(struct parser *ps, const uint8_t *from)
{
	const bool is_helper = nft_is(&ps->now, "helper");
	struct fw_object *o;

	if (!is_helper && !nft_is(&ps->now, "timeout")) {
		while (ps->now.kind != NFT_END && !nft_is(&ps->now, "{"))
			next(ps);
		next(ps);
		skip_block(ps);
		return;
	}
	next(ps);
	o = fw_object_add(ps->p.rules,
	                  is_helper ? FW_OBJECT_HELPER : FW_OBJECT_TIMEOUT,
	                  dup_now(ps));
	if (!o) {
		ps->err = ENOMEM;
		return;
	}
	o->table = ps->p.table;
	o->families = FW_IP4 | FW_IP6;
	if (!is_helper) {
		o->attrs.udp_idle_s = NFT_UDP_REPLIED_S;
		o->attrs.tcp_idle_s = NFT_TCP_ESTABLISHED_S;
	}
	o->line = ps->now.line;
	next(ps);
	skip_ends(ps);
	if (!nft_is(&ps->now, "{"))
		return;
	next(ps);
	while (ps->now.kind != NFT_END && !ps->err) {
		skip_ends(ps);
		if (nft_is(&ps->now, "}") || ps->now.kind == NFT_END)
			break;
		(void)take_line(ps);
		read_object_line(ps, o);
	}
	next(ps);
	o->raw = from_to(ps, from);
}

/* Something of the table's that has no say here. */
static void read_other(struct parser *ps)
{
	const unsigned line = ps->now.line;
	const bool is_harmless =
		nft_is(&ps->now, "counter") || nft_is(&ps->now, "comment") ||
		nft_is(&ps->now, "flowtable") || nft_is(&ps->now, "quota") ||
		nft_is(&ps->now, "limit") || nft_is(&ps->now, "flags");
	struct slice raw = take_line(ps);

	for (size_t i = 1; starts(ps, "flags") && i < ps->n_line; i++)
		ps->is_dormant |= nft_is(&ps->line[i], "dormant");
	if (raw.n == 0)
		next(ps);
	else if (!is_harmless)
		diag_add(ps->p.dg, DIAG_WARN, raw,
		         _("Not understood; kept as it is. Expected a chain, "
		           "a set, a map or an object."));
	keep(ps, line, raw);
}

/* The kernel consults none of a dormant table's chains. */
static void let_sleep(const struct parser *ps)
{
	for (struct fw_chain *c = ps->p.rules->chains; c; c = c->next) {
		if (strcmp(c->table, ps->p.table) == 0)
			c->hook = FW_HOOK_NONE;
	}
}

static void read_table_body(struct parser *ps)
{
	ps->is_dormant = false;
	while (ps->now.kind != NFT_END && !ps->err) {
		const uint8_t *from;

		skip_ends(ps);
		from = ps->now.s.p;
		if (nft_is(&ps->now, "}") || ps->now.kind == NFT_END)
			break;
		if (nft_is(&ps->now, "chain")) {
			next(ps);
			read_chain(ps, from);
		} else if (nft_is(&ps->now, "set") || nft_is(&ps->now, "map")) {
			next(ps);
			read_set(ps);
		} else if (nft_is(&ps->now, "ct")) {
			next(ps);
			read_object(ps, from);
		} else {
			read_other(ps);
		}
	}
	if (ps->is_dormant)
		let_sleep(ps);
	next(ps);
}

static bool read_family(struct parser *ps)
{
	ps->p.families = FW_IP4;
	if (nft_is(&ps->now, "ip6"))
		ps->p.families = FW_IP6;
	else if (nft_is(&ps->now, "inet"))
		ps->p.families = FW_IP4 | FW_IP6;
	else if (!nft_is(&ps->now, "ip"))
		return !nft_is(&ps->now, "arp") &&
		       !nft_is(&ps->now, "bridge") &&
		       !nft_is(&ps->now, "netdev");
	return true;
}

static void read_table(struct parser *ps)
{
	const unsigned line = ps->now.line;
	const uint8_t *from = ps->now.s.p;
	struct slice family;
	bool is_ours;

	next(ps);
	is_ours = read_family(ps);
	family = ps->now.s;
	next(ps);
	if (nft_is(&ps->now, "{"))
		ps->p.table = arena_fmt(&ps->p.rules->arena, "ip %.*s",
		                        (int)family.n, (const char *)family.p);
	else
		ps->p.table =
			arena_fmt(&ps->p.rules->arena, "%.*s %.*s",
		                  (int)family.n, (const char *)family.p,
		                  (int)ps->now.s.n, (const char *)ps->now.s.p);
	if (!ps->p.table) {
		ps->err = ENOMEM;
		return;
	}
	while (ps->now.kind != NFT_END && !nft_is(&ps->now, "{") &&
	       ps->now.kind != NFT_EOL)
		next(ps);
	if (!nft_is(&ps->now, "{"))
		return;
	next(ps);
	if (is_ours) {
		read_table_body(ps);
		return;
	}
	skip_block(ps);
	diag_add(ps->p.dg, DIAG_NOTE, family,
	         _("Tables of this family are not judged."));
	keep(ps, line, from_to(ps, from));
}

/* A jump to a chain that is not there: the text is cut or wrong. */
static void check_targets(struct parser *ps)
{
	for (struct fw_chain *c = ps->p.rules->chains; c; c = c->next) {
		for (struct fw_rule *r = c->first; r; r = r->next) {
			if (!r->target ||
			    fw_chain_find(ps->p.rules, c->table, r->target))
				continue;
			diag_add(ps->p.dg, DIAG_ERROR, r->raw,
			         _("There is no chain \"%s\" in this table."),
			         r->target);
			if (fw_linux_unsure(ps->p.rules, r)) {
				ps->err = ENOMEM;
				return;
			}
			r = r->next;
		}
	}
}

static bool has_dnat(const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (r->nat.kind == FW_NAT_DEST ||
			    r->nat.kind == FW_NAT_REDIRECT)
				return true;
		}
	}
	return false;
}

/* firewalld lets what was forwarded pass, wherever it forwards nothing. */
static void disable_dnat(struct fw_rules *rules)
{
	if (has_dnat(rules))
		return;
	for (struct fw_chain *c = rules->chains; c; c = c->next) {
		for (struct fw_rule *r = c->first; r; r = r->next)
			r->is_disabled |= r->is_of_dnat;
	}
}

static int parse_text(struct fw_rules *out, struct slice text, struct diag *dg)
{
	struct parser ps = {.p = {.rules = out, .dg = dg},
	                    .lx = {.text = text, .line = 1}};

	arena_init(&ps.scratch);
	fw_dict_init(&ps.p.sets, &ps.scratch, text);
	out->dialect = "nftables";
	out->is_last_first = true;
	out->text = text;
	next(&ps);
	while (ps.now.kind != NFT_END && !ps.err) {
		skip_ends(&ps);
		if (nft_is(&ps.now, "table")) {
			read_table(&ps);
		} else if (ps.now.kind != NFT_END) {
			const unsigned line = ps.now.line;
			const struct slice at = ps.now.s;
			const struct slice raw = take_line(&ps);

			if (raw.n == 0)
				next(&ps);
			/* What was read before would be gone. */
			if (!slice_eq_str(at, "flush") || out->chains)
				diag_add(dg, DIAG_ERROR, at,
				         _("Expected \"table\"."));
			keep(&ps, line, raw.n ? raw : at);
		}
	}
	if (!ps.err)
		check_targets(&ps);
	disable_dnat(out);
	if (!ps.err)
		ps.err = fw_linux_defaults(out);
	out->offload_idle_s = FW_LINUX_FLOW_IDLE_S;
	if (ps.p.sets.no_memory)
		ps.err = ENOMEM;
	arena_fini(&ps.scratch);
	if (ps.err)
		return ps.err;
	return dg->n_errors ? EBADMSG : 0;
}

/* Faults of the translation, beside those of what it was made of: their lines
 * are copied, for the one who prints them need not keep the rules. */
static void add_faults(struct diag *dg, const struct diag *more)
{
	for (struct diag_item *it = more->first; it; it = it->next) {
		const char *quote = arena_dup(dg->arena, it->quote);

		it->quote = slice_str(quote);
	}
	if (dg->last)
		dg->last->next = more->first;
	else
		dg->first = more->first;
	if (more->last)
		dg->last = more->last;
	dg->n_errors += more->n_errors;
	dg->n_warnings += more->n_warnings;
	dg->n_items += more->n_items;
	dg->n_dropped += more->n_dropped;
}

static int parse_json(struct fw_rules *out, struct slice text, struct diag *dg)
{
	struct wr w = wr_init_heap();
	const size_t n_errors = dg->n_errors;
	const char *list = NULL;
	struct diag more;
	int err = nft_json_put(&w, text, dg);

	if (!err || err == EBADMSG)
		list = arena_dup(&out->arena, wr_slice(&w));
	diag_init(&more, dg->arena, dg->file,
	          (struct slice){(const uint8_t *)list, w.n});
	wr_fini(&w);
	if (!list)
		return ENOMEM;
	diag_add(dg, DIAG_NOTE, (struct slice){NULL, 0},
	         _("JSON: lines are counted as nft lists the same rules "
	           "without -j."));
	err = parse_text(out, more.text, &more);
	add_faults(dg, &more);
	if (err && err != EBADMSG)
		return err;
	return dg->n_errors > n_errors ? EBADMSG : 0;
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	return nft_json_is(text) ? parse_json(out, text, dg)
	                         : parse_text(out, text, dg);
}

static int recognise(struct slice text)
{
	static const char *const heads[] = {"table inet ", "table ip ",
	                                    "table ip6 "};
	struct rd r = rd_init(slice_sub(text, 0, 1 << 16));
	struct slice line;
	int score = 0;

	if (nft_json_is(text))
		return 100;
	while (rd_line(&r, &line)) {
		for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
			const struct slice head = slice_str(heads[i]);

			if (slice_eq(slice_sub(line, 0, head.n), head))
				score = 90;
		}
		line = slice_trim(line);
		if (slice_eq(slice_sub(line, 0, 12), slice_str("type filter ")))
			return 100;
	}
	return score;
}

const struct fw_dialect fw_dialect_nftables = {
	.name = "nftables",
	.title = "nftables",
	.file_ext = ".nft",
	.drops_rest = true,
	.caps = FW_CAP_IP6 | FW_CAP_NEGATION | FW_CAP_ZONES | FW_CAP_SPORT |
                FW_CAP_STATES | FW_CAP_CHAINS | FW_CAP_REJECT | FW_CAP_NAT |
                FW_CAP_ALG | FW_CAP_UDP_IDLE | FW_CAP_DSCP | FW_CAP_COMMENT |
                FW_CAP_OFFLOAD | FW_CAP_FLOW_OFFLOAD,
	.recognise = recognise,
	.parse = parse,
	.emit = fw_nft_emit,
	.patch = fw_nft_patch,
};
