/* SPDX-License-Identifier: ISC */
/*
 * Design: a rule is an array of tokens read left to right. Known matches
 * narrow it; a word that is not known closes it: nothing after narrows, but
 * statements and the verdict are still looked for. Verdict maps and
 * concatenations are no products, so they become one rule per element, all
 * with the same line.
 */
#include "firewall/nft_rule.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/vendor.h"

enum field_kind {
	F_ZONE,
	F_ADDR,
	F_PROTO,
	F_NFPROTO,
	F_PORT,
	F_STATE,
};

struct field {
	enum field_kind kind;
	bool is_dest;      /* destination, or the way out */
	unsigned families; /* F_ADDR */
	int proto;         /* F_PORT: -1 for "th" */
};

enum {
	MAX_FIELDS = 6,
	MAX_ELEMENTS = 4096,
};

/* Values after a field: words between commas, each perhaps a
 * concatenation with options behind. */
struct values {
	const struct nft_token *t;
	size_t n;
	bool is_negated, is_map, is_unknown;
	const char *compare; /**< "<" and such, of one value; or NULL */
};

struct reader {
	struct nft_parser *p;
	struct fw_chain *chain;
	const struct nft_token *t;
	size_t n, at;
	struct fw_match m;
	struct field fields[MAX_FIELDS]; /* of what must be expanded */
	size_t n_fields;
	struct values expand;
	bool has_expand;
	bool is_queue, is_untracked;
	const char *comment;
};

static const struct nft_token none = {.kind = NFT_END};

static const struct nft_token *look(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->n ? &r->t[r->at + ahead] : &none;
}

static bool eat(struct reader *r, const char *word)
{
	if (!nft_is(look(r, 0), word))
		return false;
	r->at++;
	return true;
}

static struct slice between(const struct nft_token *a,
                            const struct nft_token *b)
{
	return (struct slice){a->s.p, (size_t)(b->s.p - a->s.p) + b->s.n};
}

static void close_at(struct reader *r, size_t from)
{
	fw_match_close(&r->m, between(&r->t[from], &r->t[r->n - 1]));
}

static const struct {
	const char *a, *b;
	struct field f;
} known[] = {
	{"iifname", NULL, {.kind = F_ZONE}},
	{"iif", NULL, {.kind = F_ZONE}},
	{"oifname", NULL, {.kind = F_ZONE, .is_dest = true}},
	{"oif", NULL, {.kind = F_ZONE, .is_dest = true}},
	{"ip", "saddr", {.kind = F_ADDR, .families = FW_IP4}},
	{"ip", "daddr", {.kind = F_ADDR, .is_dest = true, .families = FW_IP4}},
	{"ip6", "saddr", {.kind = F_ADDR, .families = FW_IP6}},
	{"ip6", "daddr", {.kind = F_ADDR, .is_dest = true, .families = FW_IP6}},
	{"ip", "protocol", {.kind = F_PROTO, .families = FW_IP4}},
	{"meta", "l4proto", {.kind = F_PROTO}},
	{"meta", "nfproto", {.kind = F_NFPROTO}},
	{"meta", "iifname", {.kind = F_ZONE}},
	{"meta", "oifname", {.kind = F_ZONE, .is_dest = true}},
	{"tcp", "sport", {.kind = F_PORT, .proto = 6}},
	{"tcp", "dport", {.kind = F_PORT, .is_dest = true, .proto = 6}},
	{"udp", "sport", {.kind = F_PORT, .proto = 17}},
	{"udp", "dport", {.kind = F_PORT, .is_dest = true, .proto = 17}},
	{"sctp", "sport", {.kind = F_PORT, .proto = 132}},
	{"sctp", "dport", {.kind = F_PORT, .is_dest = true, .proto = 132}},
	{"th", "sport", {.kind = F_PORT, .proto = -1}},
	{"th", "dport", {.kind = F_PORT, .is_dest = true, .proto = -1}},
	{"ct", "state", {.kind = F_STATE}},
};

static bool take_field(struct reader *r, struct field *f)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!nft_is(look(r, 0), known[i].a))
			continue;
		if (known[i].b && !nft_is(look(r, 1), known[i].b))
			continue;
		r->at += known[i].b ? 2 : 1;
		*f = known[i].f;
		return true;
	}
	return false;
}

void nft_set_key(struct wr *w, const char *table, struct slice name)
{
	wr_str(w, table);
	wr_str(w, " ");
	wr_put(w, name);
}

static const struct nft_set *find_set(struct nft_parser *p, struct slice name)
{
	struct wr key = wr_init_heap();
	const struct nft_set *s;

	nft_set_key(&key, p->table, name);
	s = fw_dict_get(&p->sets, NULL, wr_slice(&key));
	p->sets.no_memory |= key.bad;
	wr_fini(&key);
	return s;
}

static void take_named(struct reader *r, struct values *v)
{
	const struct nft_token *t = look(r, 0);
	const struct nft_set *s = find_set(r->p, slice_sub(t->s, 1, SIZE_MAX));

	r->at++;
	if (!s || s->is_volatile) {
		v->is_unknown = true;
		return;
	}
	v->t = s->elements;
	v->n = s->n_elements;
}

/* @return false: not a list of values */
static bool take_values(struct reader *r, struct values *v)
{
	static const char *const compares[] = {"<=", ">=", "<", ">"};
	const struct nft_token *t;
	size_t from;

	*v = (struct values){0};
	for (size_t i = 0; i < ARRAY_LEN(compares) && !v->compare; i++) {
		if (eat(r, compares[i]))
			v->compare = compares[i];
	}
	/* Only apply() knows what to do with that. */
	v->is_unknown = v->compare != NULL;
	if (eat(r, "!="))
		v->is_negated = true;
	else if (!eat(r, "=="))
		v->is_map = eat(r, "vmap");
	t = look(r, 0);
	if (t->kind == NFT_WORD && t->s.n > 1 && t->s.p[0] == '@') {
		take_named(r, v);
		return true;
	}
	from = r->at;
	if (eat(r, "{")) {
		while (r->at < r->n && !nft_is(look(r, 0), "}"))
			r->at++;
		v->t = &r->t[from + 1];
		v->n = r->at - from - 1;
		return eat(r, "}");
	}
	if (t->kind != NFT_WORD && t->kind != NFT_STRING)
		return false;
	/* "established,related" */
	for (r->at++; nft_is(look(r, 0), ",") && r->at + 1 < r->n;)
		r->at += 2;
	v->t = t;
	v->n = r->at - from;
	return true;
}

/* The next element of a list: tokens up to a comma. */
static bool next_element(struct values *v, const struct nft_token **t,
                         size_t *n)
{
	size_t i = 0;

	while (v->n > 0 && (nft_is(v->t, ",") || v->t->kind == NFT_EOL)) {
		v->t++;
		v->n--;
	}
	if (v->n == 0)
		return false;
	while (i < v->n && !nft_is(&v->t[i], ","))
		i++;
	*t = v->t;
	*n = i;
	v->t += i;
	v->n -= i;
	return true;
}

static bool add_addr(struct fw_match *m, struct fw_addrs *set, struct slice s)
{
	struct fw_ip lo, hi;
	struct fw_addr *a;
	char *name;

	if (fw_ip_parse(&lo, &hi, s) == 0) {
		a = fw_addrs_add_range(m->arena, set, lo, hi);
	} else {
		name = arena_dup(m->arena, s);
		a = name ? fw_addrs_add_name(m->arena, set, FW_ADDR_UNKNOWN,
		                             name)
		         : NULL;
	}
	return a;
}

static bool add_zone(struct fw_match *m, struct fw_zones *set,
                     const struct nft_token *t)
{
	const char *name = arena_dup(m->arena, t->s);
	struct fw_zone *z = name ? fw_zones_add(m->arena, set, name) : NULL;

	if (!z)
		return false;
	/* An index, or a variable of a script. */
	z->is_unknown =
		t->kind == NFT_WORD && t->s.n &&
		((t->s.p[0] >= '0' && t->s.p[0] <= '9') || t->s.p[0] == '$');
	return true;
}

static bool add_port(struct fw_ivals *out, struct slice s)
{
	const size_t cut = slice_find(s, slice_str("-"));
	uint16_t lo, hi;

	if (fw_port_parse(&lo, s) == 0) {
		fw_ivals_add(out, lo, lo);
		return true;
	}
	if (cut == SIZE_MAX || fw_port_parse(&lo, slice_sub(s, 0, cut)) ||
	    fw_port_parse(&hi, slice_sub(s, cut + 1, SIZE_MAX)) || lo > hi)
		return false;
	fw_ivals_add(out, lo, hi);
	return true;
}

/* Ports below or above one; @return false: none, or not understood */
static bool add_compared(struct fw_ivals *out, const char *compare,
                         struct slice s)
{
	const bool is_less = compare[0] == '<';
	uint16_t at;

	if (fw_port_parse(&at, s))
		return false;
	if (compare[1] != '=') {
		if (at == (is_less ? 0 : FW_PORT_MAX))
			return false;
		at = (uint16_t)(is_less ? at - 1 : at + 1);
	}
	fw_ivals_add(out, is_less ? 0 : at, is_less ? at : FW_PORT_MAX);
	return true;
}

static bool state_bit(unsigned *bits, struct slice s)
{
	static const char *const names[] = {"new", "established", "related",
	                                    "invalid", "untracked"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(s, names[i])) {
			*bits |= 1U << i;
			return true;
		}
	}
	return false;
}

static bool add_protos(bool set[256], struct slice s)
{
	const size_t cut = slice_find(s, slice_str("-"));
	uint64_t lo, hi;
	int proto;

	if (fw_proto_parse(&proto, s) == 0) {
		set[proto] = true;
		return true;
	}
	if (cut == SIZE_MAX || text_u64(&lo, slice_sub(s, 0, cut), 255) ||
	    text_u64(&hi, slice_sub(s, cut + 1, SIZE_MAX), 255))
		return false;
	for (uint64_t i = lo; i <= hi; i++)
		set[i] = true;
	return true;
}

/* The union of all values of one field, before it narrows a rule. */
struct gathered {
	struct fw_addrs addrs;
	struct fw_zones zones;
	struct fw_ivals ports;
	bool protos[256];
	unsigned states, families;
};

/* @return false when the value is not understood */
static bool gather(struct fw_match *m, struct gathered *g,
                   const struct field *f, const struct nft_token *t)
{
	switch (f->kind) {
	case F_ZONE:
		/* all that the other elements leave */
		if (t->kind == NFT_WORD && slice_eq_str(t->s, "*"))
			return false;
		m->no_memory |= !add_zone(m, &g->zones, t);
		return true;
	case F_ADDR:
		/* An address of IPv4 in one of IPv6 is on no wire. */
		if (f->families == FW_IP6 && fw_has_prefix(t->s, "::ffff:") &&
		    slice_find(t->s, slice_str(".")) != SIZE_MAX)
			return true;
		m->no_memory |= !add_addr(m, &g->addrs, t->s);
		return true;
	case F_PROTO:
		return add_protos(g->protos, t->s);
	case F_NFPROTO:
		g->families |= slice_eq_str(t->s, "ipv4") ? FW_IP4 : 0U;
		g->families |= slice_eq_str(t->s, "ipv6") ? FW_IP6 : 0U;
		return g->families;
	case F_PORT:
		return add_port(&g->ports, t->s);
	case F_STATE:
		return state_bit(&g->states, t->s);
	}
	return false;
}

static void narrow(struct fw_match *m, struct gathered *g,
                   const struct field *f, bool is_negated)
{
	switch (f->kind) {
	case F_ZONE:
		g->zones.is_negated = is_negated;
		fw_match_zones(m, f->is_dest, g->zones);
		break;
	case F_ADDR:
		g->addrs.is_negated = is_negated;
		fw_match_families(m, f->families);
		fw_match_addrs(m, f->is_dest, g->addrs);
		break;
	case F_PROTO:
		if (f->families)
			fw_match_families(m, f->families);
		fw_match_protos(m, g->protos, is_negated);
		break;
	case F_NFPROTO:
		fw_match_families(m, is_negated ? ~g->families : g->families);
		break;
	case F_PORT:
		if (f->proto >= 0)
			fw_match_proto(m, f->proto);
		fw_ivals_normalise(&g->ports);
		fw_match_ports(m, f->is_dest, &g->ports, is_negated);
		break;
	case F_STATE:
		fw_match_states(m, g->states, is_negated);
		break;
	}
}

/* The set has members we do not know: the field is there, its value not. */
static void narrow_unknown(struct fw_match *m, const struct field *f,
                           struct slice why)
{
	if (f->kind == F_ADDR)
		fw_match_families(m, f->families);
	if (f->kind == F_PORT && f->proto >= 0)
		fw_match_proto(m, f->proto);
	fw_match_doubt(m, why);
}

static void apply(struct reader *r, const struct field *f, struct values v,
                  size_t from)
{
	const struct slice why = between(&r->t[from], &r->t[r->at - 1]);
	struct gathered g = {0};
	const struct nft_token *t;
	size_t n;
	bool is_known = !v.is_unknown;

	if (v.compare && f->kind == F_PORT && v.n == 1)
		is_known = add_compared(&g.ports, v.compare, v.t->s);
	while (!v.compare && is_known && next_element(&v, &t, &n))
		is_known = gather(&r->m, &g, f, t);
	if (is_known)
		narrow(&r->m, &g, f, v.is_negated);
	else
		narrow_unknown(&r->m, f, why);
	r->m.no_memory |= g.ports.no_memory;
	fw_ivals_fini(&g.ports);
}

/* "a", or "a . b", and its values. */
static void take_match(struct reader *r, const struct field *first, size_t from)
{
	struct field f[MAX_FIELDS] = {*first};
	struct values v;
	size_t n = 1;

	while (nft_is(look(r, 0), ".") && n < MAX_FIELDS) {
		r->at++;
		if (!take_field(r, &f[n++])) {
			close_at(r, from);
			return;
		}
	}
	if (!take_values(r, &v)) {
		close_at(r, from);
		return;
	}
	if (n == 1 && !v.is_map) {
		apply(r, f, v, from);
		return;
	}
	if (v.is_unknown || v.is_negated || r->has_expand) {
		for (size_t i = 0; i < n; i++)
			narrow_unknown(&r->m, &f[i],
			               between(&r->t[from], &r->t[r->at - 1]));
		/* A verdict map may do anything then. */
		r->is_queue |= v.is_map;
		return;
	}
	memcpy(r->fields, f, sizeof(f));
	r->n_fields = n;
	r->expand = v;
	r->has_expand = true;
}

static const struct {
	const char *word;
	enum fw_action action;
} verdicts[] = {
	{"accept", FW_ACCEPT}, {"drop", FW_DROP},         {"reject", FW_REJECT},
	{"return", FW_RETURN}, {"continue", FW_CONTINUE}, {"jump", FW_JUMP},
	{"goto", FW_GOTO},
};

/* @return how many tokens a verdict takes, 0 for none */
static size_t read_verdict(struct fw_match *m, const struct nft_token *t,
                           size_t n)
{
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(verdicts); i++) {
		if (!nft_is(t, verdicts[i].word))
			continue;
		m->rule.action = verdicts[i].action;
		if (verdicts[i].action != FW_JUMP &&
		    verdicts[i].action != FW_GOTO)
			return 1;
		if (n < 2)
			return 0;
		m->rule.target = arena_dup(m->arena, t[1].s);
		m->no_memory |= !m->rule.target;
		return 2;
	}
	return 0;
}

/* "ct status dnat" asks; it orders nothing. */
static bool is_value(const struct reader *r)
{
	return r->at > 0 &&
	       nft_is_one_of(&r->t[r->at - 1], "status { , == != & |");
}

static bool take_nat(struct reader *r)
{
	const size_t n =
		is_value(r) ? 0
			    : nft_nat_read(&r->m, &r->t[r->at], r->n - r->at);

	r->at += n;
	return n;
}

/* ct helper set "x", ct timeout set "x" */
static bool take_object(struct reader *r)
{
	const bool is_helper = nft_is(look(r, 1), "helper");
	const struct fw_object *o;
	struct fw_attrs *at = &r->m.rule.attrs;
	char *name;

	if (!nft_is(look(r, 0), "ct") || !nft_is(look(r, 2), "set") ||
	    (!is_helper && !nft_is(look(r, 1), "timeout")))
		return false;
	name = arena_dup(r->m.arena, look(r, 3)->s);
	r->m.no_memory |= !name;
	r->at += r->at + 4 <= r->n ? 4 : r->n - r->at;
	o = name ? fw_object_find(r->p->rules,
	                          is_helper ? FW_OBJECT_HELPER
	                                    : FW_OBJECT_TIMEOUT,
	                          r->p->table, name)
	         : NULL;
	if (!o) {
		at->alg = is_helper ? FW_UNKNOWN : at->alg;
		at->helper = is_helper ? name : at->helper;
		at->udp_idle_s = is_helper ? at->udp_idle_s : FW_IDLE_UNKNOWN;
		at->tcp_idle_s = is_helper ? at->tcp_idle_s : FW_IDLE_UNKNOWN;
		return true;
	}
	/* The kernel skips packets of another protocol. */
	if (o->services.first && !r->m.is_closed)
		fw_match_proto(&r->m, o->services.first->proto);
	if (is_helper) {
		fw_match_families(&r->m, o->families);
		at->alg = o->attrs.alg;
		at->helper = o->attrs.helper;
	} else {
		at->udp_idle_s = o->attrs.udp_idle_s;
		at->tcp_idle_s = o->attrs.tcp_idle_s;
	}
	return true;
}

/* "counter packets 0 bytes 0" and such: things with no say in a match */
static bool take_harmless(struct reader *r)
{
	if (eat(r, "counter")) {
		if (eat(r, "name"))
			r->at++;
		while (nft_is(look(r, 0), "packets") ||
		       nft_is(look(r, 0), "bytes"))
			r->at += 2;
		return true;
	}
	if (eat(r, "log")) {
		static const char *const words[] = {
			"prefix", "level",   "flags",
			"group",  "snaplen", "queue-threshold"};
		bool is_word = true;

		while (is_word) {
			is_word = false;
			for (size_t i = 0; i < ARRAY_LEN(words); i++) {
				if (!eat(r, words[i]))
					continue;
				is_word = true;
				/* "flags tcp sequence,options" */
				r->at += nft_is_one_of(look(r, 0), "tcp ip");
				r->at++;
				while (eat(r, ","))
					r->at++;
			}
		}
		return true;
	}
	if (nft_is(look(r, 0), "comment")) {
		r->comment = arena_dup(r->m.arena, look(r, 1)->s);
		r->at += 2;
		return true;
	}
	return false;
}

/* nft leaves a match out of its listing that the kind of refusal implies. */
static void take_with(struct reader *r)
{
	if (nft_is(look(r, 0), "icmp"))
		fw_match_families(&r->m, FW_IP4);
	else if (nft_is(look(r, 0), "icmpv6"))
		fw_match_families(&r->m, FW_IP6);
	else if (nft_is(look(r, 0), "tcp"))
		fw_match_proto(&r->m, FW_PROTO_TCP);
	r->at = r->n;
}

static bool take_verdict(struct reader *r)
{
	size_t n;

	/* A chain in the rule itself, or a statement that takes packets. */
	if ((nft_is(look(r, 1), "{") &&
	     (nft_is(look(r, 0), "jump") || nft_is(look(r, 0), "goto"))) ||
	    nft_is(look(r, 0), "synproxy")) {
		r->is_queue = true;
		r->at = r->n;
		return true;
	}
	n = read_verdict(&r->m, look(r, 0), r->n - r->at);
	r->at += n;
	if (n && r->m.rule.action == FW_REJECT && eat(r, "with"))
		take_with(r);
	return n;
}

static bool take_xt(struct reader *r)
{
	struct nft_xt xt = {false, false};
	const size_t n = nft_xt_read(&xt, &r->m, look(r, 0), r->n - r->at);

	r->at += n;
	r->is_queue |= xt.is_any;
	r->is_untracked |= xt.is_untracked;
	return n;
}

static bool take_statement(struct reader *r)
{
	size_t n;

	if (nft_is(look(r, 0), "flow") && nft_is(look(r, 1), "add")) {
		r->m.rule.attrs.offload = FW_ON;
		r->at += 3;
		return true;
	}
	if (eat(r, "notrack")) {
		r->m.rule.is_notrack = true;
		return true;
	}
	if (eat(r, "queue") || eat(r, "?")) {
		r->is_queue = true;
		return true;
	}
	n = nft_set_read(&r->m, look(r, 0), r->n - r->at);
	r->at += n;
	if (n)
		return true;
	return take_object(r) || take_nat(r) || take_harmless(r) ||
	       take_xt(r) || take_verdict(r);
}

static void take_unknown(struct reader *r)
{
	static const struct {
		const char *word;
		int proto;
	} carriers[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}};

	for (size_t i = 0; i < ARRAY_LEN(carriers); i++) {
		if (nft_is(look(r, 0), carriers[i].word))
			fw_match_proto(&r->m, carriers[i].proto);
	}
	r->m.rule.is_of_dnat |=
		nft_is(look(r, 0), "ct") && nft_is(look(r, 1), "status") &&
		nft_is(look(r, 2), "dnat") && !nft_is(look(r, 3), ",");
	close_at(r, r->at);
	r->at++;
}

static struct fw_rule *append(struct reader *r, struct fw_match *m,
                              struct slice raw)
{
	m->rule.raw = raw;
	m->rule.line = r->t[0].line;
	m->rule.name = r->comment;
	m->rule.id = arena_fmt(m->arena, "%s#%zu", r->chain->name,
	                       r->chain->n_rules);
	if (!m->rule.id)
		return NULL;
	return fw_match_done(m, r->p->rules, r->chain);
}

static int append_element(struct reader *r, const struct nft_token *t, size_t n,
                          struct slice raw)
{
	struct fw_match m;
	size_t at = 0;
	bool is_known = true;
	int err = fw_match_copy(&m, &r->m);

	for (size_t i = 0; t && i < r->n_fields && !err; i++) {
		struct gathered g = {0};

		if (i > 0 && at < n && nft_is(&t[at], "."))
			at++;
		if (at < n)
			is_known = gather(&m, &g, &r->fields[i], &t[at++]);
		if (is_known)
			narrow(&m, &g, &r->fields[i], false);
		else
			fw_match_doubt(&m, t[0].s);
		m.no_memory |= g.ports.no_memory;
		fw_ivals_fini(&g.ports);
	}
	while (at < n && !nft_is(&t[at], ":"))
		at++;
	if (t && r->expand.is_map && at < n)
		(void)read_verdict(&m, &t[at + 1], n - at - 1);
	if (!err && !append(r, &m, raw))
		err = ENOMEM;
	fw_match_fini(&m);
	return err;
}

static size_t count_elements(struct values v)
{
	const struct nft_token *t;
	size_t n, n_elements = 0;

	while (next_element(&v, &t, &n))
		n_elements++;
	return n_elements;
}

/* Something else decides: either may come of it, or nothing. */
static int append_doubt(struct reader *r, struct slice raw)
{
	int err;

	fw_match_doubt(&r->m, raw);
	r->m.rule.action = FW_DROP;
	err = append_element(r, NULL, 0, raw);
	r->m.rule.action = FW_ACCEPT;
	return err ? err : append_element(r, NULL, 0, raw);
}

static int append_all(struct reader *r, struct slice raw)
{
	const struct nft_token *t;
	size_t n;
	int err = 0;

	if (r->m.no_memory)
		return ENOMEM;
	if (r->has_expand && count_elements(r->expand) > MAX_ELEMENTS) {
		diag_add(r->p->dg, DIAG_WARN, raw,
		         _("More than %d elements in one rule: its effect is "
		           "not known."),
		         MAX_ELEMENTS);
		r->is_queue = true;
	}
	if (r->is_queue)
		return append_doubt(r, raw);
	if (r->is_untracked) {
		fw_match_doubt(&r->m, raw);
		err = append(r, &r->m, raw) ? 0 : ENOMEM;
		r->m.rule.is_notrack = true;
	}
	if (!r->has_expand)
		return !err && append(r, &r->m, raw) ? 0 : ENOMEM;
	while (!err && next_element(&r->expand, &t, &n))
		err = append_element(r, t, n, raw);
	return err;
}

int nft_rule_parse(struct nft_parser *p, struct fw_chain *c,
                   const struct nft_token *t, size_t n, struct slice raw)
{
	struct reader r = {.p = p, .chain = c, .t = t, .n = n};
	struct field f;
	int err;

	fw_match_init(&r.m, &p->rules->arena);
	fw_match_families(&r.m, p->families);
	while (r.at < r.n) {
		const size_t from = r.at;

		if (take_statement(&r))
			continue;
		if (take_field(&r, &f))
			take_match(&r, &f, from);
		else
			take_unknown(&r);
	}
	err = append_all(&r, raw);
	fw_match_fini(&r.m);
	return err;
}
