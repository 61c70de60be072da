/* SPDX-License-Identifier: ISC */
/*
 * Does HTTP answer, and is it the service that answers?
 *
 * Fields besides those of ask_stream.h and near.h:
 *   status       of the answer to GET / (int)
 *   server, location, via, x_cache, age   headers of those names (bytes)
 *   answer_ms    request sent to first byte back (real)
 *   clock_ahead_s  this computer's clock less the server's `Date:`, the round
 *                halved; off by a second at most (int, negative: behind)
 *   body_bytes   of the body, as far as it was read (int)
 *   redirect_host  whom a redirect names, if anybody (bytes)
 *   followed     map, where it leads to the same host and port: what came
 *                there: status (int), location (bytes)
 *   portal       "likely" or "sure": a captive portal answered; absent: not
 *   portal_why   as in portal.h
 *   is_proxied   true: a header says that a proxy or cache has had it
 *   proxy_env    "http_proxy=HOST:PORT": this user's programs are told to use
 *                a proxy; the question did not (text, without a password)
 *   edge_sha256, edge_issuer   what an edge states of its certificate (bytes)
 *   is_body_altered  true: an edge's page is not as an edge writes it
 *   is_intercepted   true: the certificate shown is not the one that the edge
 *                states
 * Evidence: `head`, `body`, or `raw` when it was not HTTP.
 *
 * Design: a bad certificate does not end it. What an interceptor's proxy says
 * next often names it, and an edge behind it still states its own.
 */
#include "probe/asks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"
#include "probe/ask_stream.h"
#include "probe/near.h"
#include "probe/portal.h"

enum {
	EVIDENCE_BYTES = 1024,
	HEADER_BYTES = 256,
	HTTP_PORT = 80,
	HTTPS_PORT = 443,
};

struct ask_http {
	struct ask *ask;
	struct net_tls *tls;
	struct net_http *http;
	struct net_timer *patience;
	bool is_bad_tls;
	bool is_followed; /* the second page was asked for */
	char path[HEADER_BYTES];
};

static void put_evidence(struct ask *a, const char *key, struct slice bytes)
{
	struct report *r = a->report;

	if (bytes.n == 0)
		return;
	bytes = report_bytes(r, slice_sub(bytes, 0, EVIDENCE_BYTES));
	val_put(&r->arena, &r->no_memory, &a->result.evidence, key,
	        val_bytes(bytes));
}

static void put_true(struct ask *a, const char *key)
{
	val_put(&a->report->arena, &a->report->no_memory, &a->result.fields,
	        key, val_bool(true));
}

static void put_headers(struct ask *a, const struct net_http_msg *m)
{
	static const struct {
		const char *header, *key;
		bool is_of_proxy;
	} all[] = {
		{"Server", "server", false}, {"Location", "location", false},
		{"Via", "via", true},        {"X-Cache", "x_cache", true},
		{"Age", "age", true},
	};
	bool is_proxied = false;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct slice value = net_http_header(m, all[i].header);

		if (value.n == 0)
			continue;
		ask_put_bytes(a, all[i].key, slice_sub(value, 0, HEADER_BYTES));
		is_proxied |= all[i].is_of_proxy;
	}
	if (is_proxied)
		put_true(a, "is_proxied");
}

static void put_clock(struct ask *a, const struct net_http_answer *answer)
{
	int64_t server_s, now_ns = clock_wall_ns() - answer->first_byte_ns / 2;

	if (net_http_date(&server_s, net_http_header(answer->msg, "Date")) == 0)
		ask_put_int(a, "clock_ahead_s", now_ns / NS_PER_S - server_s);
}

/* @return whether a portal answered in the service's place */
static bool put_portal(struct ask *a, const struct net_http_answer *answer)
{
	struct portal_signs s = {
		.host = a->target->host,
		.addr = a->target->addr,
		.is_tls = a->target->via == ASK_TLS,
		.status = answer->msg->status,
		.location = net_http_header(answer->msg, "Location"),
		.body = answer->body,
	};
	const char *why;
	enum portal p = portal_judge(&why, &s);

	if (p == PORTAL_NONE)
		return false;
	ask_put_text(a, "portal", p == PORTAL_SURE ? "sure" : "likely");
	ask_put_text(a, "portal_why", why);
	return p == PORTAL_SURE;
}

static bool begins(struct slice s, const char *with)
{
	struct slice w = slice_str(with);

	return slice_eq(slice_sub(s, 0, w.n), w);
}

/* An edge says which certificate it has: the one shown may be another's. */
static void put_edge(struct ask *a, const struct net_http_answer *answer)
{
	const struct val *shown = val_get(&a->result.fields, "certificate");
	struct slice sha256, issuer;
	bool is_whole;

	if (!begins(net_http_header(answer->msg, "Server"), "prumo-edge") &&
	    !begins(answer->body, "prumo-edge\n"))
		return;
	a->result.is_edge = true;
	if (answer->msg->status != 200)
		return;
	is_whole = portal_edge_page(&sha256, &issuer, answer->body);
	if (!is_whole)
		put_true(a, "is_body_altered");
	if (sha256.n) {
		ask_put_bytes(a, "edge_sha256", sha256);
		ask_put_bytes(a, "edge_issuer", issuer);
	}
	if (is_whole && shown &&
	    !slice_ieq(sha256, val_get_text(shown, "sha256")))
		put_true(a, "is_intercepted");
}

/* What programs of this user would go through; not this question. */
static void put_proxy_env(struct ask *a)
{
	static const char *const names[2][4] = {
		{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"},
		{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
	};
	const char *const *mine = names[a->target->via == ASK_TLS];

	for (size_t i = 0; i < ARRAY_LEN(names[0]); i++) {
		const char *value = getenv(mine[i]), *at;

		if (!value || !*value)
			continue;
		/* a user and password may stand before the host */
		at = strrchr(value, '@');
		if (!at && strstr(value, "://"))
			at = strstr(value, "://") + 2;
		ask_put_text(a, "proxy_env",
		             report_fmt(a->report, "%s=%s", mine[i],
		                        at ? at + 1 : value));
		return;
	}
}

/* Where on the same host and port it leads; false: elsewhere. */
static bool read_path(char path[HEADER_BYTES], const struct ask *a,
                      struct slice location)
{
	const bool is_tls = a->target->via == ASK_TLS;
	const char *scheme = is_tls ? "https://" : "http://";
	struct slice host = slice_str(a->target->host), rest = location;
	char port[sizeof(":65535")];

	if (begins(location, scheme)) {
		rest = slice_sub(location, strlen(scheme), SIZE_MAX);
		if (!slice_ieq(slice_sub(rest, 0, host.n), host))
			return false;
		rest = slice_sub(rest, host.n, SIZE_MAX);
		(void)snprintf(port, sizeof(port), ":%u", a->target->addr.port);
		if (begins(rest, port))
			rest = slice_sub(rest, strlen(port), SIZE_MAX);
		else if (a->target->addr.port !=
		         (is_tls ? HTTPS_PORT : HTTP_PORT))
			return false;
	}
	if (rest.n == 0 || rest.n >= HEADER_BYTES || rest.p[0] != '/' ||
	    begins(rest, "//"))
		return false;
	for (size_t i = 0; i < rest.n; i++) {
		if (rest.p[i] <= ' ' || rest.p[i] > '~')
			return false; /* it goes into a request */
	}
	memcpy(path, rest.p, rest.n);
	path[rest.n] = '\0';
	return true;
}

static void put_redirect(struct ask *a, const struct net_http_answer *answer)
{
	struct slice to =
		portal_url_host(net_http_header(answer->msg, "Location"));

	if (to.n > 0)
		ask_put_bytes(a, "redirect_host",
		              slice_sub(to, 0, HEADER_BYTES));
}

static void put_near(struct ask *a, const struct net_http_answer *answer,
                     const struct net_stream_opening *o)
{
	struct near_times t = {.connect_ns = o->connect_ns,
	                       .known_ns = a->conf->rtt_ns};

	if (o->is_syn_repeated)
		return;
	if (o->hello_ns)
		t.answer_ns[t.n_answers++] = o->hello_ns;
	t.answer_ns[t.n_answers++] = answer->first_byte_ns;
	near_put(a, &t);
}

static void take_answer(struct ask_http *q, const struct net_http_answer *n)
{
	struct ask *a = q->ask;
	struct net_stream_opening o =
		net_stream_opening(net_http_stream(q->http));
	bool is_portal;

	a->result.layer = ASK_LAYER_PROTOCOL;
	ask_put_int(a, "status", n->msg->status);
	put_headers(a, n->msg);
	put_redirect(a, n);
	ask_put_ms(a, "answer_ms", n->first_byte_ns);
	ask_put_int(a, "body_bytes", (int64_t)n->body.n);
	put_evidence(a, "head", n->head);
	put_evidence(a, "body", n->body);
	put_clock(a, n);
	put_edge(a, n);
	put_near(a, n, &o);
	is_portal = put_portal(a, n);
	a->result.end = ASK_ANSWERED;
	if (is_portal)
		a->result.end = ASK_OTHER;
	else if (q->is_bad_tls)
		a->result.end = ASK_BAD_TLS;
}

static int open_http(struct ask_http *q);

/* One step, and only to whom was asked: that the first page is a login page's
 * may show on the second. @return whether more will come */
static bool follow(struct ask_http *q, const struct net_http_answer *n)
{
	struct ask *a = q->ask;

	if (n->msg->status < 300 || n->msg->status >= 400 ||
	    (a->conf->flows_left && *a->conf->flows_left == 0) ||
	    !read_path(q->path, a, net_http_header(n->msg, "Location")))
		return false;
	net_http_free(q->http);
	q->http = NULL;
	net_tls_free(q->tls);
	q->tls = NULL;
	q->is_followed = true;
	if (a->conf->flows_left)
		--*a->conf->flows_left;
	return open_http(q) == 0;
}

static void take_followed(struct ask_http *q, const struct net_http_answer *n)
{
	struct ask *a = q->ask;
	struct report *r = a->report;
	struct slice location;
	struct val *map;

	if (!n->msg)
		return; /* the first page has answered */
	map = val_put(&r->arena, &r->no_memory, &a->result.fields, "followed",
	              val_map());
	val_put(&r->arena, &r->no_memory, map, "status",
	        val_int(n->msg->status));
	location = net_http_header(n->msg, "Location");
	if (location.n > 0)
		val_put(&r->arena, &r->no_memory, map, "location",
		        val_bytes(report_bytes(
				r, slice_sub(location, 0, HEADER_BYTES))));
	if (!val_get(&a->result.fields, "portal") && put_portal(a, n))
		a->result.end = ASK_OTHER;
}

static void on_open(void *arg)
{
	struct ask_http *q = arg;

	if (q->is_followed)
		return; /* the first connection has told */
	q->is_bad_tls = !ask_stream_opened(q->ask, net_http_stream(q->http));
}

static void on_answer(void *arg, const struct net_http_answer *n)
{
	struct ask_http *q = arg;
	struct ask_result *r = &q->ask->result;

	if (q->is_followed) {
		take_followed(q, n);
	} else if (n->msg) {
		take_answer(q, n);
		if (r->end == ASK_ANSWERED && follow(q, n))
			return;
	} else if (n->raw.n) {
		r->end = ASK_OTHER;
		r->error = n->err;
		put_evidence(q->ask, "raw", n->raw);
	} else {
		ask_stream_failed(q->ask, net_http_stream(q->http), n->err);
		if (q->is_bad_tls)
			r->end = ASK_BAD_TLS;
	}
	ask_end(q->ask);
}

static void on_patience(void *arg)
{
	struct ask_http *q = arg;

	if (q->is_followed) {
		ask_end(q->ask);
		return;
	}
	ask_stream_failed(q->ask, net_http_stream(q->http), ETIMEDOUT);
	if (q->is_bad_tls)
		q->ask->result.end = ASK_BAD_TLS;
	ask_end(q->ask);
}

static void stop(void *state)
{
	struct ask_http *q = state;

	net_http_free(q->http);
	net_tls_free(q->tls);
	net_timer_free(q->patience);
}

static int open_http(struct ask_http *q)
{
	static const struct net_http_ops ops = {on_open, on_answer};
	static const char *const alpn[] = {"http/1.1", NULL};
	const struct ask_target *t = q->ask->target;
	struct net_http_conf conf = {.host = t->host,
	                             .target = q->is_followed ? q->path : NULL};
	int err = 0;

	if (t->via == ASK_TLS)
		err = ask_stream_tls(&q->tls, q->ask, alpn);
	if (err)
		return err;
	conf.stream = ask_stream_conf(q->ask);
	return net_http_get(&q->http, &t->addr, q->tls, &conf, &ops, q);
}

static int start(void *state, struct ask *a)
{
	struct ask_http *q = state;
	int err;

	q->ask = a;
	if (!ask_stream_may(a))
		return 0;
	err = net_timer_alloc(&q->patience, on_patience, q);
	if (!err)
		err = open_http(q);
	if (!err) {
		net_timer_set(q->patience, a->conf->patience_ns);
		put_proxy_env(a);
	}
	err = ask_stream_began(a, err);
	if (err)
		stop(q);
	return err;
}

const struct ask_ops ask_http = {
	.name = "http",
	.summary = N_("Does HTTP answer, and is it the service that answers"),
	.state_bytes = sizeof(struct ask_http),
	.start = start,
	.stop = stop,
};
