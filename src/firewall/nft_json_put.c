/* SPDX-License-Identifier: ISC */
/*
 * Design: an object with one member is a word of nft's language and what
 * belongs to it. Those that have a say in a verdict are tables below; of any
 * other the word and its plain members are written, which the reader of the
 * text does not know, and doubts.
 *
 * Sources: libnftables-json(5); nftables, src/json.c.
 */
#include "firewall/nft_json.h"
#include "firewall/vendor.h"

enum {
	MAX_NESTED = 12, /* expressions; honest ones have five */
};

static void put_expr(struct wr *w, const struct fw_json *j, unsigned depth);

static bool is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];
		const bool is_letter = (c >= 'a' && c <= 'z') ||
		                       (c >= 'A' && c <= 'Z') || c >= 0x80;
		const bool is_other = (c >= '0' && c <= '9') || c == '_' ||
		                      c == '-' || c == '.' || c == ':' ||
		                      c == '/' || c == '@' || c == '+' ||
		                      c == '*';

		if (!is_letter && !is_other)
			return false;
	}
	return s.n > 0;
}

static void put_quoted(struct wr *w, struct slice s)
{
	wr_str(w, "\"");
	for (size_t i = 0; i < s.n; i++)
		wr_u8(w, s.p[i] < ' ' || s.p[i] == '"' ? '?' : s.p[i]);
	wr_str(w, "\"");
}

void nft_json_name_put(struct wr *w, struct slice name)
{
	if (is_plain(name))
		wr_put(w, name);
	else
		put_quoted(w, name);
}

static void put_list(struct wr *w, const struct fw_json *first, const char *sep,
                     unsigned depth)
{
	for (const struct fw_json *j = first; j; j = j->next) {
		put_expr(w, j, depth);
		wr_str(w, j->next ? sep : "");
	}
}

static void put_pair(struct wr *w, const struct fw_json *j, const char *sep,
                     unsigned depth)
{
	const struct fw_json *a = j->first, *b = a ? a->next : NULL;

	if (a)
		put_expr(w, a, depth);
	wr_str(w, sep);
	if (b)
		put_expr(w, b, depth);
}

/* "6in4-wan": what begins with a digit and is neither a number nor an address
 * would be taken for an index. */
static bool is_interface_name(struct slice s)
{
	bool is_name = false;

	for (size_t i = 0; i < s.n; i++)
		is_name |= s.p[i] > 'f' && s.p[i] <= 'z' && s.p[i] != 'x';
	return is_name && s.p[0] >= '0' && s.p[0] <= '9';
}

/* "tcp dport", or bits of a header that has no name */
static void put_payload(struct wr *w, const struct fw_json *j)
{
	const struct slice base = fw_json_text(j, "base");

	if (base.n) {
		wr_str(w, "@");
		nft_json_name_put(w, base);
		wr_str(w, ",");
		nft_json_name_put(w, fw_json_text(j, "offset"));
		wr_str(w, ",");
		nft_json_name_put(w, fw_json_text(j, "len"));
		return;
	}
	nft_json_name_put(w, fw_json_text(j, "protocol"));
	wr_str(w, " ");
	nft_json_name_put(w, fw_json_text(j, "field"));
}

static bool is_interface(struct slice key)
{
	static const char *const names[] = {"iif", "oif", "iifname", "oifname"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(key, names[i]))
			return true;
	}
	return false;
}

static void put_meta(struct wr *w, const struct fw_json *j)
{
	const struct slice key = fw_json_text(j, "key");

	wr_str(w, is_interface(key) ? "" : "meta ");
	nft_json_name_put(w, key);
}

static void put_ct(struct wr *w, const struct fw_json *j)
{
	static const char *const members[] = {"dir", "family", "key"};

	wr_str(w, "ct");
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct slice s = fw_json_text(j, members[i]);

		if (s.n) {
			wr_str(w, " ");
			nft_json_name_put(w, s);
		}
	}
}

static void put_prefix(struct wr *w, const struct fw_json *j, unsigned depth)
{
	const struct fw_json *addr = fw_json_get(j, "addr");

	if (addr)
		put_expr(w, addr, depth);
	wr_str(w, "/");
	nft_json_name_put(w, fw_json_text(j, "len"));
}

static bool is_words(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < 'a' || s.p[i] > 'z') && s.p[i] != ' ')
			return false;
	}
	return s.n > 0;
}

/* A word that is not known here, or several ("tcp option"), and what is plain
 * of its members. */
static void put_other(struct wr *w, const struct fw_json *j)
{
	if (is_words(j->key))
		wr_put(w, j->key);
	else
		nft_json_name_put(w, j->key);
	if (j->text.n && j->kind != FW_JSON_NULL) {
		wr_str(w, " ");
		nft_json_name_put(w, j->text);
	}
	for (const struct fw_json *m = j->first; m; m = m->next) {
		if (!m->text.n)
			continue;
		wr_str(w, " ");
		nft_json_name_put(w, m->text);
	}
}

static void put_map(struct wr *w, const struct fw_json *j, const char *word,
                    unsigned depth)
{
	const struct fw_json *key = fw_json_get(j, "key");
	const struct fw_json *data = fw_json_get(j, "data");

	if (key)
		put_expr(w, key, depth);
	wr_fmt(w, " %s ", word);
	if (data)
		put_expr(w, data, depth);
}

/* @return what nft writes between two operands, or NULL */
static const char *operator_of(const struct fw_json *j)
{
	static const char *const words[] = {"&", "|", "^", "<<", ">>"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_eq_str(j->key, words[i]))
			return words[i];
	}
	return NULL;
}

static void put_operand(struct wr *w, const struct fw_json *j, unsigned depth)
{
	const bool is_flags = j->kind == FW_JSON_ARRAY;
	const bool is_nested =
		j->kind == FW_JSON_OBJECT && j->first && operator_of(j->first);

	wr_str(w, is_flags || is_nested ? "(" : "");
	if (is_flags)
		put_list(w, j->first, " | ", depth);
	else
		put_expr(w, j, depth);
	wr_str(w, is_flags || is_nested ? ")" : "");
}

static void put_binary(struct wr *w, const struct fw_json *j, const char *word,
                       unsigned depth)
{
	for (const struct fw_json *m = j->first; m; m = m->next) {
		put_operand(w, m, depth);
		if (m->next)
			wr_fmt(w, " %s ", word);
	}
}

static void put_elements(struct wr *w, const struct fw_json *list,
                         unsigned depth)
{
	const struct fw_json *e =
		list->kind == FW_JSON_ARRAY ? list->first : list;

	wr_str(w, "{");
	for (; e; e = e->next) {
		wr_str(w, " ");
		/* of a map */
		if (e->kind == FW_JSON_ARRAY)
			put_pair(w, e, " : ", depth);
		else
			put_expr(w, e, depth);
		if (list->kind != FW_JSON_ARRAY)
			break;
		wr_str(w, e->next ? "," : "");
	}
	wr_str(w, " }");
}

void nft_json_elements_put(struct wr *w, const struct fw_json *list)
{
	put_elements(w, list, 0);
}

/* An object: one member whose name says what it is. */
static void put_named(struct wr *w, const struct fw_json *j, unsigned depth)
{
	const char *word = operator_of(j);
	const struct fw_json *val = fw_json_get(j, "val");

	if (word)
		put_binary(w, j, word, depth);
	else if (slice_eq_str(j->key, "payload"))
		put_payload(w, j);
	else if (slice_eq_str(j->key, "meta"))
		put_meta(w, j);
	else if (slice_eq_str(j->key, "ct"))
		put_ct(w, j);
	else if (slice_eq_str(j->key, "set"))
		put_elements(w, j, depth);
	else if (slice_eq_str(j->key, "range"))
		put_pair(w, j, "-", depth);
	else if (slice_eq_str(j->key, "prefix"))
		put_prefix(w, j, depth);
	else if (slice_eq_str(j->key, "concat"))
		put_list(w, j->first, " . ", depth);
	else if (slice_eq_str(j->key, "elem") && val)
		put_expr(w, val, depth);
	else if (slice_eq_str(j->key, "map"))
		put_map(w, j, "map", depth);
	else
		put_other(w, j);
}

static void put_expr(struct wr *w, const struct fw_json *j, unsigned depth)
{
	if (depth == MAX_NESTED) {
		wr_str(w, "?");
		return;
	}
	switch (j->kind) {
	case FW_JSON_OBJECT:
		if (j->first)
			put_named(w, j->first, depth + 1);
		break;
	case FW_JSON_ARRAY:
		put_list(w, j->first, ",", depth + 1);
		break;
	case FW_JSON_BOOL:
		wr_str(w, slice_eq_str(j->text, "true") ? "exists" : "missing");
		break;
	case FW_JSON_STRING:
		if (is_interface_name(j->text)) {
			put_quoted(w, j->text);
			break;
		}
		nft_json_name_put(w, j->text);
		break;
	case FW_JSON_NULL:
	case FW_JSON_NUMBER:
		nft_json_name_put(w, j->text);
		break;
	}
}

/* A name of an interface is no word: it may begin with a digit. */
static void put_value(struct wr *w, const struct fw_json *j, bool is_quoted)
{
	const struct fw_json *list = fw_json_get(j, "set");

	if (is_quoted && j->kind == FW_JSON_STRING &&
	    !fw_has_prefix(j->text, "@")) {
		put_quoted(w, j->text);
	} else if (is_quoted && list && list->kind == FW_JSON_ARRAY) {
		wr_str(w, "{ ");
		for (const struct fw_json *e = list->first; e; e = e->next) {
			put_value(w, e, e->kind == FW_JSON_STRING);
			wr_str(w, e->next ? ", " : "");
		}
		wr_str(w, " }");
	} else {
		put_expr(w, j, 0);
	}
}

/* What goes without saying is left out, but before masked bits. */
static void put_operator(struct wr *w, struct slice op, bool is_masked)
{
	static const char *const words[] = {"!=", "<", ">", "<=", ">="};

	if (slice_eq_str(op, "in") || (slice_eq_str(op, "==") && !is_masked))
		return;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_eq_str(op, words[i])) {
			wr_fmt(w, "%s ", words[i]);
			return;
		}
	}
	wr_str(w, slice_eq_str(op, "==") ? "== " : "? ");
}

static void put_match(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *left = fw_json_get(j, "left");
	const struct fw_json *right = fw_json_get(j, "right");
	const struct fw_json *meta = fw_json_get(left, "meta");

	if (!left || !right) {
		wr_str(w, "match");
		return;
	}
	put_expr(w, left, 0);
	wr_str(w, " ");
	put_operator(w, fw_json_text(j, "op"),
	             left->first && operator_of(left->first));
	put_value(w, right, is_interface(fw_json_text(meta, "key")));
}

static void put_reject(struct wr *w, const struct fw_json *j)
{
	const struct slice type = fw_json_text(j, "type");

	wr_str(w, "reject");
	if (!type.n)
		return;
	if (slice_eq_str(type, "tcp reset")) {
		wr_str(w, " with tcp reset");
		return;
	}
	wr_str(w, " with ");
	nft_json_name_put(w, type);
	wr_str(w, " type ");
	nft_json_name_put(w, fw_json_text(j, "expr"));
}

static void put_flags(struct wr *w, const struct fw_json *flags)
{
	if (flags && flags->kind == FW_JSON_STRING) {
		wr_str(w, " ");
		nft_json_name_put(w, flags->text);
	}
	for (const struct fw_json *m = flags ? flags->first : NULL; m;
	     m = m->next) {
		wr_str(w, m == flags->first ? " " : ",");
		nft_json_name_put(w, m->text);
	}
}

/* "dnat ip to 192.0.2.1:5060 persistent", and the like */
static void put_nat(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *addr = fw_json_get(j, "addr");
	const struct fw_json *port = fw_json_get(j, "port");
	const struct slice family = fw_json_text(j, "family");
	const bool is_bracketed =
		port && addr &&
		slice_find(addr->text, slice_str(":")) != SIZE_MAX;

	wr_put(w, j->key);
	if (family.n) {
		wr_str(w, " ");
		nft_json_name_put(w, family);
	}
	wr_str(w, addr || port ? " to " : "");
	wr_str(w, is_bracketed ? "[" : "");
	if (addr)
		put_expr(w, addr, 0);
	wr_str(w, is_bracketed ? "]" : "");
	wr_str(w, port ? ":" : "");
	if (port)
		put_expr(w, port, 0);
	put_flags(w, fw_json_get(j, "flags"));
}

static void put_counter(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *pkts = fw_json_get(j, "packets");
	const struct fw_json *bytes = fw_json_get(j, "bytes");

	wr_str(w, "counter");
	if (j->kind == FW_JSON_STRING) {
		wr_str(w, " name ");
		put_quoted(w, j->text);
	}
	if (pkts && bytes) {
		wr_str(w, " packets ");
		nft_json_name_put(w, pkts->text);
		wr_str(w, " bytes ");
		nft_json_name_put(w, bytes->text);
	}
}

static void put_log(struct wr *w, const struct fw_json *j)
{
	wr_str(w, "log");
	for (const struct fw_json *m = j->first; m; m = m->next) {
		wr_str(w, " ");
		nft_json_name_put(w, m->key);
		if (slice_eq_str(m->key, "flags")) {
			put_flags(w, m);
		} else {
			wr_str(w, " ");
			put_quoted(w, m->text);
		}
	}
}

static void put_mangle(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *key = fw_json_get(j, "key");
	const struct fw_json *value = fw_json_get(j, "value");

	if (key)
		put_expr(w, key, 0);
	wr_str(w, " set ");
	if (value)
		put_expr(w, value, 0);
}

static void put_vmap(struct wr *w, const struct fw_json *j)
{
	put_map(w, j, "vmap", 0);
}

static void put_object(struct wr *w, const struct fw_json *j)
{
	wr_put(w, j->key);
	wr_str(w, " set ");
	put_quoted(w, j->text);
	/* What has no entry in a map ends the rule. */
	if (j->kind != FW_JSON_STRING)
		wr_str(w, " map");
}

static void put_flow(struct wr *w, const struct fw_json *j)
{
	wr_str(w, "flow add ");
	nft_json_name_put(w, fw_json_text(j, "flowtable"));
}

/* "add @seen { ip saddr }": its statements have a say in what is kept only */
static void put_update(struct wr *w, const struct fw_json *j)
{
	const struct fw_json *elem = fw_json_get(j, "elem");

	nft_json_name_put(w, fw_json_text(j, "op"));
	wr_str(w, " ");
	nft_json_name_put(w,
	                  fw_json_text(j, j->key.p[0] == 's' ? "set" : "map"));
	wr_str(w, " { ");
	if (elem)
		put_expr(w, elem, 0);
	wr_str(w, " }");
}

/* What nft has no JSON for is its text, in a string; of that, only a chain
 * inside the rule is known to the reader of the text. */
static void put_text(struct wr *w, struct slice text)
{
	const bool is_chain =
		fw_has_prefix(text, "jump {") || fw_has_prefix(text, "goto {");
	int depth = 0;
	bool is_whole = is_chain;

	for (size_t i = 0; i < text.n; i++) {
		depth += (text.p[i] == '{') - (text.p[i] == '}');
		is_whole &= text.p[i] != '"' && text.p[i] != '#' &&
		            (depth > 0 || i + 1 == text.n || i < 6);
	}
	if (!is_whole || depth != 0) {
		wr_str(w, "? ");
		put_quoted(w, text);
		return;
	}
	for (size_t i = 0; i < text.n; i++)
		wr_u8(w,
		      text.p[i] < ' ' && text.p[i] != '\n' ? ' ' : text.p[i]);
}

static void put_known(struct wr *w, const struct fw_json *j)
{
	static const struct {
		const char *name;
		void (*put)(struct wr *w, const struct fw_json *j);
	} known[] = {
		{"match", put_match},       {"vmap", put_vmap},
		{"reject", put_reject},     {"counter", put_counter},
		{"log", put_log},           {"mangle", put_mangle},
		{"snat", put_nat},          {"dnat", put_nat},
		{"masquerade", put_nat},    {"redirect", put_nat},
		{"tproxy", put_nat},        {"ct helper", put_object},
		{"ct timeout", put_object}, {"ct expectation", put_object},
		{"flow", put_flow},         {"set", put_update},
		{"map", put_update},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (slice_eq_str(j->key, known[i].name)) {
			known[i].put(w, j);
			return;
		}
	}
	put_other(w, j);
}

void nft_json_statement_put(struct wr *w, const struct fw_json *j)
{
	if (j->kind == FW_JSON_STRING)
		put_text(w, j->text);
	else if (j->kind == FW_JSON_OBJECT && j->first && !j->first->next)
		put_known(w, j->first);
	else
		wr_str(w, "?");
}
