/* SPDX-License-Identifier: ISC */
#include "firewall/vendor.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

struct fw_dict_entry {
	struct fw_dict_entry *next;
	const void *scope;
	struct slice key;
	uint64_t hash;
	void *value;
};

static uint64_t hash_bytes(uint64_t h, struct slice s)
{
	uint64_t word;
	size_t i = 0;

	/* eight at a time: a configuration may have megabytes */
	for (; s.n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	for (; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static uint64_t hash_key(const struct fw_dict *d, const void *scope,
                         struct slice key)
{
	const uint64_t at = (uint64_t)(uintptr_t)scope;

	return hash_bytes(d->seed ^ at * UINT64_C(0x9e3779b97f4a7c15), key);
}

void fw_dict_init(struct fw_dict *d, struct arena *a, struct slice text)
{
	*d = (struct fw_dict){.arena = a};
	d->seed = hash_bytes(UINT64_C(0xcbf29ce484222325), text);
}

void fw_dict_init_like(struct fw_dict *d, const struct fw_dict *like)
{
	*d = (struct fw_dict){.arena = like->arena, .seed = like->seed};
}

void *fw_dict_get(const struct fw_dict *d, const void *scope, struct slice key)
{
	const uint64_t hash = hash_key(d, scope, key);
	struct fw_dict_entry *e;

	if (d->cap == 0)
		return NULL;
	for (e = d->slots[hash & (d->cap - 1)]; e; e = e->next) {
		if (e->hash == hash && e->scope == scope &&
		    slice_eq(e->key, key))
			return e->value;
	}
	return NULL;
}

static bool grow(struct fw_dict *d)
{
	const size_t cap = d->cap ? d->cap * 2 : 64;
	struct fw_dict_entry **slots;

	slots = arena_alloc(d->arena, cap * sizeof(struct fw_dict_entry *));
	if (!slots)
		return false;
	for (size_t i = 0; i < d->cap; i++) {
		struct fw_dict_entry *e = d->slots[i], *next;

		for (; e; e = next) {
			next = e->next;
			e->next = slots[e->hash & (cap - 1)];
			slots[e->hash & (cap - 1)] = e;
		}
	}
	d->slots = slots;
	d->cap = cap;
	return true;
}

void fw_dict_put(struct fw_dict *d, const void *scope, struct slice key,
                 void *value)
{
	const uint64_t hash = hash_key(d, scope, key);
	struct fw_dict_entry *e = NULL;

	if (d->cap)
		e = d->slots[hash & (d->cap - 1)];
	for (; e; e = e->next) {
		if (e->hash == hash && e->scope == scope &&
		    slice_eq(e->key, key)) {
			e->value = value;
			return;
		}
	}
	if (d->n >= d->cap && !grow(d)) {
		d->no_memory = true;
		return;
	}
	e = arena_alloc(d->arena, sizeof(*e));
	if (!e) {
		d->no_memory = true;
		return;
	}
	*e = (struct fw_dict_entry){.next = d->slots[hash & (d->cap - 1)],
	                            .scope = scope,
	                            .key = key,
	                            .hash = hash,
	                            .value = value};
	d->slots[hash & (d->cap - 1)] = e;
	d->n++;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool fw_word_next(struct slice *rest, struct slice *word)
{
	const struct slice s = *rest;
	size_t at = 0, n;

	while (at < s.n && is_blank(s.p[at]))
		at++;
	if (at == s.n)
		return false;
	n = at;
	if (s.p[at] == '"' || s.p[at] == '\'') {
		const uint8_t quote = s.p[at++];

		for (n = at; n < s.n && s.p[n] != quote;)
			n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
		*word = slice_sub(s, at, n - at);
		*rest = slice_sub(s, n + 1, SIZE_MAX);
		return true;
	}
	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*word = (struct slice){s.p + at, n - at};
	*rest = slice_sub(s, n, SIZE_MAX);
	return true;
}

bool fw_part_next(struct slice *rest, char sep, struct slice *part)
{
	size_t n = 0;

	if (rest->n == 0)
		return false;
	while (n < rest->n && rest->p[n] != (uint8_t)sep)
		n++;
	*part = slice_sub(*rest, 0, n);
	*rest = slice_sub(*rest, n < rest->n ? n + 1 : n, SIZE_MAX);
	return true;
}

bool fw_has_prefix(struct slice s, const char *prefix)
{
	const struct slice p = slice_str(prefix);

	return slice_eq(slice_sub(s, 0, p.n), p);
}

int fw_ports_parse(uint16_t *lo, uint16_t *hi, struct slice s)
{
	const size_t cut = slice_find(s, slice_str("-"));
	uint16_t a, b;

	if (fw_port_parse(&a, s) == 0) {
		*lo = *hi = a;
		return 0;
	}
	if (cut == SIZE_MAX || fw_port_parse(&a, slice_sub(s, 0, cut)) ||
	    fw_port_parse(&b, slice_sub(s, cut + 1, SIZE_MAX)) || a > b)
		return EBADMSG;
	*lo = a;
	*hi = b;
	return 0;
}

long fw_version_num(const char *version)
{
	struct slice rest = slice_str(version), part;
	long num = 0;

	if (rest.n == 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		uint64_t v = 0;
		size_t n = 0;

		if (fw_part_next(&rest, '.', &part)) {
			while (n < part.n && part.p[n] >= '0' &&
			       part.p[n] <= '9')
				n++;
			if (text_u64(&v, slice_sub(part, 0, n), 999))
				v = 0;
		}
		num = num * 1000 + (long)v;
	}
	return num;
}

int fw_addrs_copy(struct arena *a, struct fw_addrs *to,
                  const struct fw_addrs *from)
{
	for (const struct fw_addr *ad = from->first; ad; ad = ad->next) {
		struct fw_addr *n;

		n = fw_addrs_add_name(a, to, ad->kind, ad->name);
		if (!n)
			return ENOMEM;
		n->lo = ad->lo;
		n->hi = ad->hi;
		if (ad == from->last)
			break;
	}
	return 0;
}

int fw_services_copy(struct arena *a, struct fw_services *to,
                     const struct fw_services *from)
{
	for (const struct fw_service *s = from->first; s; s = s->next) {
		struct fw_service *n;

		n = fw_services_add(a, to, s->proto, s->dport_lo, s->dport_hi);
		if (!n)
			return ENOMEM;
		n->sport_lo = s->sport_lo;
		n->sport_hi = s->sport_hi;
		n->name = s->name;
		if (s == from->last)
			break;
	}
	return 0;
}

bool fw_is_return_rule(const struct fw_rule *r)
{
	return r->action == FW_ACCEPT && !(r->states & FW_STATE_NEW);
}

struct fw_rule *fw_return_rule_add(struct fw_rules *r, struct fw_chain *c)
{
	struct fw_rule *rule = fw_rule_add(r, c);

	if (!rule)
		return NULL;
	rule->id = "return-traffic";
	rule->states = FW_STATE_ESTABLISHED | FW_STATE_RELATED;
	rule->action = FW_ACCEPT;
	return rule;
}

bool fw_states_fit(const struct fw_rule *r, struct diag *dg)
{
	const struct slice all = {NULL, 0};

	if (r->states == FW_STATE_ALL || r->states == FW_STATE_NEW ||
	    r->states == (FW_STATE_ESTABLISHED | FW_STATE_RELATED))
		return true;
	diag_add(dg, DIAG_ERROR, all,
	         _("This box tracks connections by itself and cannot match "
	           "their states as rule %s does."),
	         r->id);
	return false;
}

enum {
	MAX_MARK = 999999999,
};

/* The highest number of a mark in a text: "prumo-" counts as the first. */
static void find_marks(uint64_t *highest, struct slice text)
{
	const struct slice word = slice_str("prumo");
	size_t at;

	while ((at = slice_find(text, word)) != SIZE_MAX) {
		uint64_t v = 1;
		size_t n = 0;

		text = slice_sub(text, at + word.n, SIZE_MAX);
		while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
			n++;
		if (n == text.n || text.p[n] != '-')
			continue;
		if (n > 0 && text_u64(&v, slice_sub(text, 0, n), MAX_MARK))
			continue;
		if (v > *highest)
			*highest = v;
	}
}

void fw_mark_choose(char mark[FW_MARK_BYTES], const struct fw_rules *rules)
{
	struct wr w = wr_init(mark, FW_MARK_BYTES);
	uint64_t highest = 0;

	find_marks(&highest, rules->text);
	/* The text of a backup may be packed. */
	for (const struct fw_object *o = rules->objects; o; o = o->next)
		find_marks(&highest, slice_str(o->name));
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next)
			find_marks(&highest, slice_str(r->name));
	}
	wr_str(&w, "prumo");
	if (highest)
		wr_fmt(&w, "%llu", (unsigned long long)highest + 1);
	wr_u8(&w, 0);
}

bool fw_name_is_clean(const char *name)
{
	for (; name && *name; name++) {
		const unsigned char c = (unsigned char)*name;

		if (c < ' ' || c == 0x7f || c == '"' || c == '\\')
			return false;
	}
	return true;
}

static bool is_of(const char *name, const char *marks)
{
	for (; *name; name++) {
		const bool is_alnum = (*name >= 'a' && *name <= 'z') ||
		                      (*name >= 'A' && *name <= 'Z') ||
		                      (*name >= '0' && *name <= '9');

		if (!is_alnum && !strchr(marks, *name))
			return false;
	}
	return true;
}

bool fw_name_is_word(const char *name)
{
	return name[0] && is_of(name, "-_./:@+");
}

bool fw_hosts_are_plain(const struct fw_addrs *set)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		const char *name = a->name;

		if (a->kind != FW_ADDR_NAME)
			continue;
		if (strncmp(name, "*.", 2) == 0)
			name += 2;
		if (!name[0] || !is_of(name, "-_."))
			return false;
	}
	return true;
}

void fw_clean_put(struct wr *w, const char *text)
{
	uint8_t clean[120];
	size_t n = 0;

	for (; text && text[n] && n < sizeof(clean); n++) {
		const unsigned char c = (unsigned char)text[n];
		const bool is_plain = c >= ' ' && c != '"' && c != '\'' &&
		                      c != '\\' && c != 0x7f && c != '`' &&
		                      c != '$';

		clean[n] = is_plain ? c : '?';
	}
	wr_put(w, (struct slice){clean, n});
}

void fw_mask_put(struct wr *w, int n_bits)
{
	const uint32_t m =
		n_bits <= 0 ? 0 : UINT32_MAX << (32 - (unsigned)n_bits);

	wr_fmt(w, "%u.%u.%u.%u", m >> 24, m >> 16 & 0xff, m >> 8 & 0xff,
	       m & 0xff);
}
