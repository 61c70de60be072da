/* SPDX-License-Identifier: ISC */
/*
 * Design: iptables-save is a list of commands, one a line, each a list of
 * options; an option nobody knows leaves a doubt about its rule and nothing
 * else, since options are told apart by their dashes. One text may hold the
 * output of ip6tables-save as well: its comment says where that begins. Or it
 * is written for both programs, and lines are given to one by an option.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/ipt_emit.h"
#include "firewall/linux.h"
#include "firewall/match.h"

enum {
	MAX_WORDS = 512,
	FAMILY_BYTES = 64, /* of a line: -A, the chain, then the family */
};

struct parser {
	struct slice rule_text; /* the line of the rule being read */
	struct fw_rules *rules;
	struct diag *dg;
	struct slice table; /* "filter" */
	unsigned family;
	unsigned line;
	struct slice raw;
	struct slice w[MAX_WORDS];
	size_t n, at;
	struct fw_match m;
	bool is_not;
	bool is_glued;   /* quotes within a word: split() cannot tell */
	bool has_target; /* -j or -g was read, and no -m after it */
	int err;
};

/* Split into words; quotes group, a backslash takes the next byte. */
static void split(struct parser *ps, struct slice s)
{
	size_t i = 0;

	ps->n = ps->at = 0;
	ps->is_glued = false;
	while (i < s.n && ps->n < MAX_WORDS) {
		size_t from;

		while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
			i++;
		if (i == s.n)
			break;
		from = i;
		if (s.p[i] == '"') {
			from = ++i;
			while (i < s.n && s.p[i] != '"')
				i += s.p[i] == '\\' && i + 1 < s.n ? 2 : 1;
			ps->w[ps->n++] = slice_sub(s, from, i - from);
			i++;
			ps->is_glued |=
				i < s.n && s.p[i] != ' ' && s.p[i] != '\t';
			continue;
		}
		while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
			ps->is_glued |= s.p[i++] == '"';
		ps->w[ps->n++] = slice_sub(s, from, i - from);
	}
	if (i < s.n)
		diag_add(ps->dg, DIAG_ERROR, s,
		         _("More than %d words in one line."), MAX_WORDS);
}

static bool is_inside(struct slice whole, struct slice part)
{
	return part.p && part.p >= whole.p &&
	       part.p + part.n <= whole.p + whole.n;
}

/* From a word to the end of its line; a word that was quoted may be a copy
 * elsewhere, and then stands for itself. */
static struct slice rest_of(const struct parser *ps, struct slice from)
{
	if (!is_inside(ps->rule_text, from))
		return from;
	return slice_sub(ps->rule_text, (size_t)(from.p - ps->rule_text.p),
	                 SIZE_MAX);
}

static struct slice word(struct parser *ps)
{
	const struct slice none = {NULL, 0};

	return ps->at < ps->n ? ps->w[ps->at++] : none;
}

static const char *dup(struct parser *ps, struct slice s)
{
	char *p = arena_dup(&ps->rules->arena, s);

	if (!p)
		ps->err = ENOMEM;
	return p ? p : "";
}

static const char *table_name(struct parser *ps)
{
	char *p;

	if (ps->family == FW_IP6)
		p = arena_fmt(&ps->rules->arena, "ip6 %.*s", (int)ps->table.n,
		              (const char *)ps->table.p);
	else
		p = arena_dup(&ps->rules->arena, ps->table);
	if (!p)
		ps->err = ENOMEM;
	return p ? p : "";
}

static const struct {
	const char *table;
	int priority, late; /* late: at POSTROUTING and INPUT */
} tables[] = {
	{"raw", -300, -300}, {"mangle", -150, -150}, {"nat", -100, 100},
	{"filter", 0, 0},    {"security", 50, 50},
};

static const struct {
	const char *chain;
	enum fw_hook hook;
} builtin[] = {
	{"PREROUTING", FW_HOOK_PREROUTING},   {"INPUT", FW_HOOK_INPUT},
	{"FORWARD", FW_HOOK_FORWARD},         {"OUTPUT", FW_HOOK_OUTPUT},
	{"POSTROUTING", FW_HOOK_POSTROUTING},
};

static void set_hook(struct parser *ps, struct fw_chain *c)
{
	for (size_t i = 0; i < ARRAY_LEN(builtin); i++) {
		if (strcmp(c->name, builtin[i].chain) == 0)
			c->hook = builtin[i].hook;
	}
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		const bool is_late = c->hook == FW_HOOK_POSTROUTING ||
		                     c->hook == FW_HOOK_INPUT;

		if (slice_eq_str(ps->table, tables[i].table))
			c->priority =
				is_late ? tables[i].late : tables[i].priority;
	}
	if (slice_eq_str(ps->table, "nat"))
		c->kind = FW_CHAIN_NAT;
}

static struct fw_chain *chain(struct parser *ps, struct slice name)
{
	const char *table = table_name(ps), *s = dup(ps, name);
	struct fw_chain *c = fw_chain_find(ps->rules, table, s);

	if (c || ps->err)
		return c;
	c = fw_chain_add(ps->rules, s);
	if (!c) {
		ps->err = ENOMEM;
		return NULL;
	}
	c->table = table;
	c->families = ps->family;
	c->line = ps->line;
	set_hook(ps, c);
	return c;
}

/* :FORWARD DROP [0:0] */
static void read_chain(struct parser *ps, struct slice line)
{
	struct fw_chain *c;
	struct slice policy;

	split(ps, slice_sub(line, 1, SIZE_MAX));
	c = chain(ps, word(ps));
	policy = word(ps);
	if (!c)
		return;
	c->raw = line;
	if (slice_eq_str(policy, "DROP"))
		c->policy = FW_DROP;
}

/* Calls fn for each part between commas. */
static bool each_part(struct slice s, bool (*fn)(void *arg, struct slice part),
                      void *arg)
{
	while (s.n) {
		const size_t cut = slice_find(s, slice_str(","));

		if (!fn(arg, slice_sub(s, 0, cut)))
			return false;
		if (cut == SIZE_MAX)
			break;
		s = slice_sub(s, cut + 1, SIZE_MAX);
	}
	return true;
}

static bool add_port(void *arg, struct slice s)
{
	size_t cut = slice_find(s, slice_str(":"));
	struct slice lo_text = slice_sub(s, 0, cut), hi_text = lo_text;
	uint16_t lo = 0, hi = FW_PORT_MAX;

	if (cut != SIZE_MAX)
		hi_text = slice_sub(s, cut + 1, SIZE_MAX);
	if ((lo_text.n && fw_port_parse(&lo, lo_text)) ||
	    (hi_text.n && fw_port_parse(&hi, hi_text)) || lo > hi)
		return false;
	fw_ivals_add(arg, lo, hi);
	return true;
}

static void opt_ports(struct parser *ps, bool is_dest)
{
	const struct slice s = word(ps);
	struct fw_ivals ports = {0};

	if (each_part(s, add_port, &ports)) {
		fw_ivals_normalise(&ports);
		fw_match_ports(&ps->m, is_dest, &ports, ps->is_not);
	} else {
		fw_match_doubt(&ps->m, ps->raw);
		diag_add(ps->dg, DIAG_WARN, s, _("Expected ports."));
	}
	ps->m.no_memory |= ports.no_memory;
	fw_ivals_fini(&ports);
}

static void opt_sport(struct parser *ps)
{
	opt_ports(ps, false);
}

static void opt_dport(struct parser *ps)
{
	opt_ports(ps, true);
}

static void opt_addr(struct parser *ps, bool is_dest)
{
	const struct slice s = word(ps);
	struct fw_addrs set = {.is_negated = ps->is_not};
	struct fw_ip lo, hi;
	struct fw_addr *a;

	if (fw_ip_parse(&lo, &hi, s) == 0)
		a = fw_addrs_add_range(&ps->rules->arena, &set, lo, hi);
	else
		a = fw_addrs_add_name(&ps->rules->arena, &set, FW_ADDR_UNKNOWN,
		                      dup(ps, s));
	ps->m.no_memory |= !a;
	fw_match_addrs(&ps->m, is_dest, set);
}

static void opt_src(struct parser *ps)
{
	opt_addr(ps, false);
}

static void opt_dst(struct parser *ps)
{
	opt_addr(ps, true);
}

static void opt_zone(struct parser *ps, bool is_out)
{
	struct slice s = word(ps);
	struct fw_zones set = {.is_negated = ps->is_not};
	char *name = arena_dup(&ps->rules->arena, s);

	if (!name || !fw_zones_add(&ps->rules->arena, &set, name)) {
		ps->err = ENOMEM;
		return;
	}
	if (s.n && name[s.n - 1] == '+')
		name[s.n - 1] = '*';
	fw_match_zones(&ps->m, is_out, set);
}

static void opt_in(struct parser *ps)
{
	opt_zone(ps, false);
}

static void opt_out(struct parser *ps)
{
	opt_zone(ps, true);
}

static void opt_proto(struct parser *ps)
{
	const struct slice s = word(ps);
	bool set[256] = {false};
	int proto;

	if (slice_eq_str(s, "all") || slice_eq_str(s, "0"))
		return;
	if (fw_proto_parse(&proto, s)) {
		fw_match_doubt(&ps->m, ps->raw);
		diag_add(ps->dg, DIAG_WARN, s, _("Expected a protocol."));
		return;
	}
	set[proto] = true;
	fw_match_protos(&ps->m, set, ps->is_not);
}

static bool add_state(void *arg, struct slice s)
{
	static const char *const names[] = {"NEW", "ESTABLISHED", "RELATED",
	                                    "INVALID", "UNTRACKED"};
	unsigned *bits = arg;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(s, names[i])) {
			*bits |= 1U << i;
			return true;
		}
	}
	return false;
}

static void opt_state(struct parser *ps)
{
	unsigned bits = 0;

	if (each_part(word(ps), add_state, &bits))
		fw_match_states(&ps->m, bits, ps->is_not);
	else
		fw_match_doubt(&ps->m, ps->raw);
}

static void opt_comment(struct parser *ps)
{
	ps->m.rule.name = dup(ps, word(ps));
}

static void opt_module(struct parser *ps)
{
	/* These ask nothing by themselves; others may ("socket"). */
	static const char *const plain[] = {
		"tcp",  "udp",   "udplite",   "sctp",    "dccp",
		"icmp", "icmp6", "conntrack", "state",   "multiport",
		"mark", "set",   "iprange",   "comment", "addrtype"};
	const struct slice s = word(ps);
	bool is_plain = false;

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		is_plain |= slice_eq_str(s, plain[i]);
	ps->has_target = false;
	if (!is_plain)
		fw_match_doubt(&ps->m, rest_of(ps, s));
}

static void opt_fragment(struct parser *ps)
{
	fw_match_doubt(&ps->m, ps->raw);
}

static void opt_ip4(struct parser *ps)
{
	fw_match_families(&ps->m, FW_IP4);
}

static void opt_ip6(struct parser *ps)
{
	fw_match_families(&ps->m, FW_IP6);
}

static void opt_helper(struct parser *ps)
{
	const struct slice s = word(ps);

	ps->m.rule.attrs.helper = dup(ps, s);
	ps->m.rule.attrs.alg = slice_eq_str(s, "sip") ? FW_ON : FW_OFF;
}

static void opt_timeout(struct parser *ps)
{
	/* The values are in a table of the kernel's, not in this text. */
	(void)word(ps);
	ps->m.rule.attrs.udp_idle_s = FW_IDLE_UNKNOWN;
	ps->m.rule.attrs.tcp_idle_s = FW_IDLE_UNKNOWN;
}

static void opt_notrack(struct parser *ps)
{
	ps->m.rule.is_notrack = true;
}

/* An answer that is looked up in another zone is new. */
static void opt_ct_zone(struct parser *ps)
{
	fw_match_doubt(&ps->m, ps->raw);
	ps->m.rule.is_notrack = true;
	(void)word(ps);
}

static void opt_to(struct parser *ps)
{
	ps->m.rule.nat.to = dup(ps, word(ps));
}

static void opt_goto(struct parser *ps)
{
	ps->has_target = true;
	ps->m.rule.action = FW_GOTO;
	ps->m.rule.target = dup(ps, word(ps));
}

static const struct {
	const char *name;
	enum fw_action action;
	enum fw_nat_kind nat;
	bool is_notrack, is_template, is_offload;
} targets[] = {
	{.name = "ACCEPT", .action = FW_ACCEPT},
	{.name = "DROP", .action = FW_DROP},
	{.name = "REJECT", .action = FW_REJECT},
	{.name = "RETURN", .action = FW_RETURN},
	{.name = "MASQUERADE", .action = FW_ACCEPT, .nat = FW_NAT_SOURCE},
	{.name = "SNAT", .action = FW_ACCEPT, .nat = FW_NAT_SOURCE},
	{.name = "DNAT", .action = FW_ACCEPT, .nat = FW_NAT_DEST},
	{.name = "REDIRECT", .action = FW_ACCEPT, .nat = FW_NAT_REDIRECT},
	{.name = "TPROXY", .action = FW_ACCEPT, .nat = FW_NAT_REDIRECT},
	{.name = "NOTRACK", .is_notrack = true, .is_template = true},
	{.name = "FLOWOFFLOAD", .is_offload = true},
	{.name = "CT", .is_template = true},
	{.name = "LOG"},
	{.name = "NFLOG"},
	{.name = "ULOG"},
	{.name = "MARK"},
	{.name = "CONNMARK"},
	{.name = "DSCP"},
	{.name = "TOS"},
	{.name = "TTL"},
	{.name = "TCPMSS"},
	{.name = "CLASSIFY"},
	{.name = "SET"},
	{.name = "TRACE"},
	{.name = "CHECKSUM"},
	{.name = "SECMARK"},
	{.name = "AUDIT"},
	{.name = "HL"},
	{.name = "LED"},
	{.name = "CONNSECMARK"},
};

static void opt_jump(struct parser *ps)
{
	const struct slice s = word(ps);

	ps->has_target = true;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		if (!slice_eq_str(s, targets[i].name))
			continue;
		ps->m.rule.action = targets[i].action;
		ps->m.rule.nat.kind = targets[i].nat;
		ps->m.rule.is_notrack |= targets[i].is_notrack;
		ps->m.rule.is_template = targets[i].is_template;
		if (targets[i].is_offload)
			ps->m.rule.attrs.offload = FW_ON;
		return;
	}
	ps->m.rule.action = FW_JUMP;
	ps->m.rule.target = dup(ps, s);
}

static const struct {
	const char *name;
	void (*take)(struct parser *ps);
} options[] = {
	{"-s", opt_src},
	{"-d", opt_dst},
	{"-i", opt_in},
	{"-o", opt_out},
	{"-p", opt_proto},
	{"-f", opt_fragment},
	{"-4", opt_ip4},
	{"--ipv4", opt_ip4},
	{"-6", opt_ip6},
	{"--ipv6", opt_ip6},
	{"-m", opt_module},
	{"-j", opt_jump},
	{"-g", opt_goto},
	{"--sport", opt_sport},
	{"--sports", opt_sport},
	{"--dport", opt_dport},
	{"--dports", opt_dport},
	{"--src-range", opt_src},
	{"--dst-range", opt_dst},
	{"--ctstate", opt_state},
	{"--state", opt_state},
	{"--comment", opt_comment},
	{"--helper", opt_helper},
	{"--timeout", opt_timeout},
	{"--notrack", opt_notrack},
	{"--zone", opt_ct_zone},
	{"--zone-orig", opt_ct_zone},
	{"--zone-reply", opt_ct_zone},
	{"--to-destination", opt_to},
	{"--to-source", opt_to},
	{"--to-ports", opt_to},
};

static void take_option(struct parser *ps)
{
	const size_t at = ps->at;
	struct slice s = word(ps);

	if (slice_eq_str(s, "!")) {
		ps->is_not = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (!slice_eq_str(s, options[i].name))
			continue;
		/* -m helper --helper sip is a match, not an order. */
		if (options[i].take == opt_helper && !ps->has_target)
			break;
		options[i].take(ps);
		ps->is_not = false;
		return;
	}
	ps->at = at;
	/* What follows a target is its own affair. */
	if (!ps->has_target)
		fw_match_doubt(&ps->m, rest_of(ps, s));
	ps->at = at + 1;
	ps->is_not = false;
}

static void append(struct parser *ps, struct fw_chain *c)
{
	struct fw_match copy;
	int err = fw_match_copy(&copy, &ps->m);

	copy.rule.line = ps->line;
	copy.rule.raw = ps->raw;
	copy.rule.id =
		arena_fmt(&ps->rules->arena, "%s#%zu", c->name, c->n_rules + 1);
	if (!copy.rule.id)
		copy.rule.id = "";
	if (err || !fw_match_done(&copy, ps->rules, c))
		ps->err = ENOMEM;
	fw_match_fini(&copy);
}

/* -A FORWARD ... */
static void read_rule(struct parser *ps, struct slice line)
{
	struct fw_chain *c;

	ps->rule_text = line;
	split(ps, line);
	(void)word(ps);
	/* Counters in front: [10:840] -A ... */
	if (ps->w[0].n && ps->w[0].p[0] == '[')
		(void)word(ps);
	c = chain(ps, word(ps));
	if (!c)
		return;
	fw_match_init(&ps->m, &ps->rules->arena);
	ps->m.rule.families = ps->family;
	ps->raw = line;
	ps->is_not = ps->has_target = false;
	if (ps->n == MAX_WORDS || ps->is_glued)
		fw_match_close(&ps->m, line);
	while (ps->at < ps->n && !ps->err)
		take_option(ps);
	append(ps, c);
	fw_match_fini(&ps->m);
}

/* A target that is neither known nor a chain: it may do anything. */
static int check_targets(struct fw_rules *rules, struct diag *dg)
{
	for (struct fw_chain *c = rules->chains; c; c = c->next) {
		for (struct fw_rule *r = c->first; r; r = r->next) {
			if (!r->target ||
			    fw_chain_find(rules, c->table, r->target))
				continue;
			diag_add(dg, DIAG_WARN, r->raw,
			         _("Target \"%s\" is not known: its effect is "
			           "not known either."),
			         r->target);
			if (fw_linux_unsure(rules, r))
				return ENOMEM;
			r = r->next;
		}
	}
	return 0;
}

static const char by_ip4[] = "# Generated by iptables-save";
static const char by_ip6[] = "# Generated by ip6tables-save";

static void read_line(struct parser *ps, struct slice line)
{
	const struct slice s = slice_trim(line);

	if (s.n == 0 || slice_eq_str(s, "COMMIT"))
		return;
	if (s.p[0] == '#') {
		/* Other comments may speak of these programs as well. */
		if (slice_find(s, slice_str(by_ip6)) != SIZE_MAX)
			ps->family = FW_IP6;
		else if (slice_find(s, slice_str(by_ip4)) != SIZE_MAX)
			ps->family = FW_IP4;
		return;
	}
	if (s.p[0] == '*') {
		ps->table = slice_sub(s, 1, SIZE_MAX);
		ps->rules->families |= ps->family;
	} else if (ps->table.n && s.p[0] == ':') {
		read_chain(ps, s);
	} else if (ps->table.n &&
	           (slice_eq_str(slice_sub(s, 0, 3), "-A ") ||
	            (s.p[0] == '[' &&
	             slice_find(s, slice_str("] -A ")) != SIZE_MAX))) {
		read_rule(ps, s);
	} else {
		diag_add(ps->dg, DIAG_ERROR, s,
		         _("Expected \"*table\", \":CHAIN\", \"-A\" or "
		           "\"COMMIT\"."));
		if (!fw_kept_add(ps->rules, ps->line, s))
			ps->err = ENOMEM;
	}
}

/* Only a text for both programs gives lines to one of them. */
static bool is_for_both(struct slice text)
{
	static const char *const words[] = {" -4 ", " -6 ", " --ipv4 ",
	                                    " --ipv6 "};
	struct rd r = rd_init(text);
	struct slice line;

	while (rd_line(&r, &line)) {
		const struct slice head = slice_sub(line, 0, FAMILY_BYTES);

		if (!slice_eq_str(slice_sub(line, 0, 3), "-A "))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			if (slice_find(head, slice_str(words[i])) != SIZE_MAX)
				return true;
		}
	}
	return false;
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	struct parser ps = {.rules = out, .dg = dg, .family = FW_IP4};
	struct rd r = rd_init(text);
	struct slice line;

	out->dialect = "iptables";
	out->text = text;
	out->families = 0;
	if (is_for_both(text))
		ps.family = FW_IP4 | FW_IP6;
	while (!ps.err && rd_line(&r, &line)) {
		ps.line++;
		read_line(&ps, line);
	}
	if (out->families == 0)
		out->families = ps.family;
	if (!ps.err)
		ps.err = check_targets(out, dg);
	if (!ps.err)
		ps.err = fw_linux_defaults(out);
	if (ps.err)
		return ps.err;
	return dg->n_errors ? EBADMSG : 0;
}

static int recognise(struct slice text)
{
	struct rd r = rd_init(slice_sub(text, 0, 1 << 16));
	bool has_table = false;
	struct slice line;

	while (rd_line(&r, &line)) {
		has_table |= slice_eq_str(line, "*filter") ||
		             slice_eq_str(line, "*nat") ||
		             slice_eq_str(line, "*raw") ||
		             slice_eq_str(line, "*mangle");
		if (has_table && line.n && line.p[0] == ':')
			return 100;
	}
	return 0;
}

unsigned fw_linux_ipt_families(struct slice text)
{
	const bool has4 = slice_find(text, slice_str(by_ip4)) != SIZE_MAX;
	const bool has6 = slice_find(text, slice_str(by_ip6)) != SIZE_MAX;

	if (!recognise(text))
		return 0;
	if (is_for_both(text) || (has4 && has6))
		return FW_IP4 | FW_IP6;
	return has6 ? FW_IP6 : FW_IP4;
}

const struct fw_dialect fw_dialect_iptables = {
	.name = "iptables",
	.title = "iptables-save",
	.file_ext = ".rules",
	.drops_rest = true,
	.caps = FW_CAP_IP6 | FW_CAP_NEGATION | FW_CAP_ZONES | FW_CAP_SPORT |
                FW_CAP_STATES | FW_CAP_CHAINS | FW_CAP_REJECT | FW_CAP_NAT |
                FW_CAP_ALG | FW_CAP_COMMENT,
	.recognise = recognise,
	.parse = parse,
	.emit = fw_ipt_emit,
	.patch = fw_ipt_patch,
};
