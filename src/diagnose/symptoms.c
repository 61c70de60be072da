/* SPDX-License-Identifier: ISC */
/*
 * Design: weaker claims need stronger absence: "drops" is said only when the
 * same message passed to the control port and something else passed to this
 * one.
 */
#include "diagnose/symptoms.h"

#include <string.h>

#include "base/i18n.h"

/* What a phone says from its port, or the same from a new one. */
static bool is_of_session(const struct shot *s)
{
	return s->role == ROLE_SIP && !s->is_inbound && !s->is_reflection &&
	       slice_eq_str(s->transport, "udp") && s->result != SHOT_SKIPPED;
}

static const struct shot *find_like(const struct ladder *l,
                                    const struct shot *fresh, bool is_again)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		if (is_of_session(s) && !s->is_new_session &&
		    s->is_again == is_again && s->variant.n == 0 &&
		    shot_same_channel(s, fresh) &&
		    slice_eq(s->method, fresh->method))
			return s;
	}
	return NULL;
}

static bool is_edited(const struct shot *s)
{
	return s && s->result == SHOT_EDITED;
}

static bool is_unheard(const struct shot *s)
{
	return symptom_is_loss(s) || s->result == SHOT_ANSWER_DROPPED;
}

/* What becomes of the session from the phone's port, and not of a new one. */
enum stale {
	STALE_NOT,
	STALE_TOUCHED,
	STALE_DEAD, /* nothing passes */
};

/* Said only where every message that was sent both ways tells the same: an
 * edit twice, on both sides of the clean one; silence to two messages, each
 * of them tried in both sessions at the same time. */
static enum stale stale_of(const struct ladder *l)
{
	unsigned n_touched = 0, n_lost = 0, n_passed = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i], *old;

		if (!is_of_session(s))
			continue;
		if (!s->is_new_session) {
			n_passed += s->result == SHOT_CLEAN ||
			            s->result == SHOT_EDITED;
			continue;
		}
		old = find_like(l, s, false);
		if (!old || s->result != SHOT_CLEAN)
			return STALE_NOT;
		if (is_edited(old) && is_edited(find_like(l, s, true)))
			n_touched++;
		else if (is_unheard(old))
			n_lost++;
		else
			return STALE_NOT;
	}
	if (n_touched > 0)
		return STALE_TOUCHED;
	if (n_lost < 2)
		return STALE_NOT;
	return n_passed > 0 ? STALE_TOUCHED : STALE_DEAD;
}

/* The new session is a part of the proof. */
static bool is_session_dead(const struct ladder *l, const struct shot *s)
{
	return is_of_session(s) && (s->is_new_session || is_unheard(s)) &&
	       stale_of(l) == STALE_DEAD;
}

bool symptom_is_stale_alg(const struct ladder *l, const struct shot *s)
{
	return is_of_session(s) &&
	       (s->is_new_session || is_unheard(s) || is_edited(s)) &&
	       stale_of(l) == STALE_TOUCHED;
}

static bool is_corrupted(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return !s->is_inbound && shot_edit_kind(s) == EDIT_CORRUPTION;
}

static bool is_proxied(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	if (s->is_inbound || s->result != SHOT_EDITED || !s->edits)
		return false;
	for (const struct val_item *it = s->edits->items.first; it;
	     it = it->next) {
		if (edit_kind_of(&it->v) == EDIT_PROXY)
			return true;
	}
	return false;
}

bool symptom_is_rewrite(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return !s->is_inbound && s->result == SHOT_EDITED;
}

/* Without the edge's report nobody knows whether it was the request or its
 * answer; both are SIP. */
bool symptom_is_loss(const struct shot *s)
{
	return s->result == SHOT_REQUEST_DROPPED ||
	       (s->result == SHOT_NO_ANSWER && !s->is_inbound);
}

/* No phone sends such SDP: this shows an ALG, and harms nobody. */
static bool is_bad_media_dropped(const struct ladder *l, const struct shot *s)
{
	return symptom_is_loss(s) &&
	       (slice_eq_str(s->variant, "low-rtp-port") ||
	        slice_eq_str(s->variant, "no-connection-line")) &&
	       !ladder_is_shut(l, s) && ladder_has_twin(l, s) &&
	       !is_session_dead(l, s);
}

bool symptom_is_drop(const struct ladder *l, const struct shot *s)
{
	if (!symptom_is_loss(s) || is_bad_media_dropped(l, s) ||
	    is_session_dead(l, s))
		return false;
	/* a request towards the phone is only called dropped when the same
	 * one from another port arrived */
	return s->is_inbound ||
	       (!ladder_is_shut(l, s) && ladder_has_twin(l, s));
}

static bool is_answer_dropped(const struct ladder *l, const struct shot *s)
{
	return s->result == SHOT_ANSWER_DROPPED &&
	       ladder_has_answered_twin(l, s) && !is_session_dead(l, s);
}

static bool is_inbound_edited(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return s->is_inbound && s->result == SHOT_EDITED;
}

static bool is_pinhole(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return s->result == SHOT_PINHOLE;
}

static bool is_admitted(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return s->result == SHOT_ADMITTED;
}

static bool is_moved(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return s->result == SHOT_MOVED;
}

static bool is_timer(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return s->result == SHOT_TIMER;
}

static bool is_twin_lost(const struct ladder *l, const struct shot *s)
{
	UNUSED(l);
	return s->result == SHOT_TWINS;
}

/* Heaviest first. */
const struct symptom symptoms[] = {
	{"path.stale-session", FINDING_FAIL, FINDING_WARN,
         TROUBLE_SESSION | TROUBLE_LOSS, is_session_dead,
         N_("The session from the phone's port to %1$s is dead, while a new "
            "one passes."),
         N_("A box on the way still sends it where it led before a change, "
            "such as another address or line. A phone that repeats its "
            "registration keeps such a session alive, and does not register "
            "until the box has forgotten it. If it stays so afterwards, a "
            "rule of the box goes by the phone's own port, or the box has "
            "given that to another phone.")},
	{"alg.stale-session", FINDING_FAIL, FINDING_WARN,
         TROUBLE_SESSION | TROUBLE_ALG, symptom_is_stale_alg,
         N_("A SIP ALG touches the session from the phone's port to %1$s, and "
            "leaves a new one alone."),
         N_("A box treats a session as it did when it began: where its SIP "
            "ALG was turned off, this is what is left of it, and a phone "
            "keeps its session alive for ever. If it stays so after the "
            "sessions were cleared, the SIP ALG is on and goes by the "
            "phone's own port.")},
	{"alg.corrupts-sip", FINDING_FAIL, FINDING_WARN, TROUBLE_ALG,
         is_corrupted, N_("A SIP ALG damages the SIP messages on %1$s."),
         N_("What arrives is no longer correct SIP. Servers and phones "
            "refuse such messages or misread them: calls fail, and a phone "
            "may not even register.")},
	{"alg.acts-as-proxy", FINDING_FAIL, FINDING_WARN, TROUBLE_ALG,
         is_proxied,
         N_("A box on the way acts as a SIP proxy on %1$s, unasked."),
         N_("It puts itself into the route of the calls. Registration and "
            "calls then depend on that box and on what it understands.")},
	{"alg.rewrites-sip", FINDING_FAIL, FINDING_WARN, TROUBLE_ALG,
         symptom_is_rewrite, N_("A SIP ALG rewrites the SIP messages on %1$s."),
         N_("The provider's server no longer sees what the phone sent, and "
            "cannot correct the NAT itself. Typical results: one-way audio, "
            "calls that drop after some minutes, phones that stop ringing.")},
	{"alg.drops-sip", FINDING_FAIL, FINDING_WARN, TROUBLE_ALG,
         symptom_is_drop, N_("A SIP ALG drops some SIP messages on %1$s."),
         N_("The same messages pass on a port that is not SIP's. Calls that "
            "need them fail without an answer.")},
	{"alg.drops-answers", FINDING_FAIL, FINDING_WARN, TROUBLE_ALG,
         is_answer_dropped,
         N_("A SIP ALG drops the answers to SIP messages on %1$s."),
         N_("The requests arrive at the server, its answers do not come "
            "back. The phone keeps repeating itself and then gives up.")},
	{"alg.edits-inbound", FINDING_FAIL, FINDING_WARN, TROUBLE_ALG,
         is_inbound_edited,
         N_("A SIP ALG changes what the server sends to the phone on %1$s."),
         N_("Incoming calls may fail, and the phone cannot see that it is "
            "behind a NAT.")},
	{"alg.moves-binding", FINDING_FAIL, FINDING_FAIL, TROUBLE_STATE,
         is_moved,
         N_("The NAT gives a SIP session another port while it is in use."),
         N_("The server answers and calls at the port that it knows, and what "
            "it sends there is lost until the phone speaks again: the phone "
            "stops ringing.")},
	{"alg.opens-pinholes", FINDING_WARN, FINDING_WARN, TROUBLE_STATE,
         is_pinhole,
         N_("A SIP ALG reads the calls and opens media ports for them."),
         N_("No message was changed, but the box takes part in every call. "
            "Audio from another server of the provider may be refused.")},
	{"alg.opens-pinholes", FINDING_WARN, FINDING_WARN, TROUBLE_STATE,
         is_admitted,
         N_("A SIP ALG reads the registrations and lets the registrar call "
            "from any port."),
         N_("No message was changed, but the box decides who may call the "
            "phone: calls from another server of the provider may be "
            "refused.")},
	{"path.loses-twins", FINDING_WARN, FINDING_WARN, TROUBLE_STATE,
         is_twin_lost,
         N_("The network loses the second of two sessions that begin at once."),
         N_("What asks two things at the same moment waits for seconds: names "
            "resolve late, and a call may begin without voice.")},
	{"alg.drops-sip", FINDING_WARN, FINDING_WARN, TROUBLE_ALG,
         is_bad_media_dropped, N_("A SIP ALG drops some SIP messages on %1$s."),
         N_("Only calls whose media port is below 1024 were dropped, which no "
            "phone uses; but the box reads and judges SIP.")},
	{"alg.stretches-timer", FINDING_NOTE, FINDING_NOTE, TROUBLE_STATE,
         is_timer,
         N_("The network keeps sessions on the SIP port longer than others."),
         N_("A box on the way knows SIP, though it changed nothing in this "
            "test. A time-out measured on the SIP port does not hold for "
            "the voice.")},
	{.id = NULL},
};

bool symptom_is_any(const struct ladder *l, const struct shot *s)
{
	for (const struct symptom *sy = symptoms; sy->id; sy++) {
		if (sy->is_shown(l, s))
			return true;
	}
	return false;
}

bool symptom_is_told(const struct ladder *l, const struct symptom *sy)
{
	bool unused = false;

	for (const struct symptom *up = symptoms; up < sy; up++) {
		if (strcmp(up->id, sy->id) == 0 &&
		    ladder_is_seen(l, up->is_shown, &unused))
			return true;
	}
	return false;
}
