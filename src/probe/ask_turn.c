/* SPDX-License-Identifier: ISC */
/*
 * Design: an allocation taken, proved and given back (RFC 8656):
 *
 *   ALLOCATE --401--> ALLOCATE --> PERMIT --> BIND --> ECHO --> RELEASE
 *
 * The relayed echo is sent to the allocation's own relayed address: the relay
 * sends it out and hears it itself. So one client proves both directions of
 * the relay over the very transport that is asked about, with no second
 * socket whose own way might be blocked. Some relays refuse themselves as a
 * peer. Then this computer is the peer: a second socket sends to the relayed
 * address, the relay tells where that came from (Data), and what is sent back
 * there (Send) has to arrive. That takes UDP to the relay's ports, which a
 * client of TURN need not have; so it comes second. It is not tried where the
 * relayed address is not the server's own: no server makes us send elsewhere.
 *
 * Without credentials the 401 is all that can be had: it proves the service.
 * They are used only where the certificate is good.
 *
 * The requests are ours and not libre's: turnc knows neither SHA-256 nor a
 * stream that has been opened by somebody else.
 *
 * Fields: those of probe/ask_link.h, and
 *   code, reason  of the first error that is not about credentials, or
 *                 of the one that ended it (int, bytes)
 *   realm, software  (bytes)
 *   auth          "none" (not asked for), "required" (and we have none),
 *                 "md5", "sha-256", "refused", "withheld" (bad certificate),
 *                 "unusable" (no challenge that can be answered) (text)
 *   relayed, mapped  addresses of the allocation (text)
 *   lifetime_s    (int)
 *   is_permitted  CreatePermission was granted (bool)
 *   is_bound      the channel was (bool)
 *   relay_echo    "passed", "silent", "denied" (text)
 *   relay_peer    who was the other end, at last: "relay", "client" (text)
 *   relay_rtt_ms  there, out, in, and back (real)
 *   is_released   the server confirmed that the allocation is gone (bool)
 * Evidence: request, answer: the first of each; other: what was no TURN.
 */
#include "probe/asks.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/loop.h"
#include "net/udp.h"
#include "probe/ask_keep.h"
#include "probe/ask_link.h"
#include "probe/ask_stream.h"
#include "stun/auth.h"
#include "stun/turn.h"

enum {
	REQUEST_BYTES = 2048,
	ECHO_BYTES = 32,
	CHANNEL = STUN_CHANNEL_MIN,
	MAX_REQUESTS = 12,
	OTHER_BYTES = 512, /* kept of what is no TURN */
	ECHO_SHARE = 2,    /* of what patience is left */
	STALE_NONCE = 438,
	UNAUTHORIZED = 401,
	NO_STUN_BITS = 0xc0, /* of a datagram's first byte */
};

enum step {
	ALLOCATE,
	PERMIT,
	BIND,
	ECHO,
	RELEASE,
};

struct turn {
	struct ask *ask;
	struct ask_link *link;
	struct net_timer *echo_timer;
	enum step step;
	uint8_t tid[STUN_TID_BYTES];
	uint8_t echo[ECHO_BYTES];
	int64_t echo_ns;
	struct addr relayed, mapped;
	struct net_udp *side; /* the peer, when that is this computer */
	bool is_by_client;
	unsigned n_side;
	int64_t echo_end_ns;
	struct stun_challenge challenge; /* in the report's arena */
	struct stun_key key;
	bool has_challenge;
	bool is_answered, is_other;
	bool is_allocated;
	unsigned n_requests;
	struct wr in;
	uint8_t request[REQUEST_BYTES];
};

static void finish(struct turn *t)
{
	net_timer_cancel(t->echo_timer);
	ask_link_finish(t->link, t->ask);
}

static void end_by(struct turn *t, enum ask_end end, int err)
{
	if (!t->is_answered) {
		t->ask->result.end = end;
		t->ask->result.error = err;
	}
	finish(t);
}

static const struct addr *peer_of(const struct turn *t)
{
	return t->is_by_client ? &t->mapped : &t->relayed;
}

static void put_body(struct wr *w, const struct turn *t)
{
	switch (t->step) {
	case ALLOCATE:
		stun_put_u32(w, STUN_ATTR_REQUESTED_TRANSPORT,
		             (uint32_t)STUN_TRANSPORT_UDP << 24);
		/* the relay's own way must be of the family that is asked
		 * about; IPv4 is what it has unless told */
		if (t->ask->target->addr.family == ADDR_IP6)
			stun_put_u32(w, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
			             (uint32_t)STUN_FAMILY_IP6 << 24);
		break;
	case BIND:
		stun_put_u32(w, STUN_ATTR_CHANNEL_NUMBER,
		             (uint32_t)CHANNEL << 16);
		stun_put_addr(w, STUN_ATTR_XOR_PEER_ADDRESS, peer_of(t));
		break;
	case PERMIT:
		stun_put_addr(w, STUN_ATTR_XOR_PEER_ADDRESS, peer_of(t));
		break;
	case RELEASE:
		stun_put_u32(w, STUN_ATTR_LIFETIME, 0);
		break;
	case ECHO:
		break;
	}
}

static uint16_t method_of(enum step step)
{
	static const uint16_t methods[] = {
		[ALLOCATE] = STUN_METHOD_ALLOCATE,
		[PERMIT] = STUN_METHOD_CREATE_PERMISSION,
		[BIND] = STUN_METHOD_CHANNEL_BIND,
		[ECHO] = 0,
		[RELEASE] = STUN_METHOD_REFRESH,
	};

	return methods[step];
}

/* @return 0 or EIO, ENOMEM */
static int build(struct wr *w, struct turn *t)
{
	const char *user = t->ask->conf->account.turn_user;

	*w = wr_init(t->request, sizeof(t->request));
	if (getrandom(t->tid, sizeof(t->tid), 0) != sizeof(t->tid))
		return EIO;
	stun_put_head(w, STUN_CLASS_REQUEST, method_of(t->step), t->tid);
	put_body(w, t);
	if (t->has_challenge) {
		stun_put_credentials(w, &t->challenge, slice_str(user));
		stun_put_integrity(w, t->challenge.integrity, &t->key);
	}
	stun_put_fingerprint(w);
	return w->bad ? ENOMEM : 0;
}

static void ask_step(struct turn *t, enum step step)
{
	struct wr w;
	int err;

	t->step = step;
	if (++t->n_requests > MAX_REQUESTS) {
		finish(t);
		return;
	}
	err = build(&w, t);
	if (err) {
		end_by(t, ASK_LOCAL, err);
		return;
	}
	ask_keep_evidence(t->ask, "request", wr_slice(&w));
	ask_link_ask(t->link, wr_slice(&w));
}

static void begin_echo(struct turn *t)
{
	int64_t wait_ns = ask_link_left_ns(t->link) / ECHO_SHARE;

	t->step = ECHO;
	t->echo_ns = clock_mono_ns();
	t->echo_end_ns = t->echo_ns + wait_ns;
	net_timer_set(t->echo_timer, wait_ns);
}

static struct slice echo_of(const struct turn *t)
{
	return (struct slice){t->echo, sizeof(t->echo)};
}

static void end_echo(struct turn *t, const char *how)
{
	net_timer_cancel(t->echo_timer);
	ask_keep(t->ask, "relay_echo", val_text(how));
	ask_keep(t->ask, "relay_peer",
	         val_text(t->is_by_client ? "client" : "relay"));
	ask_step(t, RELEASE);
}

static void on_passed(struct turn *t)
{
	ask_put_ms(t->ask, "relay_rtt_ms", clock_mono_ns() - t->echo_ns);
	end_echo(t, "passed");
}

static void on_side(void *arg, const struct net_dgram *d)
{
	struct turn *t = arg;

	if (t->step == ECHO && addr_eq(&d->from, &t->relayed) &&
	    slice_eq(d->bytes, echo_of(t)))
		on_passed(t);
}

static const struct net_udp_ops side_ops = {.on_dgram = on_side};

/* @return whether this computer can be the peer */
static bool open_side(struct turn *t)
{
	unsigned *left = t->ask->conf->flows_left;
	struct addr local;

	if (t->is_by_client || (left && *left == 0) ||
	    t->mapped.family != t->relayed.family ||
	    !addr_ip_eq(&t->relayed, &t->ask->target->addr) ||
	    net_source_for(&local, &t->relayed) ||
	    net_udp_open(&t->side, &local, 0, &side_ops, t))
		return false;
	if (left)
		--*left;
	return true;
}

/* The relay did not hear itself. */
static void no_echo(struct turn *t, const char *how)
{
	if (!open_side(t)) {
		end_echo(t, how);
		return;
	}
	net_timer_cancel(t->echo_timer);
	t->is_by_client = true;
	ask_step(t, PERMIT);
}

static void send_side(struct turn *t)
{
	int64_t left_ns = t->echo_end_ns - clock_mono_ns();

	/* what this computer refuses is as silent as what is lost */
	(void)!net_udp_send(t->side, &t->relayed, NULL, 0, echo_of(t));
	net_timer_set(t->echo_timer, ask_link_rto_ns(left_ns, ++t->n_side));
}

static void send_echo(struct turn *t)
{
	uint8_t buf[STUN_CHANNEL_HDR_BYTES + ECHO_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	begin_echo(t);
	stun_put_channel(&w, CHANNEL, echo_of(t));
	ask_link_ask(t->link, wr_slice(&w));
}

static void on_echo_timer(void *arg)
{
	struct turn *t = arg;

	if (!t->is_by_client)
		no_echo(t, "silent");
	else if (clock_mono_ns() < t->echo_end_ns)
		send_side(t);
	else
		end_echo(t, "silent");
}

static void note_other(struct turn *t, struct slice bytes)
{
	if (t->is_answered)
		return;
	ask_keep_evidence(t->ask, "other", slice_sub(bytes, 0, OTHER_BYTES));
	t->is_other = true;
}

static void on_channel(struct turn *t, struct slice bytes)
{
	struct slice data;
	uint16_t channel;

	if (!stun_channel_decode(&channel, &data, bytes) && t->step == ECHO &&
	    !t->is_by_client && channel == CHANNEL &&
	    slice_eq(data, echo_of(t)))
		on_passed(t);
	else
		note_other(t, bytes);
}

/* The second socket was heard: answer where it was heard from. */
static void on_relayed(struct turn *t, const struct stun_msg *m)
{
	uint8_t tid[STUN_TID_BYTES], buf[REQUEST_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	struct slice data;
	struct addr peer;

	if (t->step != ECHO || !t->is_by_client ||
	    stun_msg_attr(&data, m, STUN_ATTR_DATA) ||
	    !slice_eq(data, echo_of(t)) ||
	    stun_msg_addr(&peer, m, STUN_ATTR_XOR_PEER_ADDRESS) ||
	    getrandom(tid, sizeof(tid), 0) != sizeof(tid))
		return;
	stun_put_head(&w, STUN_CLASS_INDICATION, STUN_METHOD_SEND, tid);
	stun_put_addr(&w, STUN_ATTR_XOR_PEER_ADDRESS, &peer);
	stun_put_attr(&w, STUN_ATTR_DATA, data);
	if (!w.bad)
		ask_link_send(t->link, wr_slice(&w));
}

static void note_allocated(struct turn *t, const struct stun_msg *m)
{
	uint32_t lifetime_s;

	if (!stun_msg_addr(&t->mapped, m, STUN_ATTR_XOR_MAPPED_ADDRESS))
		ask_keep_addr(t->ask, "mapped", &t->mapped);
	if (!stun_msg_u32(&lifetime_s, m, STUN_ATTR_LIFETIME))
		ask_keep(t->ask, "lifetime_s", val_int(lifetime_s));
	if (!t->has_challenge)
		ask_keep(t->ask, "auth", val_text("none"));
	else
		ask_keep(t->ask, "auth",
		         val_text(t->challenge.algorithm == STUN_ALGORITHM_MD5
		                          ? "md5"
		                          : "sha-256"));
}

static void on_success(struct turn *t, const struct stun_msg *m)
{
	switch (t->step) {
	case ALLOCATE:
		t->is_allocated = true;
		note_allocated(t, m);
		if (stun_msg_addr(&t->relayed, m,
		                  STUN_ATTR_XOR_RELAYED_ADDRESS)) {
			ask_step(t, RELEASE);
			return;
		}
		ask_keep_addr(t->ask, "relayed", &t->relayed);
		ask_step(t, PERMIT);
		break;
	case PERMIT:
		ask_keep(t->ask, "is_permitted", val_bool(true));
		if (t->is_by_client) {
			begin_echo(t);
			send_side(t);
		} else {
			ask_step(t, BIND);
		}
		break;
	case BIND:
		ask_keep(t->ask, "is_bound", val_bool(true));
		send_echo(t);
		break;
	case RELEASE:
		t->is_allocated = false;
		ask_keep(t->ask, "is_released", val_bool(true));
		finish(t);
		break;
	case ECHO:
		break;
	}
}

/* Keep the challenge: what it borrows from is gone with the turn. */
static int keep_challenge(struct turn *t, const struct stun_msg *m)
{
	const struct ask_account *who = &t->ask->conf->account;
	struct report *r = t->ask->report;
	struct stun_challenge c;
	int err;

	err = stun_msg_challenge(&c, m);
	if (err)
		return err;
	c.realm = report_bytes(r, c.realm);
	c.nonce = report_bytes(r, c.nonce);
	if (c.algorithms.p)
		c.algorithms = report_bytes(r, c.algorithms);
	if (r->no_memory)
		return ENOMEM;
	ask_keep(t->ask, "realm", val_bytes(c.realm));
	if (!who->turn_user || !who->turn_password)
		return ENOENT;
	err = stun_key_make(&t->key, c.algorithm, slice_str(who->turn_user),
	                    c.realm, slice_str(who->turn_password));
	if (err)
		return err;
	t->challenge = c;
	t->has_challenge = true;
	return 0;
}

static void put_code(struct turn *t, unsigned code, struct slice reason)
{
	ask_keep(t->ask, "code", val_int(code));
	ask_keep_bytes(t->ask, "reason", reason);
}

static void on_denied(struct turn *t, const struct stun_msg *m, unsigned code,
                      struct slice reason)
{
	const struct ask_account *who = &t->ask->conf->account;
	bool was_shown = t->has_challenge;
	int err = keep_challenge(t, m);
	const char *why = NULL;

	if (!who->turn_user || !who->turn_password)
		why = "required";
	else if (!ask_link_is_trusted(t->link))
		why = "withheld";
	else if (err)
		why = "unusable";
	else if (was_shown && code != STALE_NONCE)
		why = "refused";
	if (!why) {
		ask_step(t, t->step);
		return;
	}
	put_code(t, code, reason);
	ask_keep(t->ask, "auth", val_text(why));
	finish(t);
}

static void on_error(struct turn *t, const struct stun_msg *m)
{
	struct slice reason;
	unsigned code;

	if (stun_msg_error(&code, &reason, m))
		return;
	if (code == UNAUTHORIZED || code == STALE_NONCE) {
		on_denied(t, m, code, reason);
		return;
	}
	put_code(t, code, reason);
	if (t->step == PERMIT || t->step == BIND)
		no_echo(t, "denied");
	else
		finish(t);
}

static void note_first(struct turn *t, const struct stun_msg *m)
{
	struct slice software;

	ask_keep_evidence(t->ask, "answer", m->bytes);
	if (!t->is_answered)
		ask_link_answered(t->link);
	t->is_answered = true;
	if (!stun_msg_attr(&software, m, STUN_ATTR_SOFTWARE)) {
		ask_keep_bytes(t->ask, "software", software);
		if (ask_link_is_edge_name(software))
			t->ask->result.is_edge = true;
	}
}

static void on_message(struct turn *t, struct slice bytes)
{
	struct stun_msg m;

	if (stun_msg_decode(&m, bytes) || stun_msg_fingerprint(&m) == EBADMSG) {
		note_other(t, bytes);
		return;
	}
	if (m.cls == STUN_CLASS_INDICATION && m.method == STUN_METHOD_DATA)
		on_relayed(t, &m);
	if (memcmp(m.tid, t->tid, sizeof(t->tid)) != 0 || t->step == ECHO ||
	    m.method != method_of(t->step) || m.cls < STUN_CLASS_SUCCESS)
		return;
	/* section 9.2.5: as if it had never come */
	if (m.cls == STUN_CLASS_SUCCESS && t->has_challenge &&
	    stun_msg_integrity(&m, t->challenge.integrity, &t->key))
		return;
	note_first(t, &m);
	ask_link_settle(t->link);
	if (m.cls == STUN_CLASS_SUCCESS)
		on_success(t, &m);
	else
		on_error(t, &m);
}

static void on_stream(struct turn *t, struct slice bytes)
{
	enum stun_turn_kind kind;
	size_t n;
	int err;

	wr_put(&t->in, bytes);
	if (t->in.bad) {
		end_by(t, ASK_LOCAL, ENOMEM);
		return;
	}
	while (t->in.n && !ask_link_is_over(t->link)) {
		struct slice all = wr_slice(&t->in);

		err = stun_turn_frame(&kind, &n, all);
		if (err == EAGAIN)
			return;
		if (err) {
			on_message(t, slice_sub(all, 0, OTHER_BYTES));
			end_by(t, ASK_OTHER, 0);
			return;
		}
		if (kind == STUN_TURN_DATA)
			on_channel(t, slice_sub(all, 0, n));
		else
			on_message(t, slice_sub(all, 0, n));
		t->in.n -= n;
		memmove(t->in.p, t->in.p + n, t->in.n);
	}
}

static void on_data(void *arg, struct slice bytes)
{
	struct turn *t = arg;

	if (ask_link_is_stream(t->link))
		on_stream(t, bytes);
	else if (bytes.n && bytes.p[0] & NO_STUN_BITS)
		on_channel(t, bytes);
	else
		on_message(t, bytes);
}

static void on_open(void *arg)
{
	ask_step(arg, ALLOCATE);
}

static void on_over(void *arg, enum ask_end how)
{
	struct turn *t = arg;

	if (t->is_answered)
		ask_link_answered(t->link);
	else
		t->ask->result.end =
			how == ASK_SILENT && t->is_other ? ASK_OTHER : how;
	finish(t);
}

static const struct ask_link_ops link_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_over = on_over,
};

static void stop(void *state)
{
	struct turn *t = state;
	struct wr w;

	if (t->is_allocated) {
		t->step = RELEASE;
		if (!build(&w, t))
			ask_link_farewell(t->link, wr_slice(&w));
	}
	ask_link_close(t->link);
	net_udp_close(t->side);
	net_timer_free(t->echo_timer);
	wr_fini(&t->in);
}

static int start(void *state, struct ask *a)
{
	struct turn *t = state;
	int err;

	t->ask = a;
	t->in = wr_init_heap();
	if (getrandom(t->echo, sizeof(t->echo), 0) != sizeof(t->echo))
		return EIO;
	err = net_timer_alloc(&t->echo_timer, on_echo_timer, t);
	if (err)
		return err;
	err = ask_link_open(&t->link, a, NULL, &link_ops, t);
	if (err)
		net_timer_free(t->echo_timer);
	return err;
}

const struct ask_ops ask_turn = {
	.name = "turn",
	.summary = N_("TURN: an allocation, an echo through it, given back"),
	.state_bytes = sizeof(struct turn),
	.start = start,
	.stop = stop,
};
