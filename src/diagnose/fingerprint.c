/* SPDX-License-Identifier: ISC */
/*
 * Design: the edits are reduced to a set of features, and each feature speaks
 * for or against an implementation by a weight in a table. A feature that
 * says "was kept" is only set where an edited message must have carried that
 * header: every request has a Call-ID, only an INVITE has SDP.
 */
#include "diagnose/fingerprint.h"

#include <string.h>

#include "base/i18n.h"

enum feature {
	SAW_EDITS = 1 << 0,
	O_FORCED = 1 << 1,
	VIA_PORT_ADDED = 1 << 2,
	CALL_ID_KEPT = 1 << 3,
	RTCP_KEPT = 1 << 4,
	OTHER_PORTS_CLEAN = 1 << 5,
	SPLIT_KEPT = 1 << 6,
	LOW_PORT_DROPPED = 1 << 7,
	CALL_ID_EDITED = 1 << 8,
	ROUTE_EDITED = 1 << 9,
	VIA_ADDED = 1 << 10,
	HOPS_COUNTED = 1 << 11,
	REFORMATTED = 1 << 12,
	EXTENSION_EDITED = 1 << 13,
	DIGEST_EDITED = 1 << 14,
	TEXT_EDITED = 1 << 15,
	SIP_TIMER = 1 << 16,
};

enum {
	SCORE_LOW = 4, /* below: unknown */
	SCORE_MEDIUM = 6,
	SCORE_HIGH = 9,
};

/* In the order in which reasons are given. */
static const struct rule {
	enum fingerprint fp;
	enum feature feature;
	int weight;
	const char *reason; /* NULL: speaks against */
} rules[] = {
	{FINGERPRINT_LINUX_NETFILTER, O_FORCED, 4,
         N_("the address in o= was overwritten with the one in c=")},
	{FINGERPRINT_LINUX_NETFILTER, VIA_PORT_ADDED, 4,
         N_("a port was appended to a Via that had none")},
	{FINGERPRINT_LINUX_NETFILTER, LOW_PORT_DROPPED, 3,
         N_("an INVITE with a media port below 1024 was dropped")},
	{FINGERPRINT_LINUX_NETFILTER, SPLIT_KEPT, 2,
         N_("over TCP, a message in two segments was left alone")},
	{FINGERPRINT_LINUX_NETFILTER, SIP_TIMER, 2,
         N_("the SIP port's session outlived the others")},
	{FINGERPRINT_LINUX_NETFILTER, OTHER_PORTS_CLEAN, 1,
         N_("other ports were left alone")},
	{FINGERPRINT_LINUX_NETFILTER, CALL_ID_KEPT, 1,
         N_("Call-ID was left alone")},
	{FINGERPRINT_LINUX_NETFILTER, RTCP_KEPT, 1,
         N_("a=rtcp was left alone while c= was changed")},
	{FINGERPRINT_LINUX_NETFILTER, CALL_ID_EDITED, -9, NULL},
	{FINGERPRINT_LINUX_NETFILTER, ROUTE_EDITED, -9, NULL},
	{FINGERPRINT_LINUX_NETFILTER, VIA_ADDED, -9, NULL},
	{FINGERPRINT_LINUX_NETFILTER, EXTENSION_EDITED, -9, NULL},
	{FINGERPRINT_LINUX_NETFILTER, DIGEST_EDITED, -9, NULL},

	{FINGERPRINT_QUICKSEC_JUNIPER, CALL_ID_EDITED, 4,
         N_("Call-ID was changed")},
	{FINGERPRINT_QUICKSEC_JUNIPER, ROUTE_EDITED, 3,
         N_("Route or Record-Route was changed")},
	{FINGERPRINT_QUICKSEC_JUNIPER, VIA_ADDED, -9, NULL},
	{FINGERPRINT_QUICKSEC_JUNIPER, EXTENSION_EDITED, -9, NULL},

	{FINGERPRINT_PROXY, VIA_ADDED, 6, N_("a Via of its own was added")},
	{FINGERPRINT_PROXY, HOPS_COUNTED, 4, N_("Max-Forwards was changed")},
	{FINGERPRINT_PROXY, REFORMATTED, 2,
         N_("headers were put in another order or written anew")},

	{FINGERPRINT_SEARCH_AND_REPLACE, EXTENSION_EDITED, 5,
         N_("the address was replaced even in an X- header")},
	{FINGERPRINT_SEARCH_AND_REPLACE, DIGEST_EDITED, 4,
         N_("the address was replaced inside the credentials")},
	{FINGERPRINT_SEARCH_AND_REPLACE, TEXT_EDITED, 4,
         N_("the address was replaced in a body that is no SDP")},
	{FINGERPRINT_SEARCH_AND_REPLACE, VIA_ADDED, -9, NULL},
};

const char *fingerprint_name(enum fingerprint fp)
{
	static const char *const names[FINGERPRINTS] = {
		[FINGERPRINT_UNKNOWN] = "unknown",
		[FINGERPRINT_LINUX_NETFILTER] = "linux-netfilter",
		[FINGERPRINT_QUICKSEC_JUNIPER] = "quicksec-juniper",
		[FINGERPRINT_PROXY] = "proxy",
		[FINGERPRINT_SEARCH_AND_REPLACE] = "search-and-replace",
	};

	return names[fp];
}

/* "Contact[3]" is a Contact, "Contact-X" is not. */
static bool is_field(const struct val *edit, const char *name)
{
	struct slice field = val_get_text(edit, "field");
	size_t n = strlen(name);

	return slice_ieq(slice_sub(field, 0, n), slice_str(name)) &&
	       (field.n == n || field.p[n] == '[');
}

static bool starts_with(const struct val *edit, const char *prefix)
{
	struct slice field = val_get_text(edit, "field");

	return slice_ieq(slice_sub(field, 0, strlen(prefix)),
	                 slice_str(prefix));
}

static const struct val *find_edit(const struct shot *s, const char *field)
{
	for (const struct val_item *it = s->edits->items.first; it;
	     it = it->next) {
		if (is_field(&it->v, field))
			return &it->v;
	}
	return NULL;
}

/* The address is the last word of an o= and of a c= line. */
static struct slice last_word(struct slice s)
{
	size_t from;

	s = slice_trim(s);
	for (from = s.n; from > 0 && s.p[from - 1] != ' '; from--)
		;
	return slice_sub(s, from, s.n);
}

static bool is_o_forced(const struct val *o, const struct val *c)
{
	struct slice o_after, c_after;

	if (!o || !c)
		return false;
	o_after = last_word(val_get_text(o, "after"));
	c_after = last_word(val_get_text(c, "after"));
	return o_after.n > 0 && slice_eq(o_after, c_after) &&
	       !slice_eq(last_word(val_get_text(o, "before")),
	                 last_word(val_get_text(c, "before")));
}

static unsigned edit_features(const struct val *edit, const struct shot *s)
{
	struct slice cls = val_get_text(edit, "class");
	unsigned f = 0;

	if (is_field(edit, "Call-ID"))
		f |= CALL_ID_EDITED;
	if (slice_eq_str(cls, "via-added"))
		f |= VIA_ADDED;
	else if (slice_eq_str(cls, "port-added") && is_field(edit, "Via"))
		f |= VIA_PORT_ADDED;
	if (slice_eq_str(cls, "hop-count-changed"))
		f |= HOPS_COUNTED;
	else if (edit_kind_of(edit) == EDIT_COSMETIC)
		f |= REFORMATTED;
	if (is_field(edit, "Route") ||
	    (is_field(edit, "Record-Route") &&
	     !slice_eq_str(cls, "record-route-added")))
		f |= ROUTE_EDITED;
	if (!slice_eq_str(cls, "address-rewritten"))
		return f;
	if (starts_with(edit, "X-"))
		f |= EXTENSION_EDITED;
	if (is_field(edit, "Authorization"))
		f |= DIGEST_EDITED;
	if (is_field(edit, "body") && !slice_eq_str(s->method, "INVITE"))
		f |= TEXT_EDITED;
	return f;
}

static unsigned edited_features(const struct shot *s)
{
	const struct val *c = find_edit(s, "SDP c=");
	unsigned f = SAW_EDITS;

	for (const struct val_item *it = s->edits->items.first; it;
	     it = it->next)
		f |= edit_features(&it->v, s);
	if (is_o_forced(find_edit(s, "SDP o="), c))
		f |= O_FORCED;
	/* a short message has no a=rtcp that could be left alone */
	if (c && s->variant.n == 0 && !find_edit(s, "SDP a=rtcp"))
		f |= RTCP_KEPT;
	return f;
}

/* A message sent whole was edited on the channel of a split one. */
static bool is_whole_edited(const struct ladder *l, const struct shot *split)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		if (s->result == SHOT_EDITED && shot_same_channel(s, split) &&
		    !slice_eq_str(s->variant, "split"))
			return true;
	}
	return false;
}

static unsigned features_of(const struct ladder *l)
{
	unsigned f = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		if (s->result == SHOT_TIMER)
			f |= SIP_TIMER;
		if (s->is_inbound)
			continue;
		if (s->result == SHOT_EDITED && s->edits)
			f |= edited_features(s);
		if (s->role != ROLE_SIP && slice_eq_str(s->transport, "udp") &&
		    ladder_is_clean(l, s))
			f |= OTHER_PORTS_CLEAN;
		if (s->result == SHOT_CLEAN &&
		    slice_eq_str(s->variant, "split") && is_whole_edited(l, s))
			f |= SPLIT_KEPT;
		if (s->result == SHOT_REQUEST_DROPPED &&
		    slice_eq_str(s->variant, "low-rtp-port") &&
		    ladder_has_twin(l, s))
			f |= LOW_PORT_DROPPED;
	}
	if ((f & SAW_EDITS) && !(f & CALL_ID_EDITED))
		f |= CALL_ID_KEPT;
	return f;
}

static int score(enum fingerprint fp, unsigned features)
{
	int sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].fp == fp && (features & rules[i].feature))
			sum += rules[i].weight;
	}
	return sum;
}

static const char *confidence_name(int points)
{
	if (points < SCORE_LOW)
		return "none";
	if (points < SCORE_MEDIUM)
		return "low";
	return points < SCORE_HIGH ? "medium" : "high";
}

enum fingerprint fingerprint_find(struct val *evidence, struct report *r,
                                  const struct ladder *l)
{
	unsigned features = features_of(l);
	enum fingerprint best = FINGERPRINT_UNKNOWN;
	int best_score = SCORE_LOW - 1;
	struct val reasons = val_list();

	for (int fp = FINGERPRINT_UNKNOWN + 1; fp < FINGERPRINTS; fp++) {
		int points = score((enum fingerprint)fp, features);

		if (points > best_score) {
			best_score = points;
			best = (enum fingerprint)fp;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].fp == best && rules[i].reason &&
		    (features & rules[i].feature))
			(void)val_put(&r->arena, &r->no_memory, &reasons, NULL,
			              val_text(rules[i].reason));
	}
	*evidence = val_map();
	(void)val_put(&r->arena, &r->no_memory, evidence, "name",
	              val_text(fingerprint_name(best)));
	(void)val_put(&r->arena, &r->no_memory, evidence, "confidence",
	              val_text(confidence_name(best_score)));
	(void)val_put(&r->arena, &r->no_memory, evidence, "reasons", reasons);
	return best;
}
