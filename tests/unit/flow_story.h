/* SPDX-License-Identifier: ISC */
/** Facts about a profile's flows, told in text, for tests of what follows. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "fact/fact.h"
#include "test.h"

/*
 * A case is a list of facts, one a line:
 *
 *   flow HOST ADDRESS PORT[-LAST]/TRANSPORT CLASS RESULT [KEY=VALUE...]
 *   name HOST RESULT [KEY=VALUE...]: foreign, addresses, hosts (of the hosts
 *                     file): ADDR; took (ms), error, tcp, truncated: of the
 *                     first lookup; search, inventing: what else DNS says
 *   service HOST RESULT [PORT that the profile does not list]
 *   login FACT HOST AUTH: sip.registered, turn.answer
 *   table LIMIT [going on]
 *   cert HOST KEY... a good certificate: is_other_issuer
 *   mtu KEY    a large datagram was lost there (fragments_pass), or back
 *
 * Keys of a flow: target (the name that its service leads to);
 * stop=MIN-MAX:SEGMENT, who, error, offender, mixed; of its certificate:
 * faults, issuer, sha256, behind, ahead; of what its question learned: date
 * (how far the clock is ahead of it), ntp (seconds behind it), portal,
 * intercepted, blocked=FIRST-LAST, limited, rejected, altered, edge, server,
 * edges=MIN-FIRST-LAST-MAX of an uncertain part.
 */

static const char *part(struct report *r, const char **at, char end)
{
	const char *stop = strchr(*at, end);
	size_t n = stop ? (size_t)(stop - *at) : strlen(*at);
	struct slice s = {(const uint8_t *)*at, n};

	*at += n + (stop != NULL);
	return report_text(r, s);
}

static struct val *put(struct report *r, struct val *map, const char *key,
                       struct val v)
{
	return val_put(&r->arena, &r->no_memory, map, key, v);
}

static enum fact_state state_of(const char *result)
{
	static const char *const good[] = {"answered", "open"};
	static const char *const unknown[] = {"no-means", "unfinished",
	                                      "limited"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (strcmp(result, good[i]) == 0)
			return FACT_PASS;
	}
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		if (strcmp(result, unknown[i]) == 0)
			return FACT_UNKNOWN;
	}
	return strcmp(result, "skipped") == 0 ? FACT_SKIPPED : FACT_FAIL;
}

struct line {
	struct report *r;
	struct fact *ask, *cert, *stop;
	struct val detail;
	const char *host, *scope;
	struct val fields; /* of the flow */
};

static void add_stop(struct line *l, const char *v)
{
	const char *min = part(l->r, &v, '-'), *max = part(l->r, &v, ':');

	l->stop = report_fact(l->r, "path.stops", FACT_FAIL, l->scope);
	(void)fact_field(l->r, l->stop, "hop_min", val_int(atoi(min)));
	(void)fact_field(l->r, l->stop, "hop_max", val_int(atoi(max)));
	(void)fact_field(l->r, l->stop, "is_exact",
	                 val_bool(atoi(max) - atoi(min) <= 1));
	(void)fact_field(l->r, l->stop, "segment", val_text(v));
	(void)fact_field(l->r, l->stop, "hops", val_int(3));
	(void)put(l->r, &l->fields, "stops", val_int((int64_t)l->stop->index));
}

/* "2:carrier": the hop that accepts it, and where that is */
static void add_accepts(struct line *l, const char *v)
{
	struct fact *f = report_fact(l->r, "path.accepts", FACT_WARN, l->scope);
	int hop = atoi(part(l->r, &v, ':'));

	(void)fact_field(l->r, f, "basis", val_text("accepts"));
	(void)fact_field(l->r, f, "hop_min", val_int(hop));
	(void)fact_field(l->r, f, "hop_max", val_int(hop));
	(void)fact_field(l->r, f, "is_exact", val_bool(true));
	(void)fact_field(l->r, f, "segment", val_text(v));
	(void)fact_field(l->r, l->ask, "accepted", val_int((int64_t)f->index));
}

static void add_cert(struct line *l, const char *key, const char *v)
{
	struct val *faults;

	if (!l->cert) {
		l->cert = report_fact(l->r, "tls.certificate", FACT_FAIL,
		                      l->scope);
		(void)fact_field(l->r, l->cert, "host", val_text(l->host));
	}
	if (strcmp(key, "behind") == 0) {
		(void)fact_field(l->r, l->cert, "clock_behind_s",
		                 val_int(atoi(v)));
	} else if (strcmp(key, "is_other_issuer") == 0) {
		(void)fact_field(l->r, l->cert, key, val_bool(true));
	} else if (strcmp(key, "ahead") == 0) {
		(void)fact_field(l->r, l->cert, "clock_ahead_s",
		                 val_int(atoi(v)));
	} else if (strcmp(key, "faults") == 0) {
		faults = fact_field(l->r, l->cert, key, val_list());
		while (*v)
			(void)put(l->r, faults, NULL,
			          val_text(part(l->r, &v, '+')));
	} else {
		(void)fact_field(l->r, l->cert, key, val_text(v));
	}
}

static void add_blocked(struct line *l, const char *v)
{
	struct val *list = put(l->r, &l->detail, "blocked", val_list());
	int64_t n = 0;

	for (; *v; n++) {
		struct val *span = put(l->r, list, NULL, val_list());
		const char *one = part(l->r, &v, '+');

		(void)put(l->r, span, NULL,
		          val_int(atoi(part(l->r, &one, '-'))));
		(void)put(l->r, span, NULL, val_int(atoi(one)));
	}
	(void)put(l->r, &l->detail, "n_blocked", val_int(n));
}

static void add_edges(struct line *l, const char *v)
{
	struct val *list =
		put(l->r, &l->ask->evidence, "blocked_edges", val_list());
	struct val *four = put(l->r, list, NULL, val_list());

	while (*v)
		(void)put(l->r, four, NULL, val_int(atoi(part(l->r, &v, '-'))));
}

static void add_key(struct line *l, const char *text)
{
	static const char *const certs[] = {"faults", "issuer",
	                                    "sha256", "behind",
	                                    "ahead",  "is_other_issuer"};
	const char *key = part(l->r, &text, '=');

	for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
		if (strcmp(key, certs[i]) == 0) {
			add_cert(l, key, text);
			return;
		}
	}
	if (strcmp(key, "stop") == 0)
		add_stop(l, text);
	else if (strcmp(key, "accepted") == 0)
		add_accepts(l, text);
	else if (strcmp(key, "who") == 0)
		(void)fact_field(l->r, l->stop, key, val_text(text));
	else if (strcmp(key, "mixed") == 0)
		(void)put(l->r, &l->fields, "is_mixed", val_bool(true));
	else if (strcmp(key, "lossy") == 0)
		(void)put(l->r, &l->fields, "is_lossy", val_bool(true));
	else if (strcmp(key, "to") == 0)
		(void)put(l->r, &l->detail, "redirect_host", val_text(text));
	else if (strcmp(key, "portal") == 0)
		(void)put(l->r, &l->detail, key, val_text(text));
	else if (strcmp(key, "ntp") == 0) {
		(void)put(l->r, &l->detail, "offset_ms",
		          val_real(atoi(text) * 1000.0));
		(void)put(l->r, &l->detail, "is_set", val_bool(true));
	} else if (strcmp(key, "date") == 0)
		(void)put(l->r, &l->detail, "clock_ahead_s",
		          val_int(atoi(text)));
	else if (strcmp(key, "old-tls") == 0)
		(void)put(l->r, &l->detail, "is_old_tls", val_bool(true));
	else if (strcmp(key, "intercepted") == 0)
		(void)put(l->r, &l->detail, "is_intercepted", val_bool(true));
	else if (strcmp(key, "edges") == 0)
		add_edges(l, text);
	else if (strcmp(key, "proxied") == 0)
		(void)put(l->r, &l->detail, "is_proxied", val_bool(true));
	else if (strcmp(key, "altered") == 0)
		(void)put(l->r, &l->detail, "is_body_altered", val_bool(true));
	else if (strcmp(key, "server") == 0)
		(void)put(l->r, &l->detail, key,
		          val_bytes(report_bytes(l->r, slice_str(text))));
	else if (strcmp(key, "edge") == 0)
		(void)fact_field(l->r, l->ask, "is_edge", val_bool(true));
	else if (strcmp(key, "blocked") == 0)
		add_blocked(l, text);
	else if (strcmp(key, "basis") == 0)
		(void)fact_field(l->r, l->stop, key, val_text(text));
	else if (strcmp(key, "rejected") == 0)
		(void)put(l->r, &l->detail, "refused", val_int(atoi(text)));
	else if (strcmp(key, "limited") == 0)
		(void)put(l->r, &l->detail, "table_limit", val_int(atoi(text)));
	else
		(void)put(l->r, &l->fields, key, val_text(text));
}

static void add_flow(struct report *r, const char *at)
{
	struct line l = {.r = r, .detail = val_map(), .fields = val_map()};
	const char *address, *ports, *first, *transport, *cls, *result;
	struct fact *f;
	struct val *asked;

	l.host = part(r, &at, ' ');
	address = part(r, &at, ' ');
	l.scope = ports = part(r, &at, ' ');
	cls = part(r, &at, ' ');
	result = part(r, &at, ' ');
	l.scope = report_fmt(r, "%s %s", address, ports);
	first = part(r, &ports, '/');
	transport = ports;
	l.ask = report_fact(r, "sip.answer", state_of(result), l.scope);
	while (*at)
		add_key(&l, part(r, &at, ' '));
	(void)fact_field(r, l.ask, "address", val_text(address));
	(void)fact_field(r, l.ask, "host", val_text(l.host));
	(void)fact_field(r, l.ask, "detail", l.detail);
	f = report_fact(r, "flow.reached", state_of(result), l.scope);
	f->fields = l.fields;
	if (val_get(&f->fields, "is_lossy") || val_get(&f->fields, "is_mixed"))
		f->state = FACT_WARN;
	(void)fact_field(r, f, "host", val_text(l.host));
	(void)fact_field(r, f, "address", val_text(address));
	(void)fact_field(r, f, "class", val_text(cls));
	(void)fact_field(r, f, "result", val_text(result));
	(void)fact_field(r, f, "transport", val_text(transport));
	(void)fact_field(r, f, "dst_port", val_int(atoi(part(r, &first, '-'))));
	if (*first)
		(void)fact_field(r, f, "port_last", val_int(atoi(first)));
	asked = fact_field(r, f, "asked", val_list());
	(void)put(r, asked, NULL, val_int((int64_t)l.ask->index));
}

static void add_lookup_key(struct report *r, struct val *first, const char *key,
                           const char *v)
{
	static const struct {
		const char *key, *name;
	} flags[] = {{"tcp", "is_tcp"}, {"truncated", "is_truncated"}};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strcmp(key, flags[i].key) == 0)
			(void)put(r, first, flags[i].name, val_bool(true));
	}
	if (strcmp(key, "took") == 0)
		(void)put(r, first, "took_ms", val_real(atoi(v)));
	if (strcmp(key, "error") == 0)
		(void)put(r, first, "error", val_text(v));
}

static void add_name(struct report *r, const char *at)
{
	const char *host = part(r, &at, ' '), *result = part(r, &at, ' ');
	struct fact *f =
		report_fact(r, "name.resolved", state_of(result), host);
	struct val *detail, *first, *invented, *one;

	(void)fact_field(r, f, "result", val_text(result));
	detail = fact_field(r, f, "detail", val_map());
	first = put(r, fact_field(r, f, "lookups", val_list()), NULL,
	            val_map());
	while (*at) {
		const char *v = part(r, &at, ' ');
		const char *key = part(r, &v, '=');

		add_lookup_key(r, first, key, v);
		if (strcmp(key, "foreign") == 0 ||
		    strcmp(key, "addresses") == 0)
			(void)put(r, fact_field(r, f, key, val_list()), NULL,
			          val_text(v));
		if (strcmp(key, "hosts") == 0)
			(void)put(r, put(r, detail, "hosts_file", val_list()),
			          NULL, val_text(v));
		if (strcmp(key, "search") == 0)
			(void)put(r, detail, "found_by_search", val_text(v));
		if (strcmp(key, "inventing") != 0)
			continue;
		(void)put(r, detail, "is_inventing", val_bool(true));
		invented = put(r, detail, "invented", val_map());
		one = put(r, put(r, invented, "records", val_list()), NULL,
		          val_map());
		(void)put(r, one, "address", val_text(v));
	}
}

static void add_service(struct report *r, const char *at)
{
	const char *host = part(r, &at, ' '), *result = part(r, &at, ' ');
	struct fact *f = report_fact(r, "name.service", state_of(result), host);

	(void)fact_field(r, f, "result", val_text(result));
	if (*at)
		(void)put(r, fact_field(r, f, "unlisted_ports", val_list()),
		          NULL, val_int(atoi(at)));
}

static void add_login(struct report *r, const char *at)
{
	struct fact *f = report_fact(r, part(r, &at, ' '), FACT_PASS, "at");

	(void)fact_field(r, f, "host", val_text(part(r, &at, ' ')));
	(void)put(r, fact_field(r, f, "detail", val_map()), "auth",
	          val_text(at));
}

static void add_relay(struct report *r, const char *at)
{
	struct fact *f = report_fact(r, "turn.answer", FACT_PASS, "at");
	struct val *detail;

	(void)fact_field(r, f, "host", val_text(part(r, &at, ' ')));
	detail = fact_field(r, f, "detail", val_map());
	(void)put(r, detail, "relay_echo", val_text(part(r, &at, ' ')));
	(void)put(r, detail, "relay_peer", val_text(at));
}

static void add_line(struct report *r, const char *line)
{
	const char *kind = part(r, &line, ' ');
	struct fact *f;

	if (strcmp(kind, "flow") == 0) {
		add_flow(r, line);
	} else if (strcmp(kind, "name") == 0) {
		add_name(r, line);
	} else if (strcmp(kind, "login") == 0) {
		add_login(r, line);
	} else if (strcmp(kind, "relay") == 0) {
		add_relay(r, line);
	} else if (strcmp(kind, "service") == 0) {
		add_service(r, line);
	} else if (strcmp(kind, "cert") == 0) {
		const char *host = part(r, &line, ' ');

		f = report_fact(r, "tls.certificate", FACT_PASS, host);
		(void)fact_field(r, f, line, val_bool(true));
	} else if (strcmp(kind, "mtu") == 0) {
		struct val *detail;

		f = report_fact(r, "path.mtu", FACT_FAIL, NULL);
		detail = fact_field(r, f, "detail", val_map());
		(void)put(r, detail, line, val_bool(false));
	} else {
		f = report_fact(r, "nat.table", FACT_FAIL, NULL);
		f->value = val_int(atoi(part(r, &line, ' ')));
		(void)fact_field(r, f, "going_on", val_int(*line != '\0'));
	}
}

static void add_lines(struct report *r, const char *text)
{
	while (*text)
		add_line(r, part(r, &text, '\n'));
}
