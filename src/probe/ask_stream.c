/* SPDX-License-Identifier: ISC */
#include "probe/ask_stream.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/cert.h"
#include "net/tls.h"
#include "wire/dgram.h"

enum {
	TLS_VERSION = 70, /* protocol_version, RFC 8446 section 6 */
};

static struct val *put(struct ask *a, struct val *into, const char *key,
                       struct val v)
{
	return val_put(&a->report->arena, &a->report->no_memory, into, key, v);
}

void ask_put_ms(struct ask *a, const char *key, int64_t ns)
{
	if (ns)
		put(a, &a->result.fields, key,
		    val_real((double)ns / (double)NS_PER_MS));
}

void ask_put_int(struct ask *a, const char *key, int64_t v)
{
	put(a, &a->result.fields, key, val_int(v));
}

void ask_put_text(struct ask *a, const char *key, const char *text)
{
	put(a, &a->result.fields, key,
	    val_text(report_text(a->report, slice_str(text))));
}

void ask_put_bytes(struct ask *a, const char *key, struct slice bytes)
{
	put(a, &a->result.fields, key,
	    val_bytes(report_bytes(a->report, bytes)));
}

void ask_put_addr(struct ask *a, const char *key, const struct addr *at)
{
	char buf[ADDR_TEXT_BYTES];

	if (at->family != ADDR_NONE)
		ask_put_text(a, key,
		             at->port ? addr_text(at, buf)
		                      : addr_ip_text(at, buf));
}

bool ask_stream_may(struct ask *a)
{
	if (!a->conf->flows_left || *a->conf->flows_left > 0)
		return true;
	a->result.end = ASK_LOCAL;
	a->result.error = EDQUOT;
	ask_end(a);
	return false;
}

struct net_stream_conf ask_stream_conf(const struct ask *a)
{
	if (a->conf->flows_left && *a->conf->flows_left)
		--*a->conf->flows_left;
	return (struct net_stream_conf){.second_after_ns =
	                                        ASK_SECOND_MS * NS_PER_MS,
	                                .asks_here = true,
	                                .refusal = wire_limited_head()};
}

int ask_stream_tls(struct net_tls **tp, const struct ask *a,
                   const char *const *alpn)
{
	struct net_tls *tls;
	int err = net_tls_client_alloc(&tls);

	if (err)
		return err;
	err = net_tls_set_name(tls, a->target->host);
	if (!err)
		err = net_tls_set_alpn(tls, alpn);
	if (err)
		net_tls_free(tls);
	else
		*tp = tls;
	return err;
}

int ask_stream_began(struct ask *a, int err)
{
	if (err == 0 || err == ENOMEM)
		return err;
	a->result.end = ASK_LOCAL;
	a->result.error = err;
	ask_end(a);
	return 0;
}

static const char *hex(struct ask *a, const uint8_t bytes[32])
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	text_hex_put(&w, (struct slice){bytes, 32});
	return report_text(a->report, wr_slice(&w));
}

static void put_faults(struct ask *a, struct val *map, unsigned faults)
{
	static const struct {
		enum net_cert_fault bit;
		const char *name;
	} all[] = {
		{NET_CERT_UNTRUSTED, "untrusted"},
		{NET_CERT_SELF_SIGNED, "self-signed"},
		{NET_CERT_EXPIRED, "expired"},
		{NET_CERT_NOT_YET, "not-yet"},
		{NET_CERT_NAME, "name"},
		{NET_CERT_OTHER, "other"},
	};
	struct val *list = put(a, map, "faults", val_list());

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (faults & all[i].bit)
			put(a, list, NULL, val_text(all[i].name));
	}
}

/* If nothing but the dates is wrong, it may be our clock that is. */
static void put_clock(struct ask *a, struct val *map, const struct net_cert *c,
                      int64_t now_s)
{
	const unsigned dates = NET_CERT_EXPIRED | NET_CERT_NOT_YET;

	if (!(c->faults & dates) || c->faults & ~dates ||
	    c->chain_from_s >= c->chain_to_s)
		return;
	if (now_s < c->chain_from_s)
		put(a, map, "clock_behind_s", val_int(c->chain_from_s - now_s));
	else if (now_s > c->chain_to_s)
		put(a, map, "clock_ahead_s", val_int(now_s - c->chain_to_s));
}

static void put_certificate(struct ask *a, const struct net_cert *c,
                            bool is_pinned, int64_t now_s)
{
	struct val *map = put(a, &a->result.fields, "certificate", val_map());
	struct val *names;

	put(a, map, "subject", val_text(c->subject));
	put(a, map, "issuer", val_text(c->issuer));
	put(a, map, "issuer_name", val_text(c->issuer_name));
	put(a, map, "root", val_text(c->root));
	names = put(a, map, "names", val_list());
	for (size_t i = 0; i < c->n_names; i++)
		put(a, names, NULL, val_text(c->names[i]));
	put(a, map, "from", val_int(c->from_s));
	put(a, map, "to", val_int(c->to_s));
	put(a, map, "sha256", val_text(hex(a, c->fingerprint)));
	put(a, map, "key_pin", val_text(hex(a, c->key_pin)));
	put(a, map, "chain", val_int((int64_t)c->n_chain));
	put_faults(a, map, c->faults);
	put(a, map, "why", val_text(c->why));
	put(a, map, "is_pinned", val_bool(is_pinned));
	put_clock(a, map, c, now_s);
}

/* @return whether it is good */
static bool read_certificate(struct ask *a, const struct net_stream *s)
{
	const int64_t now_s = clock_wall_ns() / NS_PER_S;
	struct net_cert c;
	bool is_pinned;
	int err;

	err = net_cert_read(&c, &a->report->arena, s, a->target->host, now_s);
	if (err == ENOMEM)
		a->report->no_memory = true;
	if (err)
		return false;
	is_pinned = a->conf->pin && memcmp(a->conf->pin, c.fingerprint,
	                                   sizeof(c.fingerprint)) == 0;
	put_certificate(a, &c, is_pinned, now_s);
	if (c.faults == 0 || is_pinned)
		return true;
	a->result.end = ASK_BAD_TLS;
	ask_put_text(a, "tls_failure", "certificate");
	return false;
}

static void put_opening(struct ask *a, const struct net_stream_opening *o)
{
	a->result.n_sent = o->n_tried;
	if (!o->is_syn_repeated)
		ask_put_ms(a, "connect_ms", o->connect_ns);
	ask_put_ms(a, "hello_ms", o->hello_ns);
	/* the second connection was a flow more than ask_stream_conf() knew */
	for (unsigned n = 1; n < o->n_tried; n++) {
		if (a->conf->flows_left && *a->conf->flows_left)
			--*a->conf->flows_left;
	}
}

bool ask_stream_opened(struct ask *a, const struct net_stream *s)
{
	struct net_stream_opening o = net_stream_opening(s);

	put_opening(a, &o);
	a->result.layer = ASK_LAYER_CONNECT;
	if (!o.is_syn_repeated)
		a->result.rtt_ns = o.connect_ns;
	return !net_stream_is_tls(s) || ask_stream_secured(a, s);
}

bool ask_stream_secured(struct ask *a, const struct net_stream *s)
{
	a->result.layer = ASK_LAYER_TLS;
	ask_put_text(a, "tls_version", net_stream_tls_version(s));
	if (net_stream_alpn(s).n)
		ask_put_bytes(a, "alpn", net_stream_alpn(s));
	return read_certificate(a, s);
}

static enum ask_end end_of_connect(const struct net_stream_opening *o, int err)
{
	switch (err) {
	case ETIMEDOUT:
		return ASK_SILENT;
	case ECONNREFUSED:
	case ECONNRESET:
		return ASK_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EACCES:
	case EPROTO:
	case EOPNOTSUPP:
	case EMSGSIZE:
		/* without a sender it is this host's own routing, or firewall,
		 * that speaks */
		return o->offender.family == ADDR_NONE ? ASK_LOCAL
		                                       : ASK_REFUSED;
	default:
		return ASK_LOCAL;
	}
}

static void put_tls_failure(struct ask *a, const struct net_stream_opening *o,
                            int err)
{
	const char *what = "closed";

	if (o->is_alerted)
		what = "alert";
	else if (o->is_old_tls)
		what = "too-old";
	else if (o->is_not_tls || err == EPROTO)
		what = "not-tls";
	else if (err == ETIMEDOUT)
		what = "silent";
	else if (err == ECONNRESET)
		what = "reset";
	ask_put_text(a, "tls_failure", what);
	if (o->is_alerted)
		ask_put_int(a, "tls_alert", o->tls_alert);
	if (o->is_old_tls || (o->is_alerted && o->tls_alert == TLS_VERSION))
		put(a, &a->result.fields, "is_old_tls", val_bool(true));
	a->result.end = ASK_BAD_TLS;
	/* nothing came back at all: what cut it, cut it before TLS was said */
	if (!o->hello_ns && err != EPROTO)
		a->result.end = err == ETIMEDOUT ? ASK_SILENT : ASK_CUT;
}

static void put_limited(struct ask *a, const uint8_t wait_s[2])
{
	struct rd r = rd_init((struct slice){wait_s, NET_REFUSAL_BYTES});

	a->result.end = ASK_LIMITED;
	a->result.layer = ASK_LAYER_NONE;
	ask_put_int(a, "wait_s", rd_u16(&r));
}

void ask_stream_failed(struct ask *a, const struct net_stream *s, int err)
{
	struct net_stream_opening o = net_stream_opening(s);

	a->result.error = err;
	if (err == EUSERS) {
		a->result.error = 0;
		put_limited(a, o.refusal);
		return;
	}
	if (a->result.layer == ASK_LAYER_NONE)
		put_opening(a, &o);
	if (net_stream_local(s).family == ADDR_NONE) {
		a->result.end = end_of_connect(&o, err);
		a->result.offender = o.offender;
		a->result.icmp_type = o.icmp_type;
		a->result.icmp_code = o.icmp_code;
		if (o.is_kept_here) {
			a->result.end = ASK_LOCAL;
			a->result.error = EPERM;
		}
		return;
	}
	if (a->result.layer == ASK_LAYER_NONE)
		a->result.layer = ASK_LAYER_CONNECT;
	if (net_stream_is_tls(s) && a->result.layer < ASK_LAYER_TLS)
		put_tls_failure(a, &o, err);
	else
		a->result.end = err == ETIMEDOUT ? ASK_SILENT : ASK_CUT;
}
