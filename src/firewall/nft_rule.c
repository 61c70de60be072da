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
#include "firewall/nft_field.h"
#include "firewall/vendor.h"

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
	bool is_joined; /**< several bits in one value, which no packet has */
	const char *compare; /**< "<" and such, of one value; or NULL */
};

struct reader {
	struct nft_parser *p;
	struct fw_chain *chain;
	const struct nft_token *t;
	size_t n, at;
	struct fw_match m;
	struct nft_field fields[MAX_FIELDS]; /* of what must be expanded */
	size_t n_fields;
	struct values expand;
	bool has_expand;
	bool is_queue, is_untracked;
	const char *comment;
	struct slice raw;
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

static bool take_field(struct reader *r, struct nft_field *f)
{
	const size_t n = nft_field_read(f, look(r, 0), r->n - r->at);

	r->at += n;
	return n;
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
	bool is_compared;
	size_t from;

	*v = (struct values){0};
	for (size_t i = 0; i < ARRAY_LEN(compares) && !v->compare; i++) {
		if (eat(r, compares[i]))
			v->compare = compares[i];
	}
	/* Only apply() knows what to do with that. */
	v->is_unknown = v->compare != NULL;
	v->is_negated = eat(r, "!=");
	is_compared = v->is_negated || eat(r, "==");
	v->is_map = !is_compared && eat(r, "vmap");
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
	/* "established,related"; "established | related" is one value */
	for (r->at++; r->at + 1 < r->n &&
	              nft_is_one_of(look(r, 0), is_compared ? ", |" : ",");)
		r->at += 2;
	v->t = t;
	v->n = r->at - from;
	v->is_joined = v->n > 1 && is_compared;
	v->is_unknown |= v->is_joined;
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

static void apply(struct reader *r, const struct nft_field *f, struct values v,
                  size_t from)
{
	const struct slice why = between(&r->t[from], &r->t[r->at - 1]);
	struct nft_gathered g = {0};
	const struct nft_token *t;
	size_t n;
	bool is_known = !v.is_unknown;

	if (v.is_joined && f->kind == NFT_F_STATE) {
		r->m.is_impossible |= !v.is_negated;
		return;
	}
	if (v.compare && f->kind == NFT_F_PORT && v.n == 1)
		is_known = nft_field_compare(&g.ports, v.compare, v.t->s);
	while (!v.compare && is_known && next_element(&v, &t, &n))
		is_known = nft_field_gather(&r->m, &g, f, t);
	if (is_known)
		nft_field_narrow(&r->m, &g, f, v.is_negated);
	else
		nft_field_doubt(&r->m, f, why);
	r->m.no_memory |= g.ports.no_memory;
	fw_ivals_fini(&g.ports);
}

/* "a", or "a . b", and its values. */
static void take_match(struct reader *r, const struct nft_field *first,
                       size_t from)
{
	struct nft_field f[MAX_FIELDS] = {*first};
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
			nft_field_doubt(&r->m, &f[i],
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

	/* A chain in the rule itself, or a statement that takes packets; what
	 * a full list of expectations has no room for is dropped. */
	if ((nft_is(look(r, 1), "{") &&
	     (nft_is(look(r, 0), "jump") || nft_is(look(r, 0), "goto"))) ||
	    nft_is(look(r, 0), "synproxy") ||
	    (nft_is(look(r, 0), "ct") && nft_is(look(r, 1), "expectation"))) {
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
	if (eat(r, "queue") || eat(r, "?")) {
		r->is_queue = true;
		return true;
	}
	/* An answer that is looked up in another zone is new. */
	r->is_untracked |= nft_is(look(r, 0), "ct") &&
	                   nft_is(look(r, 2), "set") &&
	                   nft_is(look(r, 1), "zone");
	r->is_untracked |= nft_is(look(r, 0), "ct") &&
	                   nft_is(look(r, 3), "set") &&
	                   nft_is(look(r, 2), "zone");
	n = nft_set_read(&r->m, look(r, 0), r->n - r->at);
	r->at += n;
	if (n)
		return true;
	return take_nat(r) || take_harmless(r) || take_xt(r) || take_verdict(r);
}

/* Of a key that is not known any element may be the one: none of them narrows
 * the rule, and each of their verdicts may come of it. */
static void take_unknown_map(struct reader *r)
{
	struct values v;

	close_at(r, r->at);
	if (take_values(r, &v) && !v.is_unknown && !r->has_expand) {
		r->expand = v;
		r->has_expand = true;
	} else {
		r->is_queue = true;
	}
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
		struct nft_gathered g = {0};

		if (i > 0 && at < n && nft_is(&t[at], "."))
			at++;
		if (at < n)
			is_known = nft_field_gather(&m, &g, &r->fields[i],
			                            &t[at++]);
		if (is_known)
			nft_field_narrow(&m, &g, &r->fields[i], false);
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

/* As a rule of its own, which goes on with the next. */
static void append_now(struct reader *r, struct fw_match *m)
{
	const struct values expand = r->expand;
	const struct fw_match kept = r->m;

	r->m = *m;
	m->no_memory |= append_all(r, r->raw) != 0;
	r->expand = expand;
	r->m = kept;
	r->m.no_memory |= m->no_memory;
}

/* Before conntrack notrack works, and objects do after it, each for itself: a
 * rule of two is two rules. */
static void append_so_far(struct reader *r)
{
	struct fw_match m;

	r->m.no_memory |= fw_match_copy(&m, &r->m) != 0;
	append_now(r, &m);
	fw_match_fini(&m);
	r->m.rule.is_notrack = false;
	r->m.rule.attrs = fw_attrs_unset();
}

static bool has_orders(const struct fw_attrs *a)
{
	return a->alg != FW_UNSET || a->udp_idle_s != FW_IDLE_UNSET ||
	       a->tcp_idle_s != FW_IDLE_UNSET || a->offload != FW_UNSET;
}

static bool take_notrack(struct reader *r)
{
	if (!eat(r, "notrack"))
		return false;
	if (has_orders(&r->m.rule.attrs))
		append_so_far(r);
	r->m.rule.is_notrack = true;
	return true;
}

/* The kernel takes the object for packets of its protocol and family alone,
 * and goes on with the rule for all of them. */
static bool take_object(struct reader *r)
{
	struct fw_match m;
	size_t n;

	if (!nft_is(look(r, 0), "ct") || !nft_is(look(r, 2), "set"))
		return false;
	if (r->m.rule.is_notrack || has_orders(&r->m.rule.attrs))
		append_so_far(r);
	if ((look(r, 4)->kind == NFT_END || nft_is(look(r, 4), "comment")) &&
	    !r->is_untracked) {
		n = nft_object_read(r->p, &r->m, look(r, 0), r->n - r->at);
		r->at += n;
		return n;
	}
	r->m.no_memory |= fw_match_copy(&m, &r->m) != 0;
	n = nft_object_read(r->p, &m, look(r, 0), r->n - r->at);
	r->at += n;
	if (n && memcmp(m.protos, r->m.protos, sizeof(m.protos)) == 0 &&
	    m.rule.families == r->m.rule.families)
		r->m.rule.attrs = m.rule.attrs;
	else if (n)
		append_now(r, &m);
	fw_match_fini(&m);
	return n;
}

int nft_rule_parse(struct nft_parser *p, struct fw_chain *c,
                   const struct nft_token *t, size_t n, struct slice raw)
{
	struct reader r = {.p = p, .chain = c, .t = t, .n = n, .raw = raw};
	struct nft_field f;
	int err;

	fw_match_init(&r.m, &p->rules->arena);
	fw_match_families(&r.m, p->families);
	while (r.at < r.n) {
		const size_t from = r.at;

		if (take_object(&r) || take_notrack(&r) || take_statement(&r))
			continue;
		if (take_field(&r, &f))
			take_match(&r, &f, from);
		else if (nft_is(look(&r, 0), "vmap"))
			take_unknown_map(&r);
		else
			take_unknown(&r);
	}
	err = append_all(&r, raw);
	fw_match_fini(&r.m);
	return err;
}
