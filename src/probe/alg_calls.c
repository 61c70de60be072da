/* SPDX-License-Identifier: ISC */
/*
 * Design: some ALGs let the registrar in, from any port, once a phone has
 * registered. Every run gets a hint at no cost: the edge knocks at the port of
 * a REGISTER from a fresh port of its own. That comes through open networks
 * and forwarded ports, too, so it proves nothing; it is only worth three new
 * phones. None of them is registered when the edge knocks at two of them: a
 * network that lets that through is open, and no more is asked. Then the first
 * registers, and it alone must be open. What one datagram cannot tell from
 * loss, a dozen can, spread over more than one pause of a line.
 *
 * A NAT may have forgotten both and know anew the one that speaks; so when the
 * first registers, the other speaks, too, and neither's binding may have
 * changed. In turn each is knocked at first: what comes in at once may be
 * limited.
 *
 * The third is for the walk (alg_state.c): it is registered by a REGISTER
 * with a small TTL, and by the edge's answer to that, which it cannot have
 * asked for: the box opens if both have passed it.
 */
#include "probe/alg.h"

#include <errno.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "sip/reply.h"

enum {
	PHONES_ASKED = 2,
	KNOCKS = 4,
	KNOCK_GAP_MS = 25,
	SURE = 2, /* of those at the registered phone that must come */
	PUBLIC_EXPIRES_S = 60,
	NUM_AGAIN = ALG_NUM_CALLS + ALG_PHONES, /* a REGISTER, or beside it */
	NUM_KNOCK = ALG_NUM_CALLS + 2 * ALG_PHONES,
};

static const struct ladder_spec greet_spec = {
	.transport = WIRE_UDP,
	.role = WIRE_ROLE_SIP,
	.what = LADDER_OPTIONS,
};

static const struct ladder_spec register_spec = {
	.transport = WIRE_UDP,
	.role = WIRE_ROLE_SIP,
	.what = LADDER_REGISTER,
};

static int find_register(const struct alg *a)
{
	return ladder_find(&a->ladder, WIRE_UDP, WIRE_ROLE_SIP, LADDER_REGISTER,
	                   NULL);
}

static void knock_at(struct alg *a, unsigned number, uint16_t port)
{
	const int flow = find_register(a);
	char text[WIRE_TAG_CHARS];
	struct wire_probe p = {.payload = slice_str("knock")};
	struct wr w = wr_init_heap();
	struct wire_shoot s = {
		.id = (uint16_t)number,
		.shot = (uint16_t)flow,
		.to_port = port,
	};

	if (flow != LADDER_NONE &&
	    wire_tag_find(&p.tag, alg_tag(a, number, text))) {
		wire_probe_put(&w, &p);
		s.bytes = wr_slice(&w);
		(void)!control_shoot(a->control, &s);
	}
	wr_fini(&w);
}

void alg_calls_hint(struct alg *a)
{
	const int flow = find_register(a);

	if (flow == LADDER_NONE || !a->shots[flow].observed.port)
		return;
	for (int i = 0; i < 2; i++) /* one may get lost */
		knock_at(a, ALG_NUM_KNOCK, a->shots[flow].observed.port);
}

static bool is_due(const struct alg *a)
{
	return a->calls.is_hinted && a->control && a->ladder.is_plain &&
	       !alg_is_pinhole_open(a) && !a->locate.is_started;
}

static int open_phones(struct alg *a)
{
	struct addr local = a->local;
	int err = 0;

	local.port = 0;
	for (size_t i = 0; i < ALG_PHONES && !err; i++)
		err = net_udp_open(&a->calls.udp[i], &local, NET_UDP_ICMP,
		                   &alg_udp_ops, a);
	return err;
}

static void say(struct alg *a, const struct ladder_spec *sp, unsigned number,
                unsigned phone, int ttl)
{
	struct addr to = alg_udp_target(a, sp);
	struct addr from = net_udp_local(a->calls.udp[phone]);
	struct slice bytes;

	a->err = alg_build(&bytes, a, sp, number, &from, 0);
	if (!a->err)
		alg_send_udp(a, a->calls.udp[phone], &to, ttl, bytes);
}

static void next_phase(struct alg *a, enum alg_calls_phase phase,
                       int64_t now_ns)
{
	a->calls.phase = phase;
	a->calls.n_tries = 0;
	a->calls.due_ns = now_ns;
}

static bool is_greeted(const struct alg *a)
{
	for (size_t i = 0; i < ALG_PHONES; i++) {
		if (!a->calls.seen[i].port)
			return false;
	}
	return true;
}

static bool has_any_come(const struct alg *a)
{
	return a->calls.n_before[ALG_PHONE_IN] ||
	       a->calls.n_before[ALG_PHONE_OUT];
}

/* What was not answered yet. */
static void ask_phone(struct alg *a, unsigned phone)
{
	const struct alg_calls *c = &a->calls;

	if (c->phase == ALG_CALLS_GREET && !c->seen[phone].port)
		say(a, &greet_spec, ALG_NUM_CALLS + phone, phone, ALG_TTL);
	else if (c->phase == ALG_CALLS_REGISTER && phone < PHONES_ASKED &&
	         !c->is_again[phone])
		say(a, phone == ALG_PHONE_IN ? &register_spec : &greet_spec,
		    NUM_AGAIN + phone, phone, ALG_TTL);
}

static int64_t ask(struct alg *a, int64_t now_ns)
{
	struct alg_calls *c = &a->calls;

	if (c->n_tries == LADDER_TRIES) {
		c->phase = ALG_CALLS_OVER;
		return now_ns;
	}
	c->n_tries++;
	for (unsigned i = 0; i < ALG_PHONES; i++)
		ask_phone(a, i);
	c->due_ns = now_ns + alg_patience_ns(a);
	return c->due_ns;
}

static int64_t knock(struct alg *a, int64_t now_ns)
{
	struct alg_calls *c = &a->calls;
	const bool is_after = c->phase == ALG_CALLS_AFTER;
	const unsigned first = NUM_KNOCK + (is_after ? ALG_PHONES : 0);

	if (c->n_tries == KNOCKS) {
		c->is_done = is_after;
		if (is_after || has_any_come(a))
			c->phase = ALG_CALLS_OVER;
		else
			next_phase(a, ALG_CALLS_REGISTER, now_ns);
		return now_ns;
	}
	c->n_tries++;
	control_hold(a->control);
	for (unsigned i = 0; i < PHONES_ASKED; i++) {
		const unsigned phone = (c->n_tries + i) % PHONES_ASKED;

		knock_at(a, first + phone, c->seen[phone].port);
	}
	(void)!control_flush(a->control);
	c->due_ns = now_ns + (c->n_tries == KNOCKS ? alg_patience_ns(a)
	                                           : KNOCK_GAP_MS * NS_PER_MS);
	return c->due_ns;
}

static void advance(struct alg *a, int64_t now_ns)
{
	struct alg_calls *c = &a->calls;

	if (c->phase == ALG_CALLS_GREET && is_greeted(a))
		next_phase(a, ALG_CALLS_BEFORE, now_ns);
	else if ((c->phase == ALG_CALLS_BEFORE && has_any_come(a)) ||
	         (c->phase == ALG_CALLS_REGISTER && c->has_moved))
		c->phase = ALG_CALLS_OVER;
	else if (c->phase == ALG_CALLS_REGISTER && c->is_again[ALG_PHONE_IN] &&
	         c->is_again[ALG_PHONE_OUT])
		next_phase(a, ALG_CALLS_AFTER, now_ns);
}

int64_t alg_step_calls(struct alg *a, int64_t now_ns)
{
	struct alg_calls *c = &a->calls;

	if (!a->is_entered) {
		if (!is_due(a))
			return ALG_STEP_OVER;
		a->err = open_phones(a);
		next_phase(a, ALG_CALLS_GREET, now_ns);
	}
	for (;;) {
		int64_t due;

		advance(a, now_ns);
		if (c->phase == ALG_CALLS_OVER || !a->control || a->err)
			return ALG_STEP_OVER;
		if (now_ns < c->due_ns)
			return c->due_ns;
		due = c->phase == ALG_CALLS_GREET ||
		                      c->phase == ALG_CALLS_REGISTER
		              ? ask(a, now_ns)
		              : knock(a, now_ns);
		if (due > now_ns)
			return due;
	}
}

bool alg_calls_is_open(const struct alg *a)
{
	const struct alg_calls *c = &a->calls;

	return c->is_done && !has_any_come(a) &&
	       c->n_after[ALG_PHONE_IN] >= SURE &&
	       c->n_after[ALG_PHONE_OUT] == 0;
}

/* Where the edge saw the phone. */
static void take_seen(struct alg_calls *c, unsigned number,
                      const struct addr *source)
{
	const unsigned phone = (number - ALG_NUM_CALLS) % ALG_PHONES;

	if (number < NUM_AGAIN) {
		c->seen[phone] = *source;
		return;
	}
	c->is_again[phone] = true;
	c->has_moved |= !addr_eq(source, &c->seen[phone]);
}

bool alg_calls_take_answer(struct alg *a, unsigned number,
                           const struct sip_msg *m)
{
	struct wire_mirror mirror;
	struct wr store;

	if (number < ALG_NUM_CALLS || number >= NUM_KNOCK)
		return false;
	store = wr_init_heap();
	if (sip_msg_status(m) / 100 == 2 &&
	    wire_mirror_body_decode(&mirror, &store, m->body) == 0)
		take_seen(&a->calls, number, &mirror.source);
	wr_fini(&store);
	alg_kick(a);
	return true;
}

bool alg_calls_take_knock(struct alg *a, unsigned number)
{
	struct alg_calls *c = &a->calls;
	unsigned at = number - NUM_KNOCK;

	if (number == ALG_NUM_KNOCK) {
		c->is_hinted = true;
		return true;
	}
	if (number < NUM_KNOCK || at >= 2 * ALG_PHONES)
		return false;
	if (at < ALG_PHONES)
		c->n_before[at]++;
	else
		c->n_after[at - ALG_PHONES]++;
	return true;
}

void alg_calls_register(struct alg *a, unsigned number, unsigned ttl)
{
	say(a, &register_spec, number, ALG_PHONE_WALK, (int)ttl);
}

int alg_calls_put_answer(struct wr *w, struct alg *a, unsigned number)
{
	const struct addr *seen = &a->calls.seen[ALG_PHONE_WALK];
	struct addr from = net_udp_local(a->calls.udp[ALG_PHONE_WALK]);
	char text[ADDR_TEXT_BYTES];
	struct wr extra = wr_init_heap();
	struct sip_reply rp = {.status = 200, .reason = "OK"};
	struct slice asked;
	struct sip_msg m;
	int err = alg_build(&asked, a, &register_spec, number, &from, 0);

	wr_fmt(&extra, "Contact: <sip:phone@%s>;expires=%u\r\n",
	       addr_text(seen, text), (unsigned)PUBLIC_EXPIRES_S);
	if (!err && extra.bad)
		err = ENOMEM;
	if (!err) {
		sip_msg_read(&m, asked);
		rp.observed = *seen;
		rp.to_tag = slice_str("edge");
		rp.extra = wr_slice(&extra);
		err = sip_reply_build(w, &m, &rp);
	}
	wr_fini(&extra);
	return err;
}

void alg_calls_fact(struct alg *a)
{
	const struct alg_calls *c = &a->calls;
	struct fact *f;

	if (!alg_calls_is_open(a))
		return;
	f = report_fact(a->r, "alg.pinhole", FACT_WARN, "udp/REGISTER");
	(void)fact_field(a->r, f, "result", val_text("open-to-registrar"));
	(void)fact_field(a->r, f, "public_port",
	                 val_int(c->seen[ALG_PHONE_IN].port));
	(void)fact_evidence(a->r, f, "tries", val_int(KNOCKS));
	(void)fact_evidence(a->r, f, "registered",
	                    val_int(c->n_after[ALG_PHONE_IN]));
	(void)fact_evidence(a->r, f, "not_registered",
	                    val_int(c->n_after[ALG_PHONE_OUT]));
	(void)fact_evidence(a->r, f, "before",
	                    val_int(c->n_before[ALG_PHONE_IN]));
	f->summary.msgid = N_("a box opened the phone's port to the registrar "
	                      "once it had registered: it reads SIP");
}

void alg_calls_close(struct alg *a)
{
	for (size_t i = 0; i < ALG_PHONES; i++)
		net_udp_close(a->calls.udp[i]);
}
