/* SPDX-License-Identifier: ISC */
/*
 * Design: a behaviour looks at the parsed message and notes edits: these
 * bytes become those. When all have spoken the edits are applied in one
 * pass, so behaviours compose without knowing of each other, offsets never
 * shift under one, and the list of edits is the truth that tests compare
 * with. A copy of a real ALG's code could do none of this.
 */
#include "router/alg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "router/alg_inside.h"

const struct router_alg_conf router_alg_defaults = {
	.port = 5060,
	.large_bytes = 1300,
	.fast_pps = 10,
	.busy_streams = 4,
	.pinhole_ns = 180 * NS_PER_S,
};

const struct router_alg_behaviour router_alg_behaviours[ROUTER_ALG_BEHAVIOURS] = {
	[ROUTER_ALG_LOSE_SEMICOLON] = {"lose-semicolon", "B1",
                                       "drops a semicolon before a parameter"},
	[ROUTER_ALG_PORT_OVERFLOW] = {"port-overflow", "B2",
                                      "writes Contact ports above 65535"},
	[ROUTER_ALG_LOSE_CRLF] = {"lose-crlf", "B5",
                                  "runs two header fields together"},
	[ROUTER_ALG_LENGTH_STALE] =
		{"length-stale", "B3",
                 "edits bodies without mending Content-Length"},
	[ROUTER_ALG_LENGTH_TEXT] =
		{"length-text", "B3",
                 "counts from a line v= in bodies that are not SDP"},
	[ROUTER_ALG_LENGTH_PAD] =
		{"length-pad", "B4",
                 "pads the value of Content-Length with blanks"},
	[ROUTER_ALG_UNFOLD] = {"unfold", "B7", "joins folded header lines"},
	[ROUTER_ALG_EXPAND] = {"expand", "B7",
                               "writes compact header names in full"},
	[ROUTER_ALG_TCP_NO_FIXUP] =
		{"tcp-no-fixup", "B6",
                 "edits TCP without mending sequence numbers"},
	[ROUTER_ALG_VIA] = {"via", "A1", "rewrites the topmost Via"},
	[ROUTER_ALG_CONTACT] = {"contact", "A2", "rewrites every Contact"},
	[ROUTER_ALG_CONTACT_FIRST] = {"contact-first", "B8",
                                      "rewrites the first Contact only"},
	[ROUTER_ALG_FROM_TO] = {"from-to", "A3", "rewrites From and To"},
	[ROUTER_ALG_CALL_ID] = {"call-id", "A4",
                                "rewrites an address in Call-ID"},
	[ROUTER_ALG_ROUTE] = {"route", "A5",
                              "rewrites Route, Record-Route and Path"},
	[ROUTER_ALG_REQUEST_URI] = {"request-uri", "A6",
                                    "rewrites the Request-URI"},
	[ROUTER_ALG_SDP] = {"sdp", "A7", "rewrites c= and m="},
	[ROUTER_ALG_SDP_ORIGIN] =
		{"sdp-origin", "A8",
                 "overwrites o= with the address of the media"},
	[ROUTER_ALG_RTP_RANGE] = {"rtp-range", "A18",
                                  "moves media ports to 7070 and up"},
	[ROUTER_ALG_NAT_TRACE] = {"nat-trace", "A17",
                                  "adds a line i= with the original address"},
	[ROUTER_ALG_DIGEST] = {"digest", "A12",
                               "rewrites addresses in credentials"},
	[ROUTER_ALG_RECEIVED] = {"received", "A14",
                                 "maps received=, rport= and maddr= back"},
	[ROUTER_ALG_OWN_VIA] = {"own-via", "A15", "adds its own Via"},
	[ROUTER_ALG_MAX_FORWARDS] = {"max-forwards", "A15",
                                     "counts Max-Forwards down"},
	[ROUTER_ALG_REORDER] = {"reorder", "A15",
                                "changes the order of header fields"},
	[ROUTER_ALG_RECASE] = {"recase", "A15",
                               "changes the case of header names"},
	[ROUTER_ALG_BRANCH] = {"branch", "A16", "changes the branch"},
	[ROUTER_ALG_BLIND] = {"blind", "A10",
                              "replaces the address wherever it stands"},
	[ROUTER_ALG_PORT_ADDED] = {"port-added", "A13",
                                   "writes a port where none was"},
	[ROUTER_ALG_OWN_PORT_ONLY] =
		{"own-port-only", "A13",
                 "rewrites only where the port is the flow's too"},
	[ROUTER_ALG_FOREIGN] = {"foreign", "A11",
                                "rewrites addresses that are not the phone's"},
	[ROUTER_ALG_DROP_BAD_MEDIA] =
		{"drop-bad-media", "C1",
                 "drops a media port below 1024 or above 65535, no c=, or a "
                 "CSeq without number"},
	[ROUTER_ALG_DROP_RTP_REUSE] =
		{"drop-rtp-reuse", "C2",
                 "drops a media port that another flow announced"},
	[ROUTER_ALG_DROP_BUSY] = {"drop-busy", "C3",
                                  "has ports for few streams"},
	[ROUTER_ALG_DROP_UNKNOWN] = {"drop-unknown-method", "C4",
                                     "drops methods that it does not know"},
	[ROUTER_ALG_DROP_LONG_LINE] = {"drop-long-line", "C5",
                                       "drops header lines above 998 bytes"},
	[ROUTER_ALG_DROP_LONG_URI] = {"drop-long-uri", "C6",
                                      "drops a Request-URI above 255 bytes"},
	[ROUTER_ALG_DROP_NO_PORT] =
		{"drop-no-port", "C7",
                 "drops REGISTER whose Contact has no port"},
	[ROUTER_ALG_DROP_NON_SIP] = {"drop-non-sip", "C8",
                                     "drops what is not SIP on the SIP port"},
	[ROUTER_ALG_DROP_LARGE] = {"drop-large", "C9",
                                   "drops large SIP messages"},
	[ROUTER_ALG_DROP_FRAGMENTS] = {"drop-fragments", "C9",
                                       "drops fragments"},
	[ROUTER_ALG_DROP_HOST_CONTACT] = {"drop-host-contact", "C10",
                                          "drops a Contact with a host name"},
	[ROUTER_ALG_DROP_FAST] = {"drop-fast", "C11",
                                  "drops requests above a rate"},
	[ROUTER_ALG_DROP_TCP] = {"drop-tcp", "C12", "drops SIP over TCP"},
	[ROUTER_ALG_TIMER] = {"timer", "D2", "keeps SIP bindings for an hour"},
	[ROUTER_ALG_PINHOLE] = {"pinhole", "D9",
                                "lets announced media in, from the peer"},
	[ROUTER_ALG_PINHOLE_ANYONE] = {"pinhole-anyone", "D10",
                                       "lets announced media in, from anyone"},
	[ROUTER_ALG_GHOST] = {"ghost", "D8",
                              "leaves pinholes open after the call"},
	[ROUTER_ALG_WRONG_PORT] =
		{"wrong-port", "D4",
                 "forwards inbound SIP to another inner port"},
	[ROUTER_ALG_REMAP] =
		{"remap", "D5",
                 "moves a SIP binding when another socket appears"},
	[ROUTER_ALG_TWIN_DROP] = {"twin-drop", "D11",
                                  "loses the second of two first packets"},
	[ROUTER_ALG_PINHOLE_CALLS] = {"pinhole-calls", "D9",
                                      "lets the registrar call from any port"},
	[ROUTER_ALG_STALE] =
		{"stale", "D7",
                 "keeps the ALG for sessions from before a change, and has "
                 "none for new ones"},
	[ROUTER_ALG_STALE_DEAD] =
		{"stale-dead", "D7",
                 "leads SIP sessions from before a change to where nobody is"},
	[ROUTER_ALG_UDP_ONLY] = {"udp-only", "E2", "looks at UDP only"},
	[ROUTER_ALG_TCP_ONLY] = {"tcp-only", "E2", "looks at TCP only"},
	[ROUTER_ALG_OUT_ONLY] = {"out-only", "E1",
                                 "does not undo its edits on the way back"},
	[ROUTER_ALG_TCP_ASSEMBLE] =
		{"tcp-assemble", "B6",
                 "ends TCP itself, and edits messages that are split or share "
                 "a segment"},
};

#define B(name) (UINT64_C(1) << ROUTER_ALG_##name)

const struct router_alg_persona router_alg_personas[] = {
	{"netfilter", "the kernel's nf_conntrack_sip with nf_nat_sip",
         B(VIA) | B(CONTACT) | B(FROM_TO) | B(REQUEST_URI) | B(SDP) |
                 B(SDP_ORIGIN) | B(RECEIVED) | B(PORT_ADDED) |
                 B(OWN_PORT_ONLY) | B(LENGTH_TEXT) | B(DROP_BAD_MEDIA) |
                 B(DROP_RTP_REUSE) | B(TIMER) | B(PINHOLE) | B(PINHOLE_CALLS)},
	{"quicksec", "Juniper and QuickSec: all addresses, first Contact",
         B(VIA) | B(CONTACT_FIRST) | B(FROM_TO) | B(CALL_ID) | B(ROUTE) |
                 B(REQUEST_URI) | B(SDP) | B(SDP_ORIGIN) | B(PINHOLE) |
                 B(DROP_HOST_CONTACT)},
	{"fortios-proxy", "a FortiOS-like proxy",
         B(OWN_VIA) | B(MAX_FORWARDS) | B(CONTACT) | B(SDP) | B(NAT_TRACE) |
                 B(REORDER) | B(DROP_UNKNOWN) | B(DROP_LONG_LINE) | B(PINHOLE) |
                 B(TCP_ASSEMBLE)},
	{"asa", "an ASA-like inspector",
         B(VIA) | B(CONTACT) | B(FROM_TO) | B(SDP) | B(RECEIVED) |
                 B(DROP_LONG_URI) | B(DROP_NO_PORT) | B(PINHOLE) |
                 B(TCP_ASSEMBLE)},
	{"sonicwall", "a SonicWall-like transformer",
         B(VIA) | B(CONTACT) | B(SDP) | B(RTP_RANGE) | B(DROP_NON_SIP) |
                 B(PINHOLE) | B(TCP_ASSEMBLE)},
	{"blind-replace", "a cheap router that replaces text", B(BLIND)},
	{"semicolon-loser", "one that loses a semicolon",
         B(CONTACT) | B(VIA) | B(LOSE_SEMICOLON)},
	{"port-overflow", "one that writes ports above 65535",
         B(CONTACT) | B(VIA) | B(PORT_OVERFLOW)},
	{"broken-content-length", "one that breaks Content-Length",
         B(SDP) | B(SDP_ORIGIN) | B(CONTACT) | B(LENGTH_STALE)},
	{"pinhole-only", "one that only opens pinholes", B(PINHOLE)},
	{"timer-only", "one that only stretches timers", B(TIMER)},
	{"large-dropper", "one that drops large or fragmented messages",
         B(DROP_LARGE) | B(DROP_FRAGMENTS)},
	{NULL, NULL, 0},
};

int router_alg_find(enum router_alg_id *idp, struct slice name)
{
	for (unsigned i = 0; i < ROUTER_ALG_BEHAVIOURS; i++) {
		if (slice_eq_str(name, router_alg_behaviours[i].name)) {
			*idp = (enum router_alg_id)i;
			return 0;
		}
	}
	return ENOENT;
}

const struct router_alg_persona *router_alg_persona(struct slice name)
{
	const struct router_alg_persona *p = router_alg_personas;

	while (p->name && !slice_eq_str(name, p->name))
		p++;
	return p->name ? p : NULL;
}

int router_alg_alloc(struct router_alg **ap, const struct router_alg_conf *conf,
                     struct router_nat *nat)
{
	struct router_alg *a = calloc(1, sizeof(*a));

	if (!a)
		return ENOMEM;
	a->conf = *conf;
	a->nat = nat;
	*ap = a;
	return 0;
}

void router_alg_free(struct router_alg *a)
{
	free(a);
}

uint64_t router_alg_count(const struct router_alg *a, enum router_alg_id id,
                          bool is_in)
{
	return a->counts[id][is_in];
}

uint64_t router_alg_notes_missing(const struct router_alg *a)
{
	return a->n_unnoted;
}

static size_t kept_bytes(size_t n)
{
	return n < ROUTER_ALG_NOTE_BYTES ? n : ROUTER_ALG_NOTE_BYTES;
}

static size_t note_text(uint8_t *out, struct slice text)
{
	if (text.n)
		memcpy(out, text.p, kept_bytes(text.n));
	return text.n;
}

static struct router_alg_note *note(struct router_alg *a, enum router_alg_id id,
                                    bool is_out)
{
	struct router_alg_note *n;

	a->counts[id][!is_out]++;
	if (a->n_notes == ROUTER_ALG_MAX_NOTES) {
		a->n_unnoted++;
		return NULL;
	}
	n = &a->notes[a->n_notes++];
	*n = (struct router_alg_note){.id = id, .is_out = is_out};
	return n;
}

void router_alg_count_add(struct router_alg *a, enum router_alg_id id,
                          bool is_out)
{
	a->counts[id][!is_out]++;
}

void router_alg_note_drop(struct router_alg *a, enum router_alg_id id,
                          bool is_out)
{
	struct router_alg_note *n = note(a, id, is_out);

	if (n)
		n->is_drop = true;
}

void router_alg_note_move(struct router_alg *a, enum router_alg_id id,
                          bool is_out, const struct addr *was,
                          const struct addr *is)
{
	struct router_alg_note *n = note(a, id, is_out);
	char text[ADDR_TEXT_BYTES];

	if (!n)
		return;
	n->is_move = true;
	n->was_n = note_text(n->was, slice_str(addr_text(was, text)));
	n->is_n = note_text(n->is, slice_str(addr_text(is, text)));
}

void router_alg_edit(struct router_alg_turn *t, enum router_alg_id id,
                     struct slice at, const char *fmt, ...)
{
	struct router_alg *a = t->a;
	size_t from = (size_t)(at.p - t->m->raw.p), i = a->n_edits;
	size_t text = a->text.n;
	va_list ap;

	if (a->n_edits == ROUTER_ALG_MAX_EDITS)
		return;
	va_start(ap, fmt);
	wr_vfmt(&a->text, fmt, ap);
	va_end(ap);
	if (a->text.bad)
		return;
	/* In order of place; of two at one place the earlier comes first. */
	while (i && a->edits[i - 1].at > from) {
		a->edits[i] = a->edits[i - 1];
		i--;
	}
	a->edits[i] = (struct router_alg_edit){.id = id,
	                                       .at = from,
	                                       .n = at.n,
	                                       .text = text,
	                                       .text_n = a->text.n - text};
	a->n_edits++;
}

static struct slice edit_text(const struct router_alg *a,
                              const struct router_alg_edit *e)
{
	return (struct slice){a->texts + e->text, e->text_n};
}

/* Where two want the same bytes the one of lower number has them. */
static void edits_untangle(struct router_alg *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_edits; i++) {
		struct router_alg_edit *e = &a->edits[i];
		struct router_alg_edit *last = n ? &a->edits[n - 1] : NULL;

		if (!last || e->at >= last->at + last->n)
			a->edits[n++] = *e;
		else if (e->id < last->id)
			*last = *e;
	}
	a->n_edits = n;
}

static int64_t body_delta(const struct router_alg_turn *t)
{
	size_t body = (size_t)(t->m->body.p - t->m->raw.p);
	int64_t delta = 0;

	for (size_t i = 0; i < t->a->n_edits; i++) {
		const struct router_alg_edit *e = &t->a->edits[i];

		if (t->m->body.n && e->at >= body)
			delta += (int64_t)e->text_n - (int64_t)e->n;
	}
	return delta;
}

static void edits_apply(struct router_alg_turn *t, struct wr *w)
{
	struct router_alg *a = t->a;
	size_t done = 0;

	for (size_t i = 0; i < a->n_edits; i++) {
		const struct router_alg_edit *e = &a->edits[i];
		struct slice was = slice_sub(t->m->raw, e->at, e->n);
		struct router_alg_note *n = note(a, e->id, t->flow->is_out);

		wr_put(w, slice_sub(t->m->raw, done, e->at - done));
		wr_put(w, edit_text(a, e));
		done = e->at + e->n;
		if (n) {
			n->at = e->at;
			n->was_n = note_text(n->was, was);
			n->is_n = note_text(n->is, edit_text(a, e));
		}
	}
	wr_put(w, slice_sub(t->m->raw, done, SIZE_MAX));
}

bool router_alg_minds(const struct router_alg *a, const struct router_flow *f,
                      uint8_t proto)
{
	const struct addr *far = f->is_out ? &f->dst : &f->src;

	if (proto != ROUTER_UDP && proto != ROUTER_TCP)
		return false;
	if (!a->conf.set || (far->port != a->conf.port && !f->is_admitted))
		return false;
	if ((a->conf.set & router_alg_bit(ROUTER_ALG_STALE)) && !f->is_old)
		return false;
	if (a->conf.set &
	    router_alg_bit(proto == ROUTER_TCP ? ROUTER_ALG_UDP_ONLY
	                                       : ROUTER_ALG_TCP_ONLY))
		return false;
	return f->is_out ||
	       !(a->conf.set & router_alg_bit(ROUTER_ALG_OUT_ONLY));
}

/* In TCP whatever ends where its Content-Length says, as Linux takes it: the
 * second half of a message too. */
static bool is_one_message(const struct router_alg *a, uint8_t proto)
{
	uint64_t n;

	if (proto == ROUTER_TCP)
		return sip_msg_content_length(&n, &a->msg) == 0 &&
		       a->msg.blank.n && a->msg.body.n == n;
	return sip_msg_is_request(&a->msg) || sip_msg_status(&a->msg) != 0;
}

enum router_alg_verdict router_alg_take(struct router_alg *a, struct wr *w,
                                        struct slice payload,
                                        const struct router_flow *flow,
                                        uint8_t proto, int64_t now_ns)
{
	struct router_alg_turn t = {.a = a,
	                            .m = &a->msg,
	                            .flow = flow,
	                            .proto = proto,
	                            .now_ns = now_ns};
	enum router_alg_id id;

	if (!payload.n)
		return ROUTER_ALG_SAME;
	sip_msg_read(&a->msg, payload);
	a->n_edits = 0;
	a->text = wr_init(a->texts, sizeof(a->texts));
	if (router_alg_drops(&t, &id)) {
		router_alg_note_drop(a, id, flow->is_out);
		return ROUTER_ALG_DROPPED;
	}
	if (!is_one_message(a, proto))
		return ROUTER_ALG_SAME;
	if (router_alg_sdp(&t, &id)) {
		router_alg_note_drop(a, id, flow->is_out);
		return ROUTER_ALG_DROPPED;
	}
	router_alg_headers(&t);
	edits_untangle(a);
	router_alg_length(&t, body_delta(&t));
	edits_untangle(a);
	if (!a->n_edits)
		return ROUTER_ALG_SAME;
	edits_apply(&t, w);
	return w->bad ? ROUTER_ALG_SAME : ROUTER_ALG_EDITED;
}

static void json_str(struct wr *w, const uint8_t *s, size_t n)
{
	wr_u8(w, '"');
	for (size_t i = 0; i < n; i++) {
		uint8_t c = s[i];

		if (c == '"' || c == '\\')
			wr_fmt(w, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			wr_fmt(w, "\\u%04x", c);
		else
			wr_u8(w, c);
	}
	wr_u8(w, '"');
}

void router_alg_notes_put(struct wr *w, const struct router_alg *a)
{
	wr_str(w, "[");
	for (size_t i = 0; i < a->n_notes; i++) {
		const struct router_alg_note *n = &a->notes[i];

		wr_fmt(w,
		       "%s\n    {\"behaviour\": \"%s\", \"row\": \"%s\", "
		       "\"direction\": \"%s\", ",
		       i ? "," : "", router_alg_behaviours[n->id].name,
		       router_alg_behaviours[n->id].row,
		       n->is_out ? "out" : "in");
		if (n->is_drop) {
			wr_str(w, "\"dropped\": true}");
			continue;
		}
		if (!n->is_move)
			wr_fmt(w, "\"offset\": %zu, ", n->at);
		wr_str(w, "\"before\": ");
		json_str(w, n->was, kept_bytes(n->was_n));
		wr_str(w, ", \"after\": ");
		json_str(w, n->is, kept_bytes(n->is_n));
		if (n->was_n > ROUTER_ALG_NOTE_BYTES ||
		    n->is_n > ROUTER_ALG_NOTE_BYTES)
			wr_fmt(w,
			       ", \"before_bytes\": %zu, \"after_bytes\": %zu",
			       n->was_n, n->is_n);
		wr_str(w, "}");
	}
	wr_str(w, "]");
}
