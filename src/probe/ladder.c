/* SPDX-License-Identifier: ISC */
/*
 * Design: a flat list of shots, planned twice. The alternative, a tree in
 * which every answer chooses the next question, needs a round trip for each
 * level; on a path of 300 ms that is what users wait for. Two stages send
 * what is independent together and still cost a clean network little.
 *
 * A shot is a drop only by comparison: the same message must have reached the
 * twin port. Otherwise a lossy path, a small MTU or a dead edge would be
 * called an ALG.
 */
#include "probe/ladder.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

enum {
	MIN_RTO_MS = 60,
	START_RTO_MS = 400, /* before the first round trip is known */
	OPEN_ROUNDS = 4,    /* TCP and TLS */
	TALK_ROUNDS = 4,
	PAD_BYTES = 2200, /* two fragments on every Ethernet path */
};

/* A run asks some twenty messages: one in thousands accuses by chance. */
#define CHANCE 1e-4

static const struct ladder_spec first_stage[] = {
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_OPTIONS, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP_ALT, LADDER_OPTIONS, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER,
         SIP_CANARY_COMPACT | SIP_CANARY_FOLDED | SIP_CANARY_ODD_CASE |
                 SIP_CANARY_CONTACT_NO_PORT | SIP_CANARY_HOST_CONTACT,
         0, 0, "unusual-form"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_UNKNOWN_METHOD,
         SIP_CANARY_LONG_LINE | SIP_CANARY_LONG_URI, 0, 0, "unusual-size"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_MESSAGE, SIP_CANARY_TEXT_BODY_V, 0, 0,
         NULL},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_CRLF, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_PLAIN, 0, 0, 0, NULL},
	{WIRE_TCP, WIRE_ROLE_SIP, LADDER_OPTIONS, 0, 0, 0, NULL},
	{WIRE_TLS, WIRE_ROLE_SIP, LADDER_OPTIONS, 0, 0, 0, NULL},
};

/* What an anomaly makes worth knowing: for the fingerprint, and to see where
 * calls are safe today. */
static const struct ladder_spec second_stage[] = {
	{WIRE_UDP, WIRE_ROLE_TWIN, LADDER_OPTIONS, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP_ALT, LADDER_REGISTER, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP_ALT, LADDER_INVITE, 0, 0, 0, NULL},
	{WIRE_TLS, WIRE_ROLE_SIP, LADDER_REGISTER, 0, 0, 0, NULL},
	{WIRE_TLS, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, NULL},
	{WIRE_TCP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, NULL},
	{WIRE_TCP, WIRE_ROLE_SIP, LADDER_OPTIONS, 0, 0, LADDER_SPLIT, "split"},
	{WIRE_TCP, WIRE_ROLE_SIP_ALT, LADDER_OPTIONS, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_TWIN, LADDER_INVITE, 0, 0, 0, NULL},
	/* what a router quotes ends after some 500 bytes: here SDP is within */
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE,
         SIP_CANARY_SHORT | SIP_CANARY_COMPACT, 0, 0, "short"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, SIP_CANARY_LOW_RTP_PORT, 0, 0,
         "low-rtp-port"},
	{WIRE_UDP, WIRE_ROLE_TWIN, LADDER_INVITE, SIP_CANARY_LOW_RTP_PORT, 0, 0,
         "low-rtp-port"},
};

enum {
	FEW_CALLS = 6, /* of full_stage: the first, as a small office does */
};

/* What a single phone does not do alone. The second phone comes right after
 * the call whose media port it announces too: Linux's ALG remembers the last
 * one only. */
static const struct ladder_spec full_stage[] = {
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, LADDER_CALL_1},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, LADDER_SECOND_PHONE,
         "second-phone"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-2"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-3"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-4"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-5"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-6"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-7"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, 0, 0, 0, "call-8"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, SIP_CANARY_LOW_RTP_PORT, 0, 0,
         "low-rtp-port"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, SIP_CANARY_NO_SDP_C, 0, 0,
         "no-connection-line"},
};

static const struct ladder_spec via_no_port = {
	WIRE_UDP, WIRE_ROLE_SIP, LADDER_OPTIONS, SIP_CANARY_VIA_NO_PORT, 0,
	0,        "via-no-port",
};

/* The unusual messages of the first stage, one oddity at a time. The one of
 * unusual size is fragmented too, on every Ethernet path. */
static const struct ladder_spec oddities[] = {
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER, SIP_CANARY_COMPACT, 0, 0,
         "compact"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER, SIP_CANARY_FOLDED, 0, 0,
         "folded"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER, SIP_CANARY_ODD_CASE, 0, 0,
         "odd-case"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER, SIP_CANARY_CONTACT_NO_PORT,
         0, 0, "contact-no-port"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER, SIP_CANARY_HOST_CONTACT, 0,
         0, "contact-host"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_UNKNOWN_METHOD, 0, 0, 0, NULL},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_OPTIONS, SIP_CANARY_LONG_LINE, 0, 0,
         "long-line"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_OPTIONS, SIP_CANARY_LONG_URI, 0, 0,
         "long-uri"},
	{WIRE_UDP, WIRE_ROLE_SIP, LADDER_OPTIONS, 0, PAD_BYTES, 0,
         "fragmented"},
};

void ladder_init(struct ladder *l, int64_t srtt_ns, bool has_reports)
{
	*l = (struct ladder){
		.srtt_ns = srtt_ns,
		.gap_ns = 2 * NS_PER_MS,
		.has_reports = has_reports,
	};
}

static bool is_same_variant(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int ladder_find(const struct ladder *l, enum wire_transport transport,
                enum wire_role role, enum ladder_what what, const char *variant)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_spec *s = &l->shots[i].spec;

		if (s->transport == transport && s->role == role &&
		    s->what == what && is_same_variant(s->variant, variant))
			return (int)i;
	}
	return LADDER_NONE;
}

static bool has_port(const struct ladder *l, const struct ladder_spec *spec)
{
	if (spec->transport == WIRE_TLS)
		return !(l->missing & LADDER_NO_TLS);
	if (spec->role == WIRE_ROLE_SIP_ALT)
		return !(l->missing & LADDER_NO_ALT);
	if (spec->role == WIRE_ROLE_SIP)
		return !(l->missing & LADDER_NO_SIP);
	return spec->role != WIRE_ROLE_TWIN || !(l->missing & LADDER_NO_TWIN);
}

int ladder_add(struct ladder *l, const struct ladder_spec *spec)
{
	if (l->n == LADDER_MAX_SHOTS || !has_port(l, spec) ||
	    ladder_find(l, spec->transport, spec->role, spec->what,
	                spec->variant) != LADDER_NONE)
		return LADDER_NONE;
	l->shots[l->n] = (struct ladder_shot){.spec = *spec};
	return (int)l->n++;
}

void ladder_plan_first(struct ladder *l, bool is_src_5060)
{
	for (size_t i = 0; i < ARRAY_LEN(first_stage); i++) {
		struct ladder_spec spec = first_stage[i];

		if (is_src_5060 && (spec.flags & SIP_CANARY_CONTACT_NO_PORT))
			spec.flags |= SIP_CANARY_VIA_NO_PORT;
		(void)ladder_add(l, &spec);
	}
}

static bool is_main_sip(const struct ladder_spec *s)
{
	return s->role == WIRE_ROLE_SIP && s->transport != WIRE_TLS;
}

static bool is_lost(const struct ladder_shot *s)
{
	return !s->is_answered && !s->is_refused && !s->is_seen;
}

static bool is_odd(const struct ladder_shot *s)
{
	return s->is_edited || s->is_refused || !s->is_answered;
}

/* A lost datagram says something only beside its twin, and at the same time:
 * a line may have been down for a moment. */
static void plan_twin(struct ladder *l, struct ladder_shot *s, unsigned n_again)
{
	struct ladder_spec spec = s->spec;

	if (spec.transport != WIRE_UDP || s->is_answered || s->is_refused ||
	    spec.role == WIRE_ROLE_TWIN)
		return;
	s->n_again = n_again;
	s->is_closed = false;
	spec.role = WIRE_ROLE_TWIN;
	(void)ladder_add(l, &spec);
}

static void plan_twins(struct ladder *l)
{
	for (size_t i = 0, n = l->n; i < n; i++)
		plan_twin(l, &l->shots[i], LADDER_AGAIN);
}

static void plan_oddities(struct ladder *l)
{
	for (size_t i = 0; i < ARRAY_LEN(oddities); i++) {
		const struct ladder_spec *o = &oddities[i];
		bool is_form = o->what == LADDER_REGISTER;
		int whole = ladder_find(
			l, WIRE_UDP, WIRE_ROLE_SIP,
			is_form ? LADDER_REGISTER : LADDER_UNKNOWN_METHOD,
			is_form ? "unusual-form" : "unusual-size");
		struct ladder_spec twin = *o;

		if (whole == LADDER_NONE || !is_lost(&l->shots[whole]))
			continue;
		(void)ladder_add(l, o);
		twin.role = WIRE_ROLE_TWIN;
		(void)ladder_add(l, &twin);
	}
}

/* A box may treat one session as it was begun, and new ones otherwise. The
 * port of a phone is one that may have been known before this run. One edit
 * tells, as chance makes none; of what is lost all is asked, and the known
 * session is tried again beside it. */
static void plan_sessions(struct ladder *l)
{
	static const enum ladder_what whats[] = {
		LADDER_OPTIONS, LADDER_REGISTER, LADDER_INVITE};
	bool has_edit = false;

	for (size_t i = 0; i < ARRAY_LEN(whats); i++) {
		int known =
			ladder_find(l, WIRE_UDP, WIRE_ROLE_SIP, whats[i], NULL);
		bool is_edited;
		struct ladder_spec spec = {
			.transport = WIRE_UDP,
			.role = WIRE_ROLE_SIP,
			.what = whats[i],
			.how = LADDER_FRESH,
			.variant = LADDER_NEW,
		};

		if (known == LADDER_NONE || !is_odd(&l->shots[known]))
			continue;
		is_edited = l->shots[known].is_edited;
		if (is_edited && has_edit)
			continue;
		has_edit |= is_edited;
		(void)ladder_add(l, &spec);
		spec.how = 0;
		spec.variant = LADDER_OLD;
		if (is_edited)
			(void)ladder_add(l, &spec);
	}
}

static void plan_full(struct ladder *l)
{
	for (size_t i = 0; i < ARRAY_LEN(full_stage); i++)
		(void)ladder_add(l, &full_stage[i]);
	for (size_t i = 0; i < ARRAY_LEN(full_stage); i++) {
		struct ladder_spec twin = full_stage[i];

		twin.role = WIRE_ROLE_TWIN;
		(void)ladder_add(l, &twin);
	}
}

static void plan_streams(struct ladder *l)
{
	for (size_t i = 0; i < ARRAY_LEN(second_stage); i++) {
		if (second_stage[i].transport != WIRE_UDP)
			(void)ladder_add(l, &second_stage[i]);
	}
}

bool ladder_is_udp_silent(const struct ladder *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_shot *s = &l->shots[i];

		if (s->spec.transport == WIRE_UDP && s->n_sent > 0 &&
		    !is_lost(s))
			return false;
	}
	return true;
}

static bool has_twin(const struct ladder *l, const struct ladder_shot *s)
{
	return ladder_find(l, s->spec.transport, WIRE_ROLE_TWIN, s->spec.what,
	                   s->spec.variant) != LADDER_NONE;
}

size_t ladder_n_late(const struct ladder *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_shot *s = &l->shots[i];

		n += s->spec.transport == WIRE_UDP &&
		     s->spec.role == WIRE_ROLE_SIP && s->n_sent > 1 &&
		     (s->is_answered || (is_lost(s) && !has_twin(l, s)));
	}
	return n;
}

size_t ladder_plan_second(struct ladder *l, const struct ladder_signs *signs)
{
	bool has_anomaly = signs->is_answer_edited ||
	                   signs->is_inbound_edited || signs->is_pinhole_open;
	size_t n = l->n;

	if (l->is_refined)
		return 0;
	l->is_refined = true;
	for (size_t i = 0; i < n; i++)
		has_anomaly |=
			is_main_sip(&l->shots[i].spec) && is_odd(&l->shots[i]);
	l->is_plain = !has_anomaly;
	if (has_anomaly && signs->is_udp_shut) {
		plan_streams(l);
	} else if (has_anomaly) {
		plan_twins(l);
		plan_oddities(l);
		for (size_t i = 0; i < ARRAY_LEN(second_stage); i++)
			(void)ladder_add(l, &second_stage[i]);
		if (signs->is_src_5060) {
			(void)ladder_add(l, &via_no_port);
			plan_sessions(l);
		}
	} else if (signs->is_natted) {
		/* An ALG beyond the first NAT knows only the address that this
		 * NAT gave us. */
		(void)ladder_add(l, &(struct ladder_spec){
					    .transport = WIRE_UDP,
					    .role = WIRE_ROLE_SIP,
					    .what = LADDER_OPTIONS,
					    .how = LADDER_PUBLIC,
					    .variant = "public-address",
				    });
	}
	if (l->is_full && !signs->is_udp_shut)
		plan_full(l);
	return l->n - n;
}

size_t ladder_plan_calls(struct ladder *l, const struct ladder_signs *signs)
{
	size_t n = l->n;

	if (!l->is_plain || l->is_full || signs->is_udp_shut)
		return 0;
	for (size_t i = 0; i < FEW_CALLS; i++)
		(void)ladder_add(l, &full_stage[i]);
	return l->n - n;
}

void ladder_plan_call_twins(struct ladder *l)
{
	for (size_t i = 0; i < FEW_CALLS; i++) {
		const struct ladder_spec *sp = &full_stage[i];
		int call = ladder_find(l, sp->transport, sp->role, sp->what,
		                       sp->variant);
		struct ladder_shot *s;

		if (call == LADDER_NONE)
			continue;
		s = &l->shots[call];
		if (is_lost(s) && s->n_sent >= LADDER_SOON && !has_twin(l, s))
			plan_twin(l, s, 1);
	}
}

static int64_t first_rto_ns(const struct ladder *l)
{
	int64_t rto = 2 * l->srtt_ns + 20 * NS_PER_MS;

	if (!l->srtt_ns)
		return START_RTO_MS * NS_PER_MS;
	return rto < MIN_RTO_MS * NS_PER_MS ? MIN_RTO_MS * NS_PER_MS : rto;
}

/* Only the first and the last try are waited for; the others follow sooner on
 * a long path, so that a drop is known in seconds there too. */
static int64_t rto_ns(const struct ladder *l, unsigned n_sent)
{
	const int64_t max = LADDER_MAX_GAP_MS * NS_PER_MS;
	int64_t first = first_rto_ns(l), rto = first;

	for (unsigned i = 1; i < n_sent && rto < max; i++)
		rto += rto / 2;
	if (rto > max)
		rto = max;
	if (rto < first && (n_sent == 1 || n_sent >= LADDER_TRIES))
		rto = first;
	return rto;
}

/* The shortest time that an answer took. */
static int64_t least_rtt_ns(const struct ladder *l)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_shot *s = &l->shots[i];
		int64_t took = s->answered_ns - s->first_ns;

		if (s->spec.transport == WIRE_UDP && s->is_answered &&
		    took < least)
			least = took;
	}
	return least;
}

/* Whether tries of the answered messages got lost so often that all of one
 * may be, by chance. A try whose answer may still have been on its way when
 * the first came counts for nothing. */
static bool may_be_chance(const struct ladder *l,
                          const struct ladder_shot *lost)
{
	const int64_t rtt_ns = least_rtt_ns(l);
	unsigned n_heard = 0, n_lost = 0;
	double all = 1;

	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_shot *s = &l->shots[i];
		unsigned n_tries = 0;

		if (s->spec.transport != WIRE_UDP || !s->is_answered)
			continue;
		for (unsigned t = 0; t < s->n_sent; t++)
			n_tries += s->sent_ns[t] + rtt_ns <= s->answered_ns;
		n_heard++;
		n_lost += n_tries > 1 ? n_tries - 1 : 0;
	}
	for (unsigned t = 0; t < lost->n_sent; t++)
		all *= (double)(n_lost + 1) / (n_lost + n_heard + 2);
	return n_heard > 0 && all > CHANCE; /* no chance takes every answer */
}

/* Tries used up or time over. */
static bool is_spent(const struct ladder *l, const struct ladder_shot *s)
{
	if (s->spec.transport != WIRE_UDP)
		return s->n_sent >= 1;
	return s->n_sent >= LADDER_TRIES + s->n_again &&
	       (!s->n_again || s->n_sent >= LADDER_TRIES_MAX ||
	        !may_be_chance(l, s));
}

int64_t ladder_next(struct ladder *l, int *shot, int64_t now_ns)
{
	int64_t next = INT64_MAX;

	*shot = LADDER_NONE;
	for (size_t i = 0; i < l->n; i++) {
		struct ladder_shot *s = &l->shots[i];
		int64_t at = s->due_ns;

		if (s->is_closed)
			continue;
		if (at <= now_ns && is_spent(l, s)) {
			s->is_closed = true;
			continue;
		}
		if (at < l->quiet_until_ns && !is_spent(l, s))
			at = l->quiet_until_ns;
		if (at <= now_ns) {
			*shot = (int)i;
			return now_ns;
		}
		if (at < next)
			next = at;
	}
	return next;
}

static int64_t known_rtt_ns(const struct ladder *l)
{
	return l->srtt_ns ? l->srtt_ns : START_RTO_MS * NS_PER_MS;
}

void ladder_on_sent(struct ladder *l, int shot, int64_t now_ns)
{
	struct ladder_shot *s = &l->shots[shot];

	assert(s->n_sent < ARRAY_LEN(s->sent_ns));
	s->sent_ns[s->n_sent] = now_ns;
	if (s->n_sent++ == 0)
		s->first_ns = now_ns;
	if (s->spec.transport == WIRE_UDP) {
		s->due_ns = now_ns + rto_ns(l, s->n_sent);
		l->quiet_until_ns = now_ns + l->gap_ns;
	} else {
		s->due_ns = now_ns + LADDER_OPEN_MS * NS_PER_MS +
		            OPEN_ROUNDS * known_rtt_ns(l);
	}
}

void ladder_on_open(struct ladder *l, int shot, int64_t now_ns)
{
	struct ladder_shot *s = &l->shots[shot];

	s->is_open = true;
	s->open_ns = now_ns;
	s->due_ns = now_ns + LADDER_TALK_MS * NS_PER_MS +
	            TALK_ROUNDS * known_rtt_ns(l);
	/* RFC 6298, 5.7: without a round trip from the handshake the first
	 * retransmission is due after three seconds */
	if (now_ns - s->first_ns >= LADDER_SYN_AGAIN_MS * NS_PER_MS)
		s->due_ns += LADDER_FALLBACK_MS * NS_PER_MS;
}

void ladder_on_answer(struct ladder *l, int shot, int64_t now_ns)
{
	struct ladder_shot *s = &l->shots[shot];
	int64_t rtt = now_ns - s->first_ns;

	if (!s->is_closed && s->n_sent == 1 && s->spec.transport == WIRE_UDP &&
	    rtt > 0)
		l->srtt_ns = l->srtt_ns ? (7 * l->srtt_ns + rtt) / 8 : rtt;
	if (!s->is_answered)
		s->answered_ns = now_ns;
	s->is_answered = true;
	s->is_refused = false;
	s->is_closed = true;
}

void ladder_on_arrival(struct ladder *l, int shot, bool is_edited)
{
	l->shots[shot].is_seen = true;
	l->shots[shot].is_arrival_known = true;
	l->shots[shot].is_edited |= is_edited;
}

void ladder_on_seen(struct ladder *l, int shot)
{
	l->shots[shot].is_seen = true;
}

void ladder_on_refused(struct ladder *l, int shot)
{
	struct ladder_shot *s = &l->shots[shot];

	if (s->is_answered)
		return;
	s->is_refused = true;
	s->is_closed = true;
}

void ladder_on_stream_end(struct ladder *l, int shot)
{
	l->shots[shot].is_closed = true;
}

bool ladder_passes(const struct ladder *l, enum wire_transport transport,
                   enum wire_role role)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ladder_shot *s = &l->shots[i];

		if (s->spec.transport == transport && s->spec.role == role &&
		    (s->is_answered || s->is_seen))
			return true;
	}
	return false;
}

static enum ladder_result judge_lost(const struct ladder *l,
                                     const struct ladder_shot *s)
{
	const struct ladder_spec *sp = &s->spec;
	bool is_plain = is_same_variant(sp->variant, LADDER_NEW) ||
	                is_same_variant(sp->variant, LADDER_OLD);
	int twin = ladder_find(l, sp->transport, WIRE_ROLE_TWIN, sp->what,
	                       is_plain ? NULL : sp->variant);
	bool twin_passes = twin != LADDER_NONE && l->shots[twin].is_answered;

	/* Where only one of many messages is lost, the port is open. */
	if (!ladder_passes(l, sp->transport, sp->role))
		return sp->role != WIRE_ROLE_TWIN &&
		                       ladder_passes(l, sp->transport,
		                                     WIRE_ROLE_TWIN)
		               ? LADDER_BLOCKED
		               : LADDER_NO_ANSWER;
	/* two SYNs lost cost three seconds: that says nothing of a message
	 * which has never left */
	if (sp->transport != WIRE_UDP && !s->is_open)
		return LADDER_NOT_CONNECTED;
	if (sp->transport == WIRE_UDP && may_be_chance(l, s))
		return LADDER_LOSSY;
	if (twin_passes && l->has_reports)
		return LADDER_REQUEST_DROPPED;
	return LADDER_NO_ANSWER;
}

static enum ladder_result judge(const struct ladder *l,
                                const struct ladder_shot *s)
{
	if (s->n_sent == 0)
		return LADDER_UNDECIDED;
	if (s->is_arrival_known && s->is_edited)
		return LADDER_EDITED;
	/* broken off while an answer may still come: silence accuses nobody */
	if (!s->is_closed)
		return LADDER_UNDECIDED;
	if (s->is_answered) {
		/* a keep-alive is too short to be mirrored; its pong is all */
		if (s->is_arrival_known || s->spec.what == LADDER_CRLF)
			return LADDER_CLEAN;
		return LADDER_UNKNOWN;
	}
	if (s->is_seen && s->spec.transport == WIRE_UDP && may_be_chance(l, s))
		return LADDER_LOSSY;
	if (s->is_seen)
		return LADDER_ANSWER_DROPPED;
	if (s->is_refused)
		return LADDER_REFUSED;
	return judge_lost(l, s);
}

void ladder_judge(struct ladder *l)
{
	for (size_t i = 0; i < l->n; i++)
		l->shots[i].result = judge(l, &l->shots[i]);
}

const char *ladder_result_name(enum ladder_result r)
{
	static const char *const names[] = {
		[LADDER_UNDECIDED] = "skipped",
		[LADDER_CLEAN] = "clean",
		[LADDER_EDITED] = "edited",
		[LADDER_REQUEST_DROPPED] = "request-dropped",
		[LADDER_ANSWER_DROPPED] = "answer-dropped",
		[LADDER_BLOCKED] = "blocked",
		[LADDER_REFUSED] = "refused",
		[LADDER_NO_ANSWER] = "no-answer",
		[LADDER_LOSSY] = "lossy",
		[LADDER_NOT_CONNECTED] = "not-connected",
		[LADDER_UNKNOWN] = "unknown",
	};

	return names[r];
}

const char *ladder_what_name(enum ladder_what w)
{
	static const char *const names[] = {
		[LADDER_OPTIONS] = "OPTIONS",
		[LADDER_REGISTER] = "REGISTER",
		[LADDER_INVITE] = "INVITE",
		[LADDER_MESSAGE] = "MESSAGE",
		[LADDER_UNKNOWN_METHOD] = "UNKNOWN",
		[LADDER_CRLF] = "CRLF",
		[LADDER_PLAIN] = "PLAIN",
	};

	return names[w];
}

const char *ladder_role_name(const struct ladder_spec *spec)
{
	if (spec->transport == WIRE_TLS)
		return "tls";
	switch (spec->role) {
	case WIRE_ROLE_SIP:
		return "sip";
	case WIRE_ROLE_SIP_ALT:
		return "sip-alt";
	case WIRE_ROLE_TWIN:
		return "control";
	case WIRE_ROLE_STUN:
		return "stun";
	case WIRE_ROLE_CONTROL:
		return "session";
	}
	return "?";
}
