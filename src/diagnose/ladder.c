/* SPDX-License-Identifier: ISC */
/*
 * Design: rules ask about shots and about channels, a channel being one
 * transport and one port. There are tens of shots at most, so a channel is
 * not a structure but the shots that share it, found by walking the table.
 *
 * A result or a class that is not in the tables below counts as unknown, or
 * as a rewriting: a newer probe must not turn into a wrong acquittal.
 */
#include "diagnose/ladder.h"

#include <errno.h>

struct name {
	const char *name;
	int value;
};

static int lookup(const struct name *names, size_t n, struct slice s,
                  int otherwise)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq_str(s, names[i].name))
			return names[i].value;
	}
	return otherwise;
}

static enum shot_result result_of(const struct fact *f)
{
	static const struct name names[] = {
		{"clean", SHOT_CLEAN},
		{"same", SHOT_UNKNOWN}, /* one header is not the message */
		{"edited", SHOT_EDITED},
		{"request-dropped", SHOT_REQUEST_DROPPED},
		{"answer-dropped", SHOT_ANSWER_DROPPED},
		{"blocked", SHOT_BLOCKED},
		{"no-answer", SHOT_NO_ANSWER},
		{"refused", SHOT_REFUSED},
		{"skipped", SHOT_SKIPPED},
		{"open", SHOT_PINHOLE},
		{"open-to-registrar", SHOT_ADMITTED},
		{"longer-on-sip", SHOT_TIMER},
		{"moved", SHOT_MOVED},
		{"second-lost", SHOT_TWINS},
	};

	if (f->state == FACT_SKIPPED)
		return SHOT_SKIPPED;
	return (enum shot_result)lookup(names, ARRAY_LEN(names),
	                                val_get_text(&f->fields, "result"),
	                                SHOT_UNKNOWN);
}

static enum shot_role role_of(const struct fact *f)
{
	static const struct name names[] = {
		{"sip", ROLE_SIP},
		{"sip-alt", ROLE_SIP_ALT},
		{"tls", ROLE_TLS},
		{"control", ROLE_CONTROL},
	};

	return (enum shot_role)lookup(names, ARRAY_LEN(names),
	                              val_get_text(&f->fields, "role"),
	                              ROLE_OTHER);
}

static bool is_shot(const struct fact *f)
{
	static const char *const ids[] = {
		"alg.ladder", "alg.binding",        "alg.pinhole",
		"alg.timer",  "alg.via-reflection", "path.twins",
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (slice_eq_str(slice_str(f->id), ids[i]))
			return true;
	}
	return false;
}

static bool is_sip_method(struct slice method)
{
	static const char *const others[] = {"CRLF", "PLAIN", "STUN"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (slice_eq_str(method, others[i]))
			return false;
	}
	return true;
}

static void read_shot(struct shot *s, const struct fact *f)
{
	struct slice direction = val_get_text(&f->fields, "direction");

	*s = (struct shot){
		.fact = f,
		.result = result_of(f),
		.role = role_of(f),
		.transport = val_get_text(&f->fields, "transport"),
		.port = val_get_int(&f->fields, "dst_port", 0),
		.method = val_get_text(&f->fields, "method"),
		.variant = val_get_text(&f->fields, "variant"),
		.edits = val_get(&f->fields, "edits"),
	};
	s->is_new_session = slice_eq_str(s->variant, "new-session");
	s->is_again = slice_eq_str(s->variant, "again");
	if (s->is_new_session || s->is_again)
		s->variant = (struct slice){0}; /* the message is the same */
	s->is_inbound = slice_eq_str(direction, "in") ||
	                slice_eq_str(direction, "answer");
	/* the far end's request may have been lost anywhere, or never sent */
	if (s->is_inbound && s->result == SHOT_NO_ANSWER)
		s->result = SHOT_UNKNOWN;
	s->is_sip = is_sip_method(s->method);
	s->is_reflection = slice_eq_str(slice_str(f->id), "alg.via-reflection");
	if (s->edits && s->edits->kind != VAL_LIST)
		s->edits = NULL;
	/* without an edge there is no ladder, and the question is put to the
	 * server's SIP port */
	if (s->is_reflection && s->role == ROLE_OTHER)
		s->role = ROLE_SIP;
}

static void read_other(struct ladder *l, const struct fact *f)
{
	struct slice id = slice_str(f->id);

	if (slice_eq_str(id, "alg.location") && f->state != FACT_UNKNOWN &&
	    f->state != FACT_SKIPPED)
		l->location = f;
	else if (slice_eq_str(id, "path.hops") && f->value.kind == VAL_INT)
		l->hops_to_edge = f->value.i;
	else if (slice_eq_str(id, "edge.control"))
		l->control = f;
	else if (slice_eq_str(id, "edge.hello"))
		l->hello = f;
}

int ladder_read(struct ladder *l, struct report *r)
{
	struct ladder out = {0};
	struct shot *shots;

	shots = arena_alloc(&r->arena, (r->n_facts + 1) * sizeof(*shots));
	if (!shots) {
		r->no_memory = true;
		return ENOMEM;
	}
	for (const struct fact *f = r->facts; f; f = f->next) {
		if (is_shot(f))
			read_shot(&shots[out.n++], f);
		else
			read_other(&out, f);
	}
	out.shots = shots;
	*l = out;
	return 0;
}

bool shot_is_phone_port(const struct shot *s)
{
	return s->role == ROLE_SIP || s->role == ROLE_SIP_ALT ||
	       s->role == ROLE_TLS;
}

bool shot_has_passed(const struct shot *s)
{
	return s->result == SHOT_CLEAN || s->result == SHOT_EDITED ||
	       s->result == SHOT_ANSWER_DROPPED;
}

bool shot_is_lost(const struct shot *s)
{
	return s->result == SHOT_REQUEST_DROPPED || s->result == SHOT_BLOCKED ||
	       s->result == SHOT_NO_ANSWER || s->result == SHOT_REFUSED;
}

bool shot_is_rare(const struct shot *s)
{
	if (s->result == SHOT_NO_ANSWER)
		return s->variant.n > 0 || slice_eq_str(s->method, "UNKNOWN");
	return s->fact->state == FACT_WARN;
}

bool shot_same_channel(const struct shot *a, const struct shot *b)
{
	return a->port == b->port && slice_eq(a->transport, b->transport);
}

enum edit_kind edit_kind_of(const struct val *edit)
{
	static const struct name names[] = {
		{"via-added", EDIT_PROXY},
		{"record-route-added", EDIT_PROXY},
		{"hop-count-changed", EDIT_PROXY},
		{"header-reordered", EDIT_COSMETIC},
		{"case-changed", EDIT_COSMETIC},
		{"whitespace-changed", EDIT_COSMETIC},
		{"fold-changed", EDIT_COSMETIC},
		{"name-form-changed", EDIT_COSMETIC},
		{"port-out-of-range", EDIT_CORRUPTION},
		{"parameter-corrupted", EDIT_CORRUPTION},
		{"length-wrong", EDIT_CORRUPTION},
		{"header-merged", EDIT_CORRUPTION},
		{"line-ending-changed", EDIT_CORRUPTION},
		{"truncated", EDIT_CORRUPTION},
		{"appended", EDIT_CORRUPTION},
		{"unparsable", EDIT_CORRUPTION},
	};

	return (enum edit_kind)lookup(names, ARRAY_LEN(names),
	                              val_get_text(edit, "class"),
	                              EDIT_REWRITE);
}

enum edit_kind shot_edit_kind(const struct shot *s)
{
	enum edit_kind worst = EDIT_NONE;

	if (s->result != SHOT_EDITED)
		return EDIT_NONE;
	if (!s->edits || !s->edits->items.first)
		return EDIT_REWRITE;
	for (const struct val_item *it = s->edits->items.first; it;
	     it = it->next) {
		enum edit_kind kind = edit_kind_of(&it->v);

		worst = kind > worst ? kind : worst;
	}
	return worst;
}

bool ladder_is_followed(const struct ladder *l, shot_fn *is_shown)
{
	for (size_t i = 0; l->location && i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		if (is_shown(l, s) && slice_eq_str(s->transport, "tcp"))
			return slice_eq_str(slice_str(l->location->scope),
			                    "tcp");
	}
	return false;
}

bool ladder_is_shut(const struct ladder *l, const struct shot *s)
{
	bool is_lost = false;

	for (size_t i = 0; i < l->n; i++) {
		const struct shot *other = &l->shots[i];

		if (!shot_same_channel(s, other))
			continue;
		if (shot_has_passed(other))
			return false;
		is_lost |= shot_is_lost(other);
	}
	return is_lost;
}

bool ladder_is_clean(const struct ladder *l, const struct shot *s)
{
	bool is_clean = false;

	for (size_t i = 0; i < l->n; i++) {
		const struct shot *other = &l->shots[i];

		if (!shot_same_channel(s, other))
			continue;
		if (other->result == SHOT_EDITED ||
		    other->result == SHOT_ANSWER_DROPPED || shot_is_lost(other))
			return false;
		is_clean |= other->result == SHOT_CLEAN && other->is_sip;
	}
	return is_clean;
}

static bool is_twin(const struct shot *other, const struct shot *s)
{
	return other->role == ROLE_CONTROL && s->role != ROLE_CONTROL &&
	       slice_eq(other->transport, s->transport) &&
	       slice_eq(other->method, s->method) &&
	       slice_eq(other->variant, s->variant);
}

bool ladder_has_twin(const struct ladder *l, const struct shot *s)
{
	for (size_t i = 0; i < l->n; i++) {
		if (is_twin(&l->shots[i], s) && shot_has_passed(&l->shots[i]))
			return true;
	}
	return false;
}

bool ladder_has_answered_twin(const struct ladder *l, const struct shot *s)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *other = &l->shots[i];

		if (is_twin(other, s) && shot_has_passed(other) &&
		    other->result != SHOT_ANSWER_DROPPED)
			return true;
	}
	return false;
}

const struct shot *ladder_clean(const struct ladder *l, enum shot_role role,
                                const char *transport)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		if (s->role == role && slice_eq_str(s->transport, transport) &&
		    ladder_is_clean(l, s))
			return s;
	}
	return NULL;
}

bool ladder_is_first(const struct ladder *l, const struct shot *s)
{
	for (const struct shot *other = l->shots; other < s; other++) {
		if (shot_same_channel(other, s))
			return false;
	}
	return true;
}

bool ladder_is_seen(const struct ladder *l, shot_fn *is_shown, bool *is_on_sip)
{
	bool seen = false;

	for (size_t i = 0; i < l->n; i++) {
		if (!is_shown(l, &l->shots[i]))
			continue;
		seen = true;
		*is_on_sip |= l->shots[i].role == ROLE_SIP &&
		              !shot_is_rare(&l->shots[i]);
	}
	return seen;
}
