/* SPDX-License-Identifier: ISC */
/*
 * What does DNS say of a name, who says it, and is it true?
 *
 * `host` is the name; a numeric one asks for a name that does not exist,
 * which any server can answer. `addr` is the server; ADDR_NONE: those of
 * /etc/resolv.conf. `via` ASK_TCP asks by TCP alone.
 *
 * A lookup is a map:
 *   name      that was asked for (text)
 *   rcode     (int); absent: no answer
 *   ms        round trip of the datagram that was answered (real)
 *   took_ms   all of it, repetitions too (real)
 *   sent      datagrams (int)
 *   is_truncated, is_tcp   (bool, only true)
 *   error     name of an errno (text); offender: who sent the ICMP error
 *   records   list of maps; all: name (text), ttl (int). A, AAAA: address
 *             (text). CNAME: target. SRV: priority, weight, port, target.
 *             NAPTR: order, preference, flags, services, regexp, replacement.
 *             NAPTR and SRV in the order they are to be tried (RFC 3263)
 *
 * Fields:
 *   servers   list of maps: server (text), a, aaaa (lookups)
 *   addresses list of text: of the first server that answered; rcode (int)
 *   is_disagreeing  true: servers gave addresses that differ
 *   naptr     lookup; srv, targets, search: lists of lookups: _sip._udp,
 *             _sip._tcp, _sips._tcp and what NAPTR names; addresses of SRV
 *             targets; the name with each domain of the search list
 *   found_by_search  the name that the system would find in this one's place
 *             (text): a search-list accident
 *   invented  lookup of a name that cannot exist (RFC 6761: .invalid)
 *   is_inventing  true: it was given addresses
 *   hosts_file  list of text: /etc/hosts has the name, so that programs here
 *             ask nobody
 *
 * Design: three rounds, each in parallel: addresses from every server; then
 * everything else from the first one that answered; then what those answers
 * named. What a lookup tells is put where it belongs before it is asked, so
 * that the order of answers leaves no trace.
 */
#include "probe/asks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "net/dns.h"
#include "net/loop.h"
#include "probe/ask_stream.h"
#include "probe/srv.h"

enum {
	LOOKUPS_MAX = 24,
	SEARCH_MAX = 3,
	TARGETS_MAX = 4,
	HOSTS_MAX = 8,
	ROUNDS = 3,
};

struct lookup {
	struct ask_dns *question;
	struct net_dns *dns;
	struct val *into;
};

struct ask_dns {
	struct ask *ask;
	struct net_dns_conf conf;
	char name[NET_DNS_NAME_BYTES];
	bool is_invented; /* there was no name to ask for */
	struct lookup lookups[LOOKUPS_MAX];
	size_t n_lookups, n_waiting;
	unsigned round;
	const struct addr *server; /* the first that answered */
	struct val *server_maps[NET_DNS_SERVERS_MAX];
	struct val *srv, *targets, *search, *naptr, *invented;
	bool is_answered, is_refused;
	struct net_timer *turn;
};

static struct val *put(struct ask_dns *q, struct val *into, const char *key,
                       struct val v)
{
	struct report *r = q->ask->report;

	return val_put(&r->arena, &r->no_memory, into, key, v);
}

static struct val text(struct ask_dns *q, const char *s)
{
	return val_text(report_text(q->ask->report, slice_str(s)));
}

/* From the network: whatever bytes a label has. */
static struct val raw(struct ask_dns *q, const char *s)
{
	return val_bytes(report_bytes(q->ask->report, slice_str(s)));
}

static struct val address(struct ask_dns *q, const struct addr *a)
{
	char buf[ADDR_TEXT_BYTES];

	return text(q, a->port ? addr_text(a, buf) : addr_ip_text(a, buf));
}

static void put_ms(struct ask_dns *q, struct val *map, const char *key,
                   int64_t ns)
{
	put(q, map, key, val_real((double)ns / (double)NS_PER_MS));
}

static void put_answer(struct ask_dns *q, struct val *map,
                       const struct net_dns_answer *n)
{
	if (n->took_ns)
		put_ms(q, map, "took_ms", n->took_ns);
	put(q, map, "sent", val_int(n->n_sent));
	q->ask->result.n_sent += n->n_sent;
	if (n->is_udp_truncated)
		put(q, map, "is_truncated", val_bool(true));
	if (n->is_tcp)
		put(q, map, "is_tcp", val_bool(true));
	if (n->err)
		put(q, map, "error", val_text(strerrorname_np(n->err)));
	if (n->offender.family != ADDR_NONE)
		put(q, map, "offender", address(q, &n->offender));
	if (!n->msg)
		return;
	put(q, map, "rcode", val_int(n->msg->rcode));
	put_ms(q, map, "ms", n->rtt_ns);
	put(q, map, "records", srv_records(q->ask->report, n->msg, n->type));
}

/* How the whole question stands after this answer. */
static void judge(struct ask_dns *q, const struct net_dns_answer *n)
{
	struct ask_result *r = &q->ask->result;

	if (n->msg) {
		q->is_answered = true;
		r->layer = ASK_LAYER_PROTOCOL;
		if (r->rtt_ns == 0)
			r->rtt_ns = n->rtt_ns;
		return;
	}
	if (q->is_refused)
		return;
	r->error = n->err;
	if (n->offender.family != ADDR_NONE || n->err == ECONNREFUSED) {
		q->is_refused = true;
		r->end = ASK_REFUSED;
		r->offender = n->offender;
		r->icmp_type = n->icmp_type;
		r->icmp_code = n->icmp_code;
	} else if (n->err == ETIMEDOUT) {
		r->end = ASK_SILENT;
	} else if (n->err == EBADMSG) {
		r->end = ASK_OTHER;
	} else if (n->err == ECONNRESET) {
		r->end = ASK_CUT;
	} else {
		r->end = ASK_LOCAL;
	}
}

static void on_answer(void *arg, const struct net_dns_answer *n)
{
	struct lookup *l = arg;
	struct ask_dns *q = l->question;

	put_answer(q, l->into, n);
	judge(q, n);
	if (--q->n_waiting == 0)
		net_timer_set(q->turn, 0);
}

static void ask_name(struct ask_dns *q, struct val *into,
                     const struct addr *server, const char *name,
                     enum net_dns_type type)
{
	const struct ask_conf *conf = q->ask->conf;
	/* the first round takes the longest: it finds out who answers */
	const int64_t patience_ns = conf->patience_ns / (q->round < 2 ? 2 : 4);
	struct lookup *l;
	int err;

	put(q, into, "name", raw(q, name));
	if (q->n_lookups == LOOKUPS_MAX)
		return;
	if (conf->flows_left && *conf->flows_left == 0) {
		put(q, into, "error", val_text(strerrorname_np(EDQUOT)));
		return;
	}
	l = &q->lookups[q->n_lookups];
	l->question = q;
	l->into = into;
	if (q->ask->target->via == ASK_TCP)
		err = net_dns_ask_tcp(&l->dns, server, name, type, patience_ns,
		                      on_answer, l);
	else
		err = net_dns_ask(&l->dns, server, name, type, patience_ns,
		                  on_answer, l);
	if (err) {
		put(q, into, "error", val_text(strerrorname_np(err)));
		q->ask->result.error = err;
		return;
	}
	if (conf->flows_left)
		--*conf->flows_left;
	q->n_lookups++;
	q->n_waiting++;
}

static const struct val *list_of(const struct val *map, const char *key)
{
	static const struct val none = {.kind = VAL_LIST};
	const struct val *v = map ? val_get(map, key) : NULL;

	return v && v->kind == VAL_LIST ? v : &none;
}

/* Appends a lookup's addresses to a list. @return how many */
static size_t gather(struct ask_dns *q, struct val *list,
                     const struct val *lookup)
{
	const struct val *records = list_of(lookup, "records");
	size_t n = 0;

	for (const struct val_item *i = records->items.first; i; i = i->next) {
		const struct val *a = val_get(&i->v, "address");

		if (!a)
			continue;
		n++;
		if (list)
			put(q, list, NULL, *a);
	}
	return n;
}

static bool has_answered(const struct val *server)
{
	const struct val *a = val_get(server, "a");
	const struct val *aaaa = val_get(server, "aaaa");

	return (a && val_get(a, "rcode")) || (aaaa && val_get(aaaa, "rcode"));
}

static bool has_address(const struct val *lookup, struct slice wanted)
{
	const struct val *records = list_of(lookup, "records");

	for (const struct val_item *i = records->items.first; i; i = i->next) {
		if (slice_eq(val_get_text(&i->v, "address"), wanted))
			return true;
	}
	return false;
}

/* Every address that `a` gave for a type, `b` gave too. */
static bool is_within(const struct val *a, const struct val *b)
{
	const struct val *records = list_of(a, "records");

	if (!a || !b || !val_get(a, "rcode") || !val_get(b, "rcode"))
		return true; /* silence does not disagree */
	for (const struct val_item *i = records->items.first; i; i = i->next) {
		struct slice one = val_get_text(&i->v, "address");

		if (one.n && !has_address(b, one))
			return false;
	}
	return true;
}

static bool do_disagree(const struct val *a, const struct val *b)
{
	static const char *const types[] = {"a", "aaaa"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct val *x = val_get(a, types[i]);
		const struct val *y = val_get(b, types[i]);

		if (!is_within(x, y) || !is_within(y, x))
			return true;
	}
	return false;
}

static void begin_round_1(struct ask_dns *q)
{
	struct val *fields = &q->ask->result.fields;
	struct val *list = put(q, fields, "servers", val_list());

	for (size_t i = 0; i < q->conf.n_servers; i++) {
		const struct addr *server = &q->conf.servers[i];
		struct val *m = put(q, list, NULL, val_map());
		struct val *a, *aaaa;

		q->server_maps[i] = m;
		put(q, m, "server", address(q, server));
		a = put(q, m, "a", val_map());
		aaaa = put(q, m, "aaaa", val_map());
		ask_name(q, a, server, q->name, NET_DNS_A);
		ask_name(q, aaaa, server, q->name, NET_DNS_AAAA);
	}
}

static void end_round_1(struct ask_dns *q)
{
	struct val *fields = &q->ask->result.fields, *list;
	const struct val *first = NULL;
	bool is_disagreeing = false;

	for (size_t i = 0; i < q->conf.n_servers; i++) {
		if (!has_answered(q->server_maps[i]))
			continue;
		if (first) {
			is_disagreeing |= do_disagree(first, q->server_maps[i]);
		} else {
			first = q->server_maps[i];
			q->server = &q->conf.servers[i];
		}
	}
	if (!first)
		return;
	list = put(q, fields, "addresses", val_list());
	(void)gather(q, list, val_get(first, "a"));
	(void)gather(q, list, val_get(first, "aaaa"));
	put(q, fields, "rcode",
	    val_int(val_get_int(
		    val_get(first, "a"), "rcode",
		    val_get_int(val_get(first, "aaaa"), "rcode", 0))));
	if (is_disagreeing)
		put(q, fields, "is_disagreeing", val_bool(true));
}

static unsigned count_dots(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += *s == '.';
	return n;
}

static struct val *lookup_in(struct ask_dns *q, struct val *list)
{
	return put(q, list, NULL, val_map());
}

static void ask_joined(struct ask_dns *q, struct val *into, const char *left,
                       const char *right, enum net_dns_type type)
{
	ask_name(q, into, q->server,
	         report_fmt(q->ask->report, "%s.%s", left, right), type);
}

static void begin_round_2(struct ask_dns *q)
{
	static const char *const services[] = {"_sip._udp", "_sip._tcp",
	                                       "_sips._tcp"};
	struct val *fields = &q->ask->result.fields;
	uint32_t random = 0;

	if (!q->server || q->is_invented)
		return;
	q->naptr = put(q, fields, "naptr", val_map());
	ask_name(q, q->naptr, q->server, q->name, NET_DNS_NAPTR);
	q->srv = put(q, fields, "srv", val_list());
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		ask_joined(q, lookup_in(q, q->srv), services[i], q->name,
		           NET_DNS_SRV);
	if (getrandom(&random, sizeof(random), 0) == sizeof(random)) {
		q->invented = put(q, fields, "invented", val_map());
		ask_name(q, q->invented, q->server,
		         report_fmt(q->ask->report,
		                    "prumo-%08" PRIx32 ".invalid", random),
		         NET_DNS_A);
	}
	if (q->name[strlen(q->name) - 1] == '.' ||
	    (count_dots(q->name) >= q->conf.n_dots &&
	     list_of(fields, "addresses")->items.n))
		return;
	q->search = put(q, fields, "search", val_list());
	for (size_t i = 0; i < q->conf.n_search && i < SEARCH_MAX; i++)
		ask_joined(q, lookup_in(q, q->search), q->name,
		           q->conf.search[i], NET_DNS_A);
}

static void end_round_2(struct ask_dns *q)
{
	struct val *fields = &q->ask->result.fields;
	const struct val *search = q->search;

	if (q->invented && gather(q, NULL, q->invented))
		put(q, fields, "is_inventing", val_bool(true));
	if (!search)
		return;
	for (const struct val_item *i = search->items.first; i; i = i->next) {
		if (gather(q, NULL, &i->v) == 0)
			continue;
		put(q, fields, "found_by_search", *val_get(&i->v, "name"));
		return;
	}
}

static bool is_asked(const struct val *lookups, struct slice name)
{
	for (const struct val_item *i = lookups->items.first; i; i = i->next) {
		if (slice_ieq(val_get_text(&i->v, "name"), name))
			return true;
	}
	return false;
}

/* What records name and nobody has asked for yet. */
static void ask_named(struct ask_dns *q, struct val *into,
                      const struct val *lookup, const char *key,
                      enum net_dns_type type)
{
	const struct val *records = list_of(lookup, "records");

	for (const struct val_item *i = records->items.first; i; i = i->next) {
		struct slice name = val_get_text(&i->v, key);

		if (name.n == 0 || is_asked(into, name) ||
		    into->items.n >= TARGETS_MAX + 3)
			continue;
		ask_name(q, lookup_in(q, into), q->server,
		         report_text(q->ask->report, name), type);
	}
}

static void begin_round_3(struct ask_dns *q)
{
	const struct val_item *last, *i;

	if (!q->srv || !q->naptr)
		return;
	q->targets = put(q, &q->ask->result.fields, "targets", val_list());
	last = q->srv->items.last;
	for (i = q->srv->items.first; i; i = i == last ? NULL : i->next)
		ask_named(q, q->targets, &i->v, "target", NET_DNS_A);
	ask_named(q, q->srv, q->naptr, "replacement", NET_DNS_SRV);
}

static void end_all(struct ask_dns *q)
{
	struct ask_result *r = &q->ask->result;

	if (q->is_answered) {
		r->end = ASK_ANSWERED;
		r->error = 0;
	} else if (q->n_lookups == 0) {
		r->end = ASK_LOCAL;
	}
	ask_end(q->ask);
}

static void next_round(void *arg)
{
	static void (*const ends[ROUNDS])(struct ask_dns *) = {
		end_round_1, end_round_2, NULL};
	static void (*const begins[ROUNDS])(struct ask_dns *) = {
		begin_round_1, begin_round_2, begin_round_3};
	struct ask_dns *q = arg;

	while (q->n_waiting == 0) {
		if (q->round && ends[q->round - 1])
			ends[q->round - 1](q);
		if (q->round == ROUNDS) {
			end_all(q);
			return;
		}
		begins[q->round++](q);
	}
}

static void put_hosts_file(struct ask_dns *q)
{
	struct addr found[HOSTS_MAX];
	struct val *list;
	size_t n = 0;

	if (q->is_invented ||
	    net_dns_hosts_load(found, HOSTS_MAX, &n, "/etc/hosts", q->name) ||
	    n == 0)
		return;
	list = put(q, &q->ask->result.fields, "hosts_file", val_list());
	for (size_t i = 0; i < n; i++)
		put(q, list, NULL, address(q, &found[i]));
}

static int read_target(struct ask_dns *q)
{
	const struct ask_target *t = q->ask->target;
	struct slice host = slice_str(t->host);
	struct addr numeric;

	q->is_invented = addr_parse(&numeric, host) == 0;
	if (q->is_invented)
		host = slice_str("prumo.invalid");
	if (host.n == 0 || host.n >= sizeof(q->name))
		return EINVAL;
	memcpy(q->name, host.p, host.n);
	/* without it: no search list, and with no server nothing to ask */
	if (net_dns_conf_load(&q->conf, "/etc/resolv.conf"))
		net_dns_conf_read(&q->conf, (struct slice){0});
	if (t->addr.family != ADDR_NONE) {
		q->conf.n_servers = 1;
		q->conf.servers[0] = t->addr;
	}
	return 0;
}

static void stop(void *state)
{
	struct ask_dns *q = state;

	for (size_t i = 0; i < q->n_lookups; i++)
		net_dns_free(q->lookups[i].dns);
	net_timer_free(q->turn);
}

static int start(void *state, struct ask *a)
{
	struct ask_dns *q = state;
	int err;

	q->ask = a;
	err = read_target(q);
	if (!err)
		err = net_timer_alloc(&q->turn, next_round, q);
	if (err)
		return err;
	put_hosts_file(q);
	net_timer_set(q->turn, 0);
	return 0;
}

const struct ask_ops ask_dns = {
	.name = "dns",
	.summary = N_("What DNS says of a name, and whether it is true"),
	.state_bytes = sizeof(struct ask_dns),
	.start = start,
	.stop = stop,
};
