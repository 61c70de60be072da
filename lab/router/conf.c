/* SPDX-License-Identifier: ISC */
/*
 * Design: a table of keys, each with the place and the kind of its value, so
 * that what is understood and what the help says cannot differ. No file
 * format: a scenario that is kept in YAML holds this one string per router.
 */
#include "router/conf.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define PPM_PER_PERCENT UINT64_C(10000)

enum kind {
	KIND_WORD,    /* one of `words`, stored as an unsigned */
	KIND_BOOL,    /* on, off */
	KIND_COUNT,   /* unsigned */
	KIND_SEED,    /* uint64_t */
	KIND_PERCENT, /* uint32_t, in millionths */
	KIND_MS,      /* int64_t ns */
	KIND_S,       /* int64_t ns */
	KIND_KBPS,    /* uint64_t bit/s */
	KIND_PORT,    /* uint16_t */
	KIND_DSCP,    /* of struct router_dir_conf */
	KIND_ICMP,    /* of struct router_conf */
	KIND_PERSONA, /* of struct router_conf */
	KIND_ALG,     /* of struct router_conf */
	KIND_RANGE,   /* of struct router_conf */
	KIND_RULE,    /* of struct router_conf */
};

struct key {
	const char *name;
	enum kind kind;
	size_t at;
	const char *words; /* KIND_WORD: by number, parted by blanks */
	const char *does;
};

/* Of numbers that are not free within what their kind allows. */
static const struct bounds {
	const char *name;
	uint64_t low, high;
} bounds[] = {
	{"alg-port", 1, UINT16_MAX},
	{"mappings", 1, ROUTER_NAT_MAX_MAPPINGS},
	{"mtu", ROUTER_MIN_MTU, ROUTER_MAX_MTU},
	{"pool", 1, ROUTER_NAT_MAX_EXT},
	{"out.queue", 0, ROUTER_PATH_PKTS},
	{"in.queue", 0, ROUTER_PATH_PKTS},
};

#define AT(member) offsetof(struct router_conf, member)
#define DIR(name, i)                                                           \
	{name ".delay", KIND_MS, AT(dirs[i].path.delay_ns), NULL,              \
	 "milliseconds"},                                                      \
		{name ".jitter", KIND_MS, AT(dirs[i].path.jitter_ns), NULL,    \
	         "milliseconds at most, added"},                               \
		{name ".loss", KIND_PERCENT, AT(dirs[i].path.loss_ppm), NULL,  \
	         "percent of packets"},                                        \
		{name ".bad", KIND_PERCENT, AT(dirs[i].path.bad_ppm), NULL,    \
	         "percent of packets after which bursts begin"},               \
		{name ".good", KIND_PERCENT, AT(dirs[i].path.good_ppm), NULL,  \
	         "percent of packets after which they end"},                   \
		{name ".bad-loss", KIND_PERCENT,                               \
	         AT(dirs[i].path.bad_loss_ppm), NULL,                          \
	         "percent lost in a burst"},                                   \
		{name ".reorder", KIND_PERCENT, AT(dirs[i].path.reorder_ppm),  \
	         NULL, "percent that overtake"},                               \
		{name ".dup", KIND_PERCENT, AT(dirs[i].path.dup_ppm), NULL,    \
	         "percent that come twice"},                                   \
		{name ".rate", KIND_KBPS, AT(dirs[i].path.rate_bps), NULL,     \
	         "kbit/s"},                                                    \
		{name ".queue", KIND_COUNT, AT(dirs[i].path.queue_pkts), NULL, \
	         "packets that wait for the rate"},                            \
	{                                                                      \
		name ".dscp", KIND_DSCP, AT(dirs[i]), NULL,                    \
			"keep, bleach, or a number"                            \
	}

static const struct key keys[] = {
	{"persona", KIND_PERSONA, 0, NULL, "a named set of behaviours"},
	{"alg", KIND_ALG, 0, NULL, "behaviours, joined by +, added"},
	{"alg-port", KIND_PORT, AT(alg.port), NULL, "that the ALG looks at"},
	{"alg-large", KIND_COUNT, AT(alg.large_bytes), NULL,
         "bytes above which a message is large"},
	{"alg-fast", KIND_COUNT, AT(alg.fast_pps), NULL, "requests a second"},
	{"alg-streams", KIND_COUNT, AT(alg.busy_streams), NULL,
         "streams that it has ports for"},
	{"alg-change", KIND_S, AT(alg.change_ns), NULL,
         "seconds, after which sessions are new to stale and stale-dead"},
	{"nat", KIND_WORD, AT(nat.mode), "off none on",
         "none: a firewall with state"},
	{"nat6", KIND_BOOL, AT(nat.has_ip6), NULL,
         "on: nat=on is for IPv6 too"},
	{"mapping", KIND_WORD, AT(nat.mapping), "ei ad apd", "RFC 4787, 4.1"},
	{"filter", KIND_WORD, AT(nat.filter), "ei ad apd", "RFC 4787, 5"},
	{"ports", KIND_WORD, AT(nat.ports), "preserve parity random sequential",
         "RFC 4787, 4.2"},
	{"pool", KIND_COUNT, AT(n_pool), NULL, "external addresses"},
	{"pooling", KIND_WORD, AT(nat.pooling), "paired arbitrary",
         "RFC 4787, 4.1"},
	{"hairpin", KIND_BOOL, AT(nat.has_hairpin), NULL, "on, off"},
	{"evict", KIND_BOOL, AT(nat.evicts), NULL,
         "when full, the oldest goes"},
	{"mappings", KIND_COUNT, AT(nat.max_mappings), NULL, "at most"},
	{"udp-new", KIND_S, AT(nat.udp_new_ns), NULL, "seconds, unanswered"},
	{"udp-replied", KIND_S, AT(nat.udp_replied_ns), NULL,
         "seconds, answered"},
	{"udp-stream", KIND_S, AT(nat.udp_stream_ns), NULL,
         "seconds, after two seconds of it"},
	{"udp-port", KIND_RANGE, 0, NULL, "LOW-HIGH:SECONDS, of these ports"},
	{"tcp-idle", KIND_S, AT(nat.tcp_idle_ns), NULL, "seconds"},
	{"mtu", KIND_COUNT, AT(mtu), NULL, "bytes"},
	{"icmp", KIND_ICMP, 0, NULL, "full, silent, or bytes quoted"},
	{"icmp-rate", KIND_COUNT, AT(icmp_pps), NULL, "errors a second"},
	{"drop-fragments", KIND_BOOL, AT(drops_fragments), NULL, "on, off"},
	{"df-silent", KIND_BOOL, AT(is_dead_for_df), NULL,
         "no word about packets that are too big"},
	{"rule", KIND_RULE, 0, NULL,
         "ACTION:PROTO:LOW-HIGH:NET:DIR:FROM-UNTIL; parts may be empty or "
         "left out"},
	{"seed", KIND_SEED, AT(seed), NULL, "same seed, same run"},
	DIR("out", 0),
	DIR("in", 1),
};

_Static_assert(ARRAY_LEN(keys) <= 64, "struct router_conf has a bit of each");

/* Words that do nothing alone. */
static const struct need {
	const char *word, *need;
	unsigned dir;
	bool is_rate; /* needed; else a chance of bursts is */
} needs[] = {
	{"out.queue", "out.rate", 0, true},
	{"out.good", "out.bad", 0, false},
	{"out.bad-loss", "out.bad", 0, false},
	{"in.queue", "in.rate", 1, true},
	{"in.good", "in.bad", 1, false},
	{"in.bad-loss", "in.bad", 1, false},
};

static int word_find(unsigned *np, const char *words, struct slice value)
{
	struct slice rest = slice_str(words);

	for (unsigned i = 0; rest.n; i++) {
		size_t n = slice_find(rest, slice_str(" "));
		struct slice word = slice_sub(rest, 0, n);

		if (slice_eq(word, value)) {
			*np = i;
			return 0;
		}
		rest = slice_sub(rest, n == SIZE_MAX ? n : n + 1, SIZE_MAX);
	}
	return EBADMSG;
}

/* "1", "1.5", "0.01%": millionths of a hundred. */
static int percent_read(uint32_t *ppm, struct slice value)
{
	size_t dot;
	uint64_t whole, part = 0, unit = PPM_PER_PERCENT;
	struct slice rest;

	if (value.n && value.p[value.n - 1] == '%')
		value.n--;
	dot = slice_find(value, slice_str("."));
	if (text_u64(&whole, slice_sub(value, 0, dot), 100) != 0)
		return EBADMSG;
	if (dot != SIZE_MAX) {
		rest = slice_sub(value, dot + 1, SIZE_MAX);
		if (rest.n > 4 || text_u64(&part, rest, 9999) != 0)
			return EBADMSG;
		for (size_t i = 0; i < rest.n; i++)
			unit /= 10;
	}
	whole = whole * PPM_PER_PERCENT + part * unit;
	if (whole > ROUTER_PATH_MAX_PPM)
		return EBADMSG;
	*ppm = (uint32_t)whole;
	return 0;
}

/* Take what is before @p mark, or everything. */
static struct slice part_take(struct slice *rest, const char *mark)
{
	size_t n = slice_find(*rest, slice_str(mark));
	struct slice part = slice_sub(*rest, 0, n);

	*rest = slice_sub(*rest, n == SIZE_MAX ? n : n + 1, SIZE_MAX);
	return part;
}

static int ports_read(uint16_t *low, uint16_t *high, struct slice text)
{
	struct slice first = part_take(&text, "-");
	uint64_t a, b;

	if (text_u64(&a, first, 65535) != 0)
		return EBADMSG;
	b = a;
	if (text.n && text_u64(&b, text, 65535) != 0)
		return EBADMSG;
	if (a == 0) /* no packet has it, and to a rule 0 is any */
		return EBADMSG;
	*low = (uint16_t)a;
	*high = (uint16_t)b;
	return a <= b ? 0 : EBADMSG;
}

static int range_read(struct router_conf *c, struct slice value)
{
	struct slice ports = part_take(&value, ":");
	struct router_nat_range r;
	uint64_t s;

	if (ports_read(&r.low, &r.high, ports) != 0 ||
	    text_u64(&s, value, 1000000) != 0 ||
	    c->nat.n_ranges == ROUTER_CONF_MAX_RANGES)
		return EBADMSG;
	r.life_ns = (int64_t)s * NS_PER_S;
	c->nat.ranges[c->nat.n_ranges++] = r;
	return 0;
}

static int proto_read(uint8_t *proto, struct slice text)
{
	static const uint8_t protos[] = {0, ROUTER_UDP, ROUTER_TCP, ROUTER_ICMP,
	                                 ROUTER_ICMP6};
	unsigned i = 0;

	if (text.n && word_find(&i, "any udp tcp icmp icmp6", text) != 0)
		return EBADMSG;
	*proto = protos[i];
	return 0;
}

static int times_read(struct router_rule *r, struct slice text)
{
	struct slice from = part_take(&text, "-");
	uint64_t a = 0, b = 0;

	if (from.n && text_u64(&a, from, 1000000) != 0)
		return EBADMSG;
	if (text.n && text_u64(&b, text, 1000000) != 0)
		return EBADMSG;
	if (text.n && b <= a)
		return EBADMSG;
	r->from_ns = (int64_t)a * NS_PER_S;
	r->until_ns = (int64_t)b * NS_PER_S;
	return 0;
}

/* A net of IPv6 has colons of its own: it stands in brackets. */
static struct slice net_take(struct slice *rest)
{
	struct slice text = *rest, net;

	if (!text.n || text.p[0] != '[')
		return part_take(rest, ":");
	*rest = slice_sub(text, 1, SIZE_MAX);
	net = part_take(rest, "]");
	/* Not closed, empty or with more behind it: its reader refuses it. */
	if (net.n + 2 > text.n || !net.n || part_take(rest, ":").n)
		return slice_sub(text, 0, 1);
	return net;
}

static int rule_read(struct router_conf *c, struct slice value)
{
	static const char actions[] = "accept drop reject-net reject-host "
				      "reject-port reject-admin reset";
	struct router_rule r = {0};
	struct slice action = part_take(&value, ":"), ports, net;
	unsigned n, is_in = 0;

	if (c->n_rules == ROUTER_MAX_RULES ||
	    word_find(&n, actions, action) != 0)
		return EBADMSG;
	r.action = (enum router_rule_action)n;
	if (proto_read(&r.proto, part_take(&value, ":")) != 0)
		return EBADMSG;
	ports = part_take(&value, ":");
	if (ports.n && ports_read(&r.low, &r.high, ports) != 0)
		return EBADMSG;
	net = net_take(&value);
	if (net.n && prefix_parse(&r.dst, net) != 0)
		return EBADMSG;
	action = part_take(&value, ":");
	if (action.n && word_find(&is_in, "out in", action) != 0)
		return EBADMSG;
	r.is_in = is_in;
	if (times_read(&r, value) != 0)
		return EBADMSG;
	c->rules[c->n_rules++] = r;
	return 0;
}

static int alg_read(struct router_conf *c, struct slice value)
{
	if (!value.n)
		return EBADMSG;
	while (value.n) {
		enum router_alg_id id;

		if (router_alg_find(&id, part_take(&value, "+")) != 0)
			return EBADMSG;
		c->alg.set |= router_alg_bit(id);
	}
	return 0;
}

static int persona_read(struct router_conf *c, struct slice value)
{
	const struct router_alg_persona *p = router_alg_persona(value);

	if (!p)
		return EBADMSG;
	c->alg.set |= p->set;
	return 0;
}

static int icmp_read(struct router_conf *c, struct slice value)
{
	uint64_t n;

	if (slice_eq_str(value, "full")) {
		c->quote_bytes = router_defaults.quote_bytes;
		return 0;
	}
	if (slice_eq_str(value, "silent")) {
		c->quote_bytes = 0;
		return 0;
	}
	if (text_u64(&n, value, 1400) != 0 || n < 28)
		return EBADMSG;
	c->quote_bytes = (size_t)n;
	return 0;
}

static int dscp_read(struct router_dir_conf *d, struct slice value)
{
	unsigned n;
	uint64_t mark;

	if (word_find(&n, "keep bleach", value) == 0) {
		d->dscp = (enum router_dscp)n;
		return 0;
	}
	if (text_u64(&mark, value, 63) != 0)
		return EBADMSG;
	d->dscp = ROUTER_DSCP_MARK;
	d->mark = (uint8_t)mark;
	return 0;
}

static int special_read(struct router_conf *c, const struct key *key,
                        struct slice value)
{
	switch (key->kind) {
	case KIND_DSCP:
		return dscp_read(
			(struct router_dir_conf *)((char *)c + key->at), value);
	case KIND_ICMP:
		return icmp_read(c, value);
	case KIND_PERSONA:
		return persona_read(c, value);
	case KIND_ALG:
		return alg_read(c, value);
	case KIND_RANGE:
		return range_read(c, value);
	case KIND_RULE:
		return rule_read(c, value);
	default:
		return EBADMSG;
	}
}

static struct bounds number_bounds(const struct key *key)
{
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		if (strcmp(bounds[i].name, key->name) == 0)
			return bounds[i];
	}
	switch (key->kind) {
	case KIND_SEED:
		return (struct bounds){key->name, 0, UINT64_MAX / 2};
	case KIND_KBPS:
	case KIND_S:
		return (struct bounds){key->name, 0, 10000000};
	default:
		return (struct bounds){key->name, 0, 1000000};
	}
}

static int number_read(void *at, const struct key *key, struct slice value)
{
	struct bounds b = number_bounds(key);
	uint64_t n;

	if (text_u64(&n, value, b.high) != 0 || n < b.low)
		return EBADMSG;
	switch (key->kind) {
	case KIND_COUNT:
		*(unsigned *)at = (unsigned)n;
		return 0;
	case KIND_SEED:
		*(uint64_t *)at = n;
		return 0;
	case KIND_MS:
		*(int64_t *)at = (int64_t)n * NS_PER_MS;
		return 0;
	case KIND_S:
		*(int64_t *)at = (int64_t)n * NS_PER_S;
		return 0;
	case KIND_KBPS:
		*(uint64_t *)at = n * 1000;
		return 0;
	case KIND_PORT:
		*(uint16_t *)at = (uint16_t)n;
		return 0;
	default:
		return EBADMSG;
	}
}

static int value_read(struct router_conf *c, const struct key *key,
                      struct slice value)
{
	void *at = (char *)c + key->at;
	unsigned n;

	switch (key->kind) {
	case KIND_WORD:
		if (word_find(&n, key->words, value) != 0)
			return EBADMSG;
		memcpy(at, &n, sizeof(n)); /* an enum of the same size */
		return 0;
	case KIND_BOOL:
		if (word_find(&n, "off on", value) != 0)
			return EBADMSG;
		*(bool *)at = n;
		return 0;
	case KIND_PERCENT:
		return percent_read(at, value);
	case KIND_DSCP:
	case KIND_ICMP:
	case KIND_PERSONA:
	case KIND_ALG:
	case KIND_RANGE:
	case KIND_RULE:
		return special_read(c, key, value);
	default:
		return number_read(at, key, value);
	}
}

static const struct key *key_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (slice_eq_str(name, keys[i].name))
			return &keys[i];
	}
	return NULL;
}

/* These add to what was said before. */
static bool is_repeatable(const struct key *key)
{
	return key->kind == KIND_PERSONA || key->kind == KIND_ALG ||
	       key->kind == KIND_RANGE || key->kind == KIND_RULE;
}

static uint64_t key_bit(const struct key *key)
{
	return UINT64_C(1) << (key - keys);
}

static int word_read(struct router_conf *c, struct slice word)
{
	struct slice value = word, name = part_take(&value, "=");
	const struct key *key = key_find(name);

	if (!key || value_read(c, key, value) != 0)
		return EBADMSG;
	if ((c->said & key_bit(key)) && !is_repeatable(key))
		return EEXIST;
	c->said |= key_bit(key);
	return 0;
}

int router_conf_read(struct router_conf *conf, struct slice *bad,
                     struct slice text)
{
	struct rd r = rd_init(text);
	struct slice line;

	while (rd_line(&r, &line)) {
		while (line.n) {
			struct slice word = slice_trim(part_take(&line, ","));
			int err = word.n ? word_read(conf, word) : 0;

			if (err) {
				*bad = word;
				return err;
			}
		}
	}
	return 0;
}

int router_conf_check(const struct router_conf *conf, const char **word,
                      const char **need)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		const struct need *n = &needs[i];
		const struct key *key = key_find(slice_str(n->word));
		const struct router_path_conf *path = &conf->dirs[n->dir].path;
		bool has = n->is_rate ? path->rate_bps > 0 : path->bad_ppm > 0;

		if (has || !(conf->said & key_bit(key)))
			continue;
		*word = n->word;
		*need = n->need;
		return EBADMSG;
	}
	return 0;
}

static void words_want(struct wr *w, const char *words)
{
	for (; *words; words++)
		wr_u8(w, *words == ' ' ? '|' : (uint8_t)*words);
}

static void personas_want(struct wr *w)
{
	for (size_t i = 0; router_alg_personas[i].name; i++)
		wr_fmt(w, "%s%s", i ? "|" : "", router_alg_personas[i].name);
}

static void value_want(struct wr *w, const struct key *key)
{
	static const char *const looks[] = {
		[KIND_BOOL] = "off|on",
		[KIND_PERCENT] = "0..100",
		[KIND_DSCP] = "keep|bleach|0..63",
		[KIND_ICMP] = "full|silent|28..1400",
		[KIND_ALG] = "BEHAVIOUR+... (prumo-scenario(5))",
		[KIND_RANGE] = "LOW-HIGH:SECONDS",
		[KIND_RULE] = "ACTION:PROTO:LOW-HIGH:NET:DIR:FROM-UNTIL",
	};

	struct bounds b = number_bounds(key);

	if (key->kind == KIND_WORD)
		words_want(w, key->words);
	else if (key->kind == KIND_PERSONA)
		personas_want(w);
	else if (key->kind < ARRAY_LEN(looks) && looks[key->kind])
		wr_str(w, looks[key->kind]);
	else
		wr_fmt(w, "%llu..%llu", (unsigned long long)b.low,
		       (unsigned long long)b.high);
}

void router_conf_want(struct wr *w, struct slice bad)
{
	const struct key *key = key_find(part_take(&bad, "="));

	if (key) {
		wr_fmt(w, "%s=", key->name);
		value_want(w, key);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		wr_fmt(w, "%s%s=", i ? ", " : "", keys[i].name);
}

void router_conf_help(struct wr *w)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		wr_fmt(w, "  %-16s %s%s%s\n", keys[i].name,
		       keys[i].words ? keys[i].words : "",
		       keys[i].words ? ": " : "", keys[i].does);
	wr_str(w, "\nPersonas:\n");
	for (const struct router_alg_persona *p = router_alg_personas; p->name;
	     p++)
		wr_fmt(w, "  %-22s %s\n", p->name, p->like);
	wr_str(w, "\nBehaviours of an ALG:\n");
	for (size_t i = 0; i < ROUTER_ALG_BEHAVIOURS; i++)
		wr_fmt(w, "  %-20s %-4s %s\n", router_alg_behaviours[i].name,
		       router_alg_behaviours[i].row,
		       router_alg_behaviours[i].does);
}

void router_conf_list(struct wr *w)
{
	wr_str(w, "{\"behaviours\": [");
	for (size_t i = 0; i < ROUTER_ALG_BEHAVIOURS; i++)
		wr_fmt(w, "%s\n  {\"name\": \"%s\", \"row\": \"%s\"}",
		       i ? "," : "", router_alg_behaviours[i].name,
		       router_alg_behaviours[i].row);
	wr_str(w, "],\n\"personas\": [");
	for (size_t i = 0; router_alg_personas[i].name; i++)
		wr_fmt(w, "%s\"%s\"", i ? ", " : "",
		       router_alg_personas[i].name);
	wr_str(w, "]}\n");
}
