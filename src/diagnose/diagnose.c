/* SPDX-License-Identifier: ISC */
/*
 * Design: a SIP ALG shows by many symptoms at once: it rewrites, drops what
 * it cannot read, opens media ports and stretches a timer. They are one cause
 * and one remedy, so the symptoms stand in a table by weight; the heaviest
 * one that was seen gives the finding its id, and the others join it as
 * facts and as `also`. Blocked paths are causes of their own.
 */
#include "diagnose/diagnose.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/i18n.h"
#include "diagnose/causes.h"
#include "diagnose/fingerprint.h"
#include "diagnose/here.h"
#include "diagnose/ladder.h"
#include "diagnose/remedies.h"
#include "diagnose/symptoms.h"

enum {
	EDITS_MAX = 40, /* different edits that a finding repeats */
};

static struct val *put(struct report *r, struct val *into, const char *key,
                       struct val v)
{
	return val_put(&r->arena, &r->no_memory, into, key, v);
}

/* "5060/UDP": upper case, for humans and machines alike. */
static void put_channel(struct wr *w, const struct shot *s)
{
	if (s->port == 0) {
		wr_str(w, "SIP");
		return;
	}
	wr_fmt(w, "%lld/", (long long)s->port);
	for (size_t i = 0; i < s->transport.n; i++) {
		uint8_t c = s->transport.p[i];

		wr_u8(w, c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c);
	}
}

static const char *keep(struct report *r, struct wr *w)
{
	const char *text = report_text(r, wr_slice(w));

	r->no_memory |= w->bad;
	wr_fini(w);
	return text;
}

static const char *channel_text(struct report *r, const struct shot *s)
{
	struct wr w = wr_init_heap();

	put_channel(&w, s);
	return keep(r, &w);
}

/* The channels with a shot that @p is_shown picks: "5060/UDP, 5060/TCP". */
static const char *channels_text(struct report *r, const struct ladder *l,
                                 shot_fn *is_shown)
{
	struct wr w = wr_init_heap();

	for (size_t i = 0; i < l->n; i++) {
		bool is_new = is_shown(l, &l->shots[i]);

		for (size_t k = 0; is_new && k < i; k++)
			is_new = !(
				is_shown(l, &l->shots[k]) &&
				shot_same_channel(&l->shots[k], &l->shots[i]));
		if (!is_new)
			continue;
		wr_str(&w, w.n > 0 ? ", " : "");
		put_channel(&w, &l->shots[i]);
	}
	return keep(r, &w);
}

static bool same_edit(const struct val *a, const struct val *b)
{
	return slice_eq(val_get_text(a, "field"), val_get_text(b, "field")) &&
	       slice_eq(val_get_text(a, "class"), val_get_text(b, "class"));
}

static bool has_edit(const struct val *edits, const struct val *edit)
{
	for (const struct val_item *it = edits->items.first; it;
	     it = it->next) {
		if (same_edit(&it->v, edit))
			return true;
	}
	return false;
}

/* Each place once, by the first message that shows it. */
static void add_edits(struct report *r, struct val *edits, const struct shot *s)
{
	if (s->result != SHOT_EDITED || !s->edits)
		return;
	for (const struct val_item *it = s->edits->items.first; it;
	     it = it->next) {
		if (edits->items.n < EDITS_MAX && !has_edit(edits, &it->v))
			(void)put(r, edits, NULL, it->v);
	}
}

static void locate(struct report *r, struct finding *fd, const struct ladder *l)
{
	static const char *const keys[] = {
		"hop",       "address",      "hop_min",
		"hop_max",   "last_address", "next_address",
		"direction", "method",       "basis"};
	static const char *const bytes[] = {"before", "after", "at"};
	struct val *box;

	if (!l->location)
		return;
	finding_because(r, fd, l->location);
	box = put(r, &fd->evidence, "location", val_map());
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct val *v = val_get(&l->location->fields, keys[i]);

		if (v && v->kind != VAL_NULL)
			(void)put(r, box, keys[i], *v);
	}
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		const struct val *v = val_get(&l->location->evidence, bytes[i]);

		if (v)
			(void)put(r, box, bytes[i], *v);
	}
}

/* A range may span the router and the carrier: then nobody is accused. */
static enum segment segment_of(const struct ladder *l)
{
	const struct val *fields = l->location ? &l->location->fields : NULL;
	int64_t hop = val_get_int(fields, "hop", 0);
	struct addr a;

	if (hop < 1)
		return SEGMENT_UNKNOWN;
	if (hop == 1)
		return SEGMENT_ROUTER;
	if (l->hops_to_edge > 0 && hop >= l->hops_to_edge)
		return SEGMENT_PROVIDER;
	if (addr_parse(&a, val_get_text(fields, "address")))
		return SEGMENT_UNKNOWN;
	return addr_is_private(&a) ? SEGMENT_LAN : SEGMENT_CARRIER;
}

static enum act act_of(enum segment s)
{
	if (s == SEGMENT_CARRIER)
		return ACT_CARRIER;
	return s == SEGMENT_PROVIDER ? ACT_PROVIDER : ACT_CUSTOMER;
}

/* What passed unchanged beside the trouble: the way around it. */
static void add_clean(struct report *r, struct finding *fd,
                      const struct ladder *l)
{
	struct val clean = val_list();

	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		if (shot_is_phone_port(s) && ladder_is_first(l, s) &&
		    ladder_is_clean(l, s))
			(void)put(r, &clean, NULL,
			          val_text(channel_text(r, s)));
	}
	(void)put(r, &fd->evidence, "clean", clean);
}

static void add_also(struct report *r, struct finding *fd,
                     const struct ladder *l, const struct symptom *head)
{
	struct val also = val_list();
	bool unused = false;

	for (const struct symptom *sy = head + 1; sy->id; sy++) {
		/* what is damaged or routed is rewritten as well */
		if ((sy->is_shown == symptom_is_rewrite &&
		     head->is_shown != symptom_is_stale_alg) ||
		    symptom_is_told(l, sy))
			continue;
		if (ladder_is_seen(l, sy->is_shown, &unused))
			(void)put(r, &also, NULL, val_text(sy->id));
	}
	if (also.items.n > 0)
		(void)put(r, &fd->evidence, "also", also);
}

static void add_alg(struct report *r, const struct ladder *l,
                    const struct symptom *sy, bool is_on_sip)
{
	enum fingerprint fp = FINGERPRINT_UNKNOWN;
	struct finding *fd;
	struct val edits = val_list(), inbound = val_list(), print;

	fd = report_finding(r, sy->id, is_on_sip ? sy->on_sip : sy->elsewhere);
	fd->title =
		(struct words){sy->title, {channels_text(r, l, sy->is_shown)}};
	fd->detail = (struct words){.msgid = sy->detail};
	for (size_t i = 0; i < l->n; i++) {
		if (!symptom_is_any(l, &l->shots[i]))
			continue;
		finding_because(r, fd, l->shots[i].fact);
		add_edits(r, l->shots[i].is_inbound ? &inbound : &edits,
		          &l->shots[i]);
	}
	locate(r, fd, l);
	fd->segment = segment_of(l);
	fd->act = act_of(fd->segment);
	if (edits.items.n > 0)
		(void)put(r, &fd->evidence, "edits", edits);
	if (inbound.items.n > 0)
		(void)put(r, &fd->evidence, "inbound_edits", inbound);
	add_also(r, fd, l, sy);
	if (sy->trouble & (TROUBLE_ALG | TROUBLE_STATE)) {
		fp = fingerprint_find(&print, r, l);
		(void)put(r, &fd->evidence, "fingerprint", print);
	}
	add_clean(r, fd, l);
	remedies_add(r, fd, l, sy->trouble, fp);
}

static bool find_alg(struct report *r, const struct ladder *l)
{
	for (const struct symptom *sy = symptoms; sy->id; sy++) {
		bool is_on_sip = false;

		if (ladder_is_seen(l, sy->is_shown, &is_on_sip)) {
			add_alg(r, l, sy, is_on_sip);
			return true;
		}
	}
	return false;
}

/* Paths: what is blocked, whatever it carries. */

struct tally {
	bool udp_passed, udp_lost;
	bool tcp_passed, tcp_lost; /* TLS too */
	bool sip_passed;           /* a SIP port of any kind, role "sip" */
};

static struct tally count(const struct ladder *l)
{
	struct tally t = {0};

	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];
		bool is_udp = slice_eq_str(s->transport, "udp");

		if (shot_has_passed(s)) {
			t.udp_passed |= is_udp;
			t.tcp_passed |= !is_udp;
			t.sip_passed |= s->role == ROLE_SIP;
		} else if (shot_is_lost(s)) {
			t.udp_lost |= is_udp;
			t.tcp_lost |= !is_udp;
		}
	}
	return t;
}

static bool is_shut_udp(const struct ladder *l, const struct shot *s)
{
	return slice_eq_str(s->transport, "udp") && ladder_is_shut(l, s);
}

static bool is_shut_sip(const struct ladder *l, const struct shot *s)
{
	return shot_is_phone_port(s) && ladder_is_shut(l, s);
}

static bool is_shut_udp_sip(const struct ladder *l, const struct shot *s)
{
	return slice_eq_str(s->transport, "udp") && is_shut_sip(l, s);
}

/* All of UDP may be shut; then only the other transports are told apart. */
static bool is_shut_stream(const struct ladder *l, const struct shot *s)
{
	return !slice_eq_str(s->transport, "udp") && is_shut_sip(l, s);
}

struct block {
	const char *id;
	enum trouble trouble;
	const char *title;
	const char *detail;
};

static const struct block blocks[] = {
	{"path.udp-blocked", TROUBLE_UDP,
         N_("The network lets no UDP through to the server (%1$s)."),
         N_("Most phones register by UDP, and the voice itself always needs "
            "it.")},
	{"path.sip-port-blocked", TROUBLE_PORT,
         N_("The network blocks %1$s, while other ports pass."),
         N_("Phones that are set to these ports cannot register or call.")},
	{"path.unreachable", TROUBLE_PORT | TROUBLE_UDP,
         N_("The server can be reached, but none of its SIP ports (%1$s)."),
         N_("No phone can register by any transport that was tried.")},
};

enum {
	BLOCK_UDP,
	BLOCK_PORT,
	BLOCK_ALL,
};

static void add_block(struct report *r, const struct ladder *l,
                      const struct block *b, enum finding_severity severity,
                      shot_fn *is_shown)
{
	struct finding *fd = report_finding(r, b->id, severity);

	fd->title = (struct words){b->title, {channels_text(r, l, is_shown)}};
	fd->detail = (struct words){.msgid = b->detail};
	fd->act = ACT_CUSTOMER;
	for (size_t i = 0; i < l->n; i++) {
		if (is_shown(l, &l->shots[i]))
			finding_because(r, fd, l->shots[i].fact);
	}
	if (ladder_is_followed(l, is_shown))
		locate(r, fd, l);
	add_clean(r, fd, l);
	remedies_add(r, fd, l, b->trouble, FINGERPRINT_UNKNOWN);
}

static bool is_main(const struct ladder *l, shot_fn *is_shown)
{
	bool is_on_sip = false;

	return ladder_is_seen(l, is_shown, &is_on_sip) && is_on_sip;
}

/* What lets so little through explains a silent edge, too. */
static bool is_shut(const struct finding *fd)
{
	static const char *const ids[] = {"path.captive-portal", "path.no-way",
	                                  "path.only-web"};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (strcmp(fd->id, ids[i]) == 0)
			return true;
	}
	return false;
}

static struct finding *silence_begin(struct report *r)
{
	struct finding *fd = r->findings;

	while (fd && !is_shut(fd))
		fd = fd->next;
	if (fd)
		return fd;
	fd = report_finding(r, "edge.unreachable", FINDING_NOTE);
	fd->title.msgid = N_("The test server does not answer at all.");
	fd->detail.msgid = N_("Nothing can be said about this network: the "
	                      "server may be down, the name may be wrong, or "
	                      "everything to it may be blocked.");
	return fd;
}

static void add_silence(struct report *r, const struct ladder *l)
{
	struct finding *fd = silence_begin(r);

	for (size_t i = 0; i < l->n; i++) {
		if (shot_is_lost(&l->shots[i]))
			finding_because(r, fd, l->shots[i].fact);
	}
	if (l->control)
		finding_because(r, fd, l->control);
	if (l->hello)
		finding_because(r, fd, l->hello);
	if (!fd->remedy)
		remedies_add(r, fd, l, TROUBLE_SILENCE, FINGERPRINT_UNKNOWN);
}

static bool is_silent(const struct fact *f)
{
	return f && (f->state == FACT_FAIL || f->state == FACT_UNKNOWN);
}

static bool is_reached(const struct fact *f)
{
	return f && f->state == FACT_PASS;
}

/* The flows may have said already that this port of the edge is shut; the
 * ladder's messages are then more signs of that. */
static struct finding *finding_of_flow(const struct flows *fs,
                                       const struct shot *s)
{
	bool is_udp = slice_eq_str(s->transport, "udp");

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (f->finding && f->is_udp == is_udp && f->port == s->port &&
		    f->last == s->port)
			return f->finding;
	}
	return NULL;
}

static bool join_flows(struct report *r, const struct ladder *l,
                       const struct flows *fs, shot_fn *is_shown)
{
	bool unused = false;

	if (!ladder_is_seen(l, is_shown, &unused))
		return false;
	for (size_t i = 0; i < l->n; i++) {
		if (is_shown(l, &l->shots[i]) &&
		    !finding_of_flow(fs, &l->shots[i]))
			return false;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (is_shown(l, &l->shots[i]))
			finding_because(r, finding_of_flow(fs, &l->shots[i]),
			                l->shots[i].fact);
	}
	return true;
}

/* @return true when a finding explains why messages are missing. */
static bool find_paths(struct report *r, const struct ladder *l,
                       const struct flows *fs)
{
	struct tally t = count(l);
	bool is_reachable = is_reached(l->control) || is_reached(l->hello);
	bool is_lost = t.udp_lost || t.tcp_lost;
	shot_fn *which = is_shut_sip;
	bool unused = false, found = false;

	if (!t.udp_passed && !t.tcp_passed && !is_reachable) {
		if (!is_lost && !is_silent(l->control) && !is_silent(l->hello))
			return false;
		add_silence(r, l);
		return true;
	}
	if (!t.udp_passed && !t.tcp_passed && is_lost && t.udp_lost &&
	    t.tcp_lost) {
		if (!join_flows(r, l, fs, is_shut_sip))
			add_block(r, l, &blocks[BLOCK_ALL], FINDING_FAIL,
			          is_shut_sip);
		return true;
	}
	if (t.udp_lost && !t.udp_passed) {
		if (!join_flows(r, l, fs, is_shut_udp_sip))
			add_block(r, l, &blocks[BLOCK_UDP], FINDING_FAIL,
			          is_shut_udp);
		which = is_shut_stream;
		found = true;
	}
	if (ladder_is_seen(l, which, &unused) && !join_flows(r, l, fs, which)) {
		add_block(r, l, &blocks[BLOCK_PORT],
		          is_main(l, which) && !t.sip_passed ? FINDING_FAIL
		                                             : FINDING_WARN,
		          which);
		found = true;
	}
	return found;
}

/* Dropped for coming too fast: then any message may meet that. */
static bool is_rationed(const struct ladder *l, const struct shot *s)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *other = &l->shots[i];

		if (slice_eq_str(other->variant, "burst") &&
		    shot_same_channel(other, s) && symptom_is_drop(l, other))
			return true;
	}
	return false;
}

/* Single messages that got lost while nothing accuses a SIP ALG. */
static bool is_unexplained(const struct ladder *l, const struct shot *s)
{
	return shot_is_phone_port(s) &&
	       (symptom_is_loss(s) || s->result == SHOT_ANSWER_DROPPED) &&
	       !ladder_is_shut(l, s) && !symptom_is_any(l, s) &&
	       !is_rationed(l, s);
}

/* The place is then that of what the ALG does. */
static bool has_symptom(const struct ladder *l)
{
	bool has = false;

	for (size_t i = 0; i < l->n; i++)
		has |= symptom_is_any(l, &l->shots[i]);
	return has;
}

static void find_losses(struct report *r, const struct ladder *l)
{
	enum finding_severity severity = FINDING_WARN;
	struct finding *fd;
	bool unused = false;

	if (!ladder_is_seen(l, is_unexplained, &unused))
		return;
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *s = &l->shots[i];

		/* variants are rarities that a phone may do without */
		if (s->role == ROLE_SIP && s->variant.n == 0 &&
		    is_unexplained(l, s))
			severity = FINDING_FAIL;
	}
	fd = report_finding(r, "path.drops-messages", severity);
	fd->title = (struct words){
		N_("Some messages on %1$s get lost, while others pass."),
		{channels_text(r, l, is_unexplained)}};
	fd->detail.msgid =
		N_("They do not pass on the control port either, or were not "
	           "tried there, so that this is no proof of a SIP ALG. A "
	           "filter or a limit of size may be the cause.");
	for (size_t i = 0; i < l->n; i++) {
		if (is_unexplained(l, &l->shots[i]))
			finding_because(r, fd, l->shots[i].fact);
	}
	if (!has_symptom(l)) {
		locate(r, fd, l);
		fd->segment = segment_of(l);
		fd->act = act_of(fd->segment);
	}
	add_clean(r, fd, l);
	remedies_add(r, fd, l, TROUBLE_LOSS, FINGERPRINT_UNKNOWN);
}

/* A channel of the main SIP port on which no message showed how it arrived. */
static bool is_unsure(const struct ladder *l, const struct shot *s)
{
	bool has_ladder = false;

	if (s->role != ROLE_SIP || s->result == SHOT_SKIPPED)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct shot *other = &l->shots[i];

		has_ladder |= other->role == ROLE_SIP && !other->is_reflection;
		if (shot_same_channel(s, other) && other->is_sip &&
		    (shot_has_passed(other) ||
		     other->result == SHOT_REQUEST_DROPPED))
			return false;
	}
	return !(s->is_reflection && has_ladder);
}

static void find_unsure(struct report *r, const struct ladder *l)
{
	struct finding *fd;
	bool unused = false;

	if (!ladder_is_seen(l, is_unsure, &unused))
		return;
	fd = report_finding(r, "alg.unknown", FINDING_WARN);
	fd->title = (struct words){
		N_("Whether a SIP ALG is on could not be decided (%1$s)."),
		{channels_text(r, l, is_unsure)}};
	fd->detail.msgid =
		N_("No answer showed the whole message as it arrived. That is "
	           "no proof that the network is clean.");
	for (size_t i = 0; i < l->n; i++) {
		if (is_unsure(l, &l->shots[i]))
			finding_because(r, fd, l->shots[i].fact);
	}
	remedies_add(r, fd, l, TROUBLE_UNSURE, FINGERPRINT_UNKNOWN);
}

int diagnose_run(struct report *r)
{
	struct ladder l;
	struct flows fs;
	bool is_explained;

	if (ladder_read(&l, r) || flows_read(&fs, r) || here_doubt(&l, &fs))
		return ENOMEM;
	is_explained = find_alg(r, &l);
	causes_find(&fs, &l);
	is_explained |= find_paths(r, &l, &fs);
	find_losses(r, &l);
	if (!is_explained)
		find_unsure(r, &l);
	return r->no_memory ? ENOMEM : 0;
}
