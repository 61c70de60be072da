/* SPDX-License-Identifier: ISC */
/*
 * Design: a request, its answers, and for a REGISTER the same dialogue three
 * times: without credentials, with them, and once more to take the binding
 * away. One state machine serves both questions; OPTIONS is over at its first
 * final answer.
 *
 *   ASKING --401--> ASKING (authorized) --2xx--> REMOVING --> end
 *
 * Any SIP answer proves the service, whatever its code says: 401, 403, 404
 * and 405 are said by a server that was reached. So `end` is settled by the
 * first one, and what follows only adds fields.
 *
 * A binding is never left behind: it is asked for the shortest time that the
 * server takes, and who stops the question early still says goodbye. The
 * password is shown as a digest only, and only where the certificate is good.
 *
 * Fields of both: those of probe/ask_link.h, and
 *   code, reason   of the last answer (int, bytes)
 *   server         Server or User-Agent of the first answer (bytes)
 *   received       where the server saw the request from, from its Via (text)
 *   rport          the port (int)
 *   branch_lost    the answer was known by its Call-ID only: a box has changed
 *                  the branch of Via (bool)
 * Of sip-register with an account:
 *   auth           "none" (not asked for), "md5", "sha-256"..., "refused",
 *                  "withheld" (bad certificate), "unusable" (no challenge
 *                  that can be answered) (text)
 *   is_registered  (bool)
 *   is_removed     the binding was taken away, and the server said so (bool)
 * Evidence: request, answer: the first of each; other: what was no SIP.
 */
#include "probe/asks.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/i18n.h"
#include "base/text.h"
#include "probe/ask_keep.h"
#include "probe/ask_link.h"
#include "sip/digest.h"
#include "sip/request.h"
#include "sip/value.h"

enum {
	ID_BYTES = 8,
	ID_CHARS = 2 * ID_BYTES,
	REQUEST_BYTES = 4096,
	URI_BYTES = 512,
	EXPIRES_S = 60,
	EXPIRES_MAX_S = 3600, /* of a server's Min-Expires */
	MAX_REQUESTS = 8,     /* in all: no server keeps us busy */
	OTHER_BYTES = 512,    /* kept of what is no SIP */
};

enum stage {
	ASKING,
	REMOVING,
};

struct sip {
	struct ask *ask;
	struct ask_link *link;
	const char *method;
	enum stage stage;
	char call_id[ID_CHARS + 1], tag[ID_CHARS + 1], branch[ID_CHARS + 1];
	unsigned cseq;
	int expires_s;
	bool is_answered, is_other;
	bool is_bound; /* for all that is known here */
	bool is_registered, is_removed;
	const char *auth;    /* NULL: not decided */
	unsigned code;       /* of the last answer before the removal */
	struct slice reason; /* in the report's arena */
	struct sip_challenge challenge; /* in the report's arena */
	bool has_challenge;
	bool is_password_good; /* it was taken with the last nonce */
	unsigned nc;
	struct wr in; /* of a stream */
	struct sip_msg msg;
	uint8_t request[REQUEST_BYTES];
	struct wr request_w;
};

static int random_id(char out[ID_CHARS + 1])
{
	uint8_t bytes[ID_BYTES];
	struct wr w = wr_init(out, ID_CHARS);

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return EIO;
	text_hex_put(&w, (struct slice){bytes, sizeof(bytes)});
	out[ID_CHARS] = '\0';
	return 0;
}

static bool is_register(const struct sip *s)
{
	return s->method[0] == 'R';
}

static bool has_account(const struct sip *s)
{
	const struct ask_account *a = &s->ask->conf->account;

	return is_register(s) && a->sip_user && a->sip_password;
}

static bool is_ws(const struct sip *s)
{
	enum ask_via via = s->ask->target->via;

	return via == ASK_WS || via == ASK_WSS;
}

/* What a request says of itself; the texts are its caller's. */
struct texts {
	uint8_t uri[URI_BYTES], aor[URI_BYTES], sent_by[URI_BYTES];
	uint8_t contact[URI_BYTES];
};

static struct slice domain_of(const struct sip *s)
{
	const char *domain = s->ask->conf->account.sip_domain;

	return slice_str(is_register(s) && domain ? domain
	                                          : s->ask->target->host);
}

static struct slice put_uri(uint8_t buf[URI_BYTES], const struct sip *s,
                            const char *user)
{
	struct wr w = wr_init(buf, URI_BYTES);

	wr_str(&w, "sip:");
	if (user) {
		sip_put_user(&w, slice_str(user));
		wr_str(&w, "@");
	}
	sip_put_host(&w, domain_of(s));
	/* what does not fit is refused by the builder */
	return w.bad ? slice_str(" ") : wr_slice(&w);
}

/* A browser has no address of its own to show (RFC 7118, section 5). */
static struct slice put_sent_by(uint8_t buf[URI_BYTES], const struct sip *s)
{
	struct addr local = ask_link_local(s->link);
	char text[ADDR_TEXT_BYTES];
	struct wr w = wr_init(buf, URI_BYTES);

	if (is_ws(s))
		wr_fmt(&w, "%s.invalid", s->tag);
	else
		wr_str(&w, addr_text(&local, text));
	return wr_slice(&w);
}

static struct slice put_contact(uint8_t buf[URI_BYTES], const struct sip *s,
                                const char *user, struct slice sent_by)
{
	struct wr w = wr_init(buf, URI_BYTES);

	wr_str(&w, "sip:");
	sip_put_user(&w, slice_str(user));
	wr_str(&w, "@");
	wr_put(&w, sent_by);
	if (is_ws(s))
		wr_str(&w, ";transport=ws");
	else if (s->ask->target->via != ASK_UDP)
		wr_fmt(&w, ";transport=%s", ask_via_name(s->ask->target->via));
	return w.bad ? slice_str(" ") : wr_slice(&w);
}

static int put_credentials(struct wr *w, struct sip *s, struct slice uri)
{
	const struct ask_account *a = &s->ask->conf->account;
	char cnonce[ID_CHARS + 1];
	struct sip_digest d = {
		.challenge = &s->challenge,
		.user = slice_str(a->sip_user),
		.password = slice_str(a->sip_password),
		.method = slice_str(s->method),
		.uri = uri,
		.nc = ++s->nc,
	};
	int err = random_id(cnonce);

	d.cnonce = slice_str(cnonce);
	return err ? err : sip_digest_put(w, &d);
}

/* The next request, into s->request_w. */
static int build(struct sip *s)
{
	static const char *const transports[] = {
		[ASK_UDP] = "UDP", [ASK_TCP] = "TCP", [ASK_TLS] = "TLS",
		[ASK_WS] = "WS",   [ASK_WSS] = "WSS",
	};
	const char *account = s->ask->conf->account.sip_user;
	const char *user = is_register(s) && account ? account : "prumo";
	struct wr extra = wr_init_heap();
	struct texts t;
	struct sip_request rq = {
		.method = s->method,
		.transport = transports[s->ask->target->via],
		.uri = put_uri(t.uri, s, NULL),
		.aor = put_uri(t.aor, s, user),
		.sent_by = put_sent_by(t.sent_by, s),
		.from_tag = slice_str(s->tag),
		.call_id = slice_str(s->call_id),
		.cseq = ++s->cseq,
		.expires_s = -1,
	};
	int err = random_id(s->branch);

	rq.branch = slice_str(s->branch);
	if (!is_register(s) || has_account(s))
		rq.contact = put_contact(t.contact, s, user, rq.sent_by);
	if (has_account(s))
		rq.expires_s = s->stage == REMOVING ? 0 : s->expires_s;
	if (!err && s->has_challenge)
		err = put_credentials(&extra, s, rq.uri);
	if (!err) {
		rq.extra = wr_slice(&extra);
		s->request_w = wr_init(s->request, sizeof(s->request));
		err = sip_request_build(&s->request_w, &rq);
	}
	wr_fini(&extra);
	return err;
}

static void finish(struct sip *s)
{
	if (s->code) {
		ask_keep(s->ask, "code", val_int(s->code));
		ask_keep(s->ask, "reason", val_bytes(s->reason));
	}
	if (has_account(s)) {
		ask_keep(s->ask, "auth", val_text(s->auth ? s->auth : "none"));
		ask_keep(s->ask, "is_registered", val_bool(s->is_registered));
		if (s->is_registered)
			ask_keep(s->ask, "is_removed", val_bool(s->is_removed));
	}
	ask_link_finish(s->link, s->ask);
}

static void end_by(struct sip *s, int err)
{
	if (!s->is_answered) {
		s->ask->result.end = ASK_LOCAL;
		s->ask->result.error = err;
	}
	finish(s);
}

static void ask_next(struct sip *s)
{
	int err;

	if (s->cseq >= MAX_REQUESTS) {
		finish(s);
		return;
	}
	err = build(s);
	if (err) {
		end_by(s, err);
		return;
	}
	ask_keep_evidence(s->ask, "request", wr_slice(&s->request_w));
	/* from now on the server may hold a binding */
	if (has_account(s))
		s->is_bound = true;
	ask_link_ask(s->link, wr_slice(&s->request_w));
}

/* Keep the challenge: the message it borrows from is gone with the turn. */
static int keep_challenge(struct sip *s)
{
	struct report *r = s->ask->report;
	struct sip_challenge c;
	int err = sip_msg_challenge(&c, &s->msg);

	if (err)
		return err;
	c.realm = report_bytes(r, c.realm);
	c.nonce = report_bytes(r, c.nonce);
	if (c.opaque.p)
		c.opaque = report_bytes(r, c.opaque);
	if (r->no_memory)
		return ENOMEM;
	s->challenge = c;
	s->has_challenge = true;
	s->nc = 0;
	return 0;
}

/* 401 and 407 of a REGISTER with an account. */
static void on_denied(struct sip *s)
{
	bool was_shown = s->has_challenge;
	int err = 0;

	if (s->stage == ASKING)
		s->is_bound = false;
	if (!ask_link_is_trusted(s->link)) {
		s->auth = "withheld";
		finish(s);
		return;
	}
	err = keep_challenge(s);
	/* nonces that are good for one use do not always call themselves
	 * stale afterwards */
	if (!err &&
	    (!was_shown || s->challenge.is_stale || s->is_password_good)) {
		s->is_password_good = false;
		ask_next(s);
		return;
	}
	if (s->stage == ASKING)
		s->auth = err ? "unusable" : "refused";
	finish(s);
}

static void on_brief(struct sip *s)
{
	const struct sip_field *f =
		sip_msg_named(&s->msg, slice_str("Min-Expires"), 0);
	uint64_t least;

	s->is_bound = false;
	if (!f || text_u64(&least, f->value, EXPIRES_MAX_S) ||
	    (int)least <= s->expires_s) {
		finish(s);
		return;
	}
	s->expires_s = (int)least;
	ask_next(s);
}

static const char *auth_name(const struct sip *s)
{
	static const char *const names[] = {
		[SIP_DIGEST_MD5] = "md5",
		[SIP_DIGEST_MD5_SESS] = "md5-sess",
		[SIP_DIGEST_SHA256] = "sha-256",
		[SIP_DIGEST_SHA256_SESS] = "sha-256-sess",
		[SIP_DIGEST_SHA512_256] = "sha-512-256",
		[SIP_DIGEST_SHA512_256_SESS] = "sha-512-256-sess",
	};

	return s->has_challenge ? names[s->challenge.algorithm] : "none";
}

static void on_accepted(struct sip *s)
{
	if (s->stage == REMOVING) {
		s->is_bound = false;
		s->is_removed = true;
		finish(s);
		return;
	}
	s->auth = auth_name(s);
	s->is_registered = true;
	s->stage = REMOVING;
	ask_next(s);
}

static void on_final(struct sip *s, unsigned status)
{
	bool is_denied = status == 401 || status == 407;

	ask_link_settle(s->link);
	if (!is_denied)
		s->is_password_good = s->has_challenge;
	if (!has_account(s)) {
		finish(s);
	} else if (is_denied) {
		on_denied(s);
	} else if (status == 423 && s->stage == ASKING) {
		on_brief(s);
	} else if (status < 300) {
		on_accepted(s);
	} else {
		/* who refuses to bind has bound nothing; who refuses to
		 * remove may keep it */
		if (s->stage == ASKING)
			s->is_bound = false;
		finish(s);
	}
}

/* Is it the answer to the last request? */
static bool is_ours(struct sip *s)
{
	struct slice cseq = sip_msg_value(&s->msg, SIP_HDR_CSEQ), branch = {0};
	uint64_t number;
	struct sip_via via;
	size_t at = 0;

	while (at < cseq.n && isdigit(cseq.p[at]))
		at++;
	if (text_u64(&number, slice_sub(cseq, 0, at), UINT32_MAX) ||
	    number != s->cseq ||
	    !slice_eq_str(slice_trim(slice_sub(cseq, at, SIZE_MAX)), s->method))
		return false;
	if (!sip_msg_top_via(&via, &s->msg) &&
	    sip_param_find(&branch, via.params, "branch") &&
	    slice_eq_str(slice_sub(branch, strlen("z9hG4bK"), SIZE_MAX),
	                 s->branch))
		return true;
	/* a box may have changed one of the two */
	if (!slice_eq_str(sip_msg_value(&s->msg, SIP_HDR_CALL_ID), s->call_id))
		return false;
	ask_keep(s->ask, "branch_lost", val_bool(true));
	return true;
}

static void put_via(struct sip *s)
{
	struct slice received, rport;
	struct sip_via via;
	uint64_t port;

	if (sip_msg_top_via(&via, &s->msg))
		return;
	if (sip_param_find(&received, via.params, "received") && received.n)
		ask_keep_bytes(s->ask, "received", received);
	if (sip_param_find(&rport, via.params, "rport") &&
	    !text_u64(&port, rport, UINT16_MAX))
		ask_keep(s->ask, "rport", val_int((int64_t)port));
}

/* Everything that the first answer proves. */
static void note_first(struct sip *s)
{
	const struct sip_field *f =
		sip_msg_named(&s->msg, slice_str("Server"), 0);

	s->is_answered = true;
	ask_link_answered(s->link);
	ask_keep_evidence(s->ask, "answer", s->msg.raw);
	put_via(s);
	if (!f)
		f = sip_msg_field(&s->msg, SIP_HDR_USER_AGENT, 0);
	if (!f)
		return;
	ask_keep_bytes(s->ask, "server", f->value);
	if (ask_link_is_edge_name(f->value))
		s->ask->result.is_edge = true;
}

/* What the user wants to know is how the request went, not its undoing. */
static void note_code(struct sip *s, unsigned status)
{
	struct slice line = s->msg.start;

	if (s->stage == REMOVING)
		return;
	s->code = status;
	s->reason = report_bytes(
		s->ask->report,
		slice_trim(slice_sub(line, strlen("SIP/2.0 nnn"), SIZE_MAX)));
}

/* @return false: this is no SIP */
static bool take(struct sip *s, struct slice bytes)
{
	unsigned status;

	sip_msg_read(&s->msg, bytes);
	status = sip_msg_status(&s->msg);
	if (status == 0)
		return sip_msg_is_request(&s->msg);
	if (!is_ours(s))
		return true;
	if (!s->is_answered)
		note_first(s);
	note_code(s, status);
	if (status >= 200)
		on_final(s, status);
	return true;
}

static void on_other(struct sip *s, struct slice bytes)
{
	ask_keep_evidence(s->ask, "other", slice_sub(bytes, 0, OTHER_BYTES));
	if (s->is_answered)
		return;
	s->is_other = true;
	/* a datagram may be a stray; a stream has only one sender */
	if (!ask_link_is_stream(s->link))
		return;
	s->ask->result.end = ASK_OTHER;
	finish(s);
}

static void on_stream(struct sip *s, struct slice bytes)
{
	size_t n = 0;

	wr_put(&s->in, bytes);
	if (s->in.bad) {
		end_by(s, ENOMEM);
		return;
	}
	while (s->in.n && !ask_link_is_over(s->link)) {
		enum sip_frame frame = sip_stream_len(&n, wr_slice(&s->in));

		if (frame == SIP_FRAME_MORE)
			return;
		if (frame == SIP_FRAME_BAD) {
			on_other(s, wr_slice(&s->in));
			return;
		}
		if (frame == SIP_FRAME_MSG &&
		    !take(s, slice_sub(wr_slice(&s->in), 0, n)))
			on_other(s, wr_slice(&s->in));
		s->in.n -= n;
		memmove(s->in.p, s->in.p + n, s->in.n);
	}
}

static void on_data(void *arg, struct slice bytes)
{
	struct sip *s = arg;

	if (ask_link_is_stream(s->link))
		on_stream(s, bytes);
	else if (!slice_eq_str(bytes, "\r\n") &&
	         !slice_eq_str(bytes, "\r\n\r\n") && !take(s, bytes))
		on_other(s, bytes);
}

static void on_open(void *arg)
{
	ask_next(arg);
}

static void on_over(void *arg, enum ask_end end)
{
	struct sip *s = arg;

	if (!s->is_answered)
		s->ask->result.end =
			end == ASK_SILENT && s->is_other ? ASK_OTHER : end;
	else
		ask_link_answered(s->link);
	finish(s);
}

static const struct ask_link_ops link_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_over = on_over,
};

static void stop(void *state)
{
	struct sip *s = state;

	if (s->is_bound) {
		s->stage = REMOVING;
		if (!build(s))
			ask_link_farewell(s->link, wr_slice(&s->request_w));
	}
	ask_link_close(s->link);
	wr_fini(&s->in);
}

static int start(struct sip *s, struct ask *a, const char *method)
{
	/* where most servers have it, and where Asterisk does */
	static const char *const paths[] = {"/", "/ws", NULL};
	const struct ask_link_conf how = {
		.via = a->target->via,
		.paths = paths,
		.subprotocol = "sip",
	};
	int err;

	s->ask = a;
	s->method = method;
	s->expires_s = EXPIRES_S;
	s->in = wr_init_heap();
	err = random_id(s->call_id);
	if (!err)
		err = random_id(s->tag);
	return err ? err : ask_link_open(&s->link, a, &how, &link_ops, s);
}

static int start_options(void *state, struct ask *a)
{
	return start(state, a, "OPTIONS");
}

static int start_register(void *state, struct ask *a)
{
	return start(state, a, "REGISTER");
}

const struct ask_ops ask_sip_options = {
	.name = "sip-options",
	.summary = N_("SIP: what the server says to OPTIONS"),
	.state_bytes = sizeof(struct sip),
	.start = start_options,
	.stop = stop,
};

const struct ask_ops ask_sip_register = {
	.name = "sip-register",
	.summary = N_("SIP: a registration, taken away again"),
	.state_bytes = sizeof(struct sip),
	.start = start_register,
	.stop = stop,
};
