/* SPDX-License-Identifier: ISC */
/*
 * Property: whatever the profile and the version of the box, what a dialect
 * writes and reads again accepts exactly the packets that were asked for, and
 * the audit says so.
 *
 * PRUMO_ROUNDS sets how many profiles are made (default 1000), PRUMO_SEED the
 * first of them.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/audit.h"
#include "firewall/vendor.h"

enum {
	MAX_FLOWS = 13,
	MAX_PORTS = 18,
	ROUNDS = 1000,
};

static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

struct world {
	struct arena arena;
	struct fw_flow flows[MAX_FLOWS];
	size_t n;
	struct fw_place place;
};

/* Edges of the range more often than chance would have it. */
static uint16_t port(void)
{
	static const uint16_t nice[] = {1,    80,   443,   5060,  5061,
	                                5062, 5080, 10000, 65534, 65535};

	return rnd(2) ? nice[rnd(ARRAY_LEN(nice))]
	              : (uint16_t)(1 + rnd(FW_PORT_MAX));
}

static void add_ports(struct world *w, struct fw_flow *f, int proto, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint16_t lo = port(), hi = rnd(3) ? lo : port();

		if (hi < lo) {
			const uint16_t t = lo;

			lo = hi;
			hi = t;
		}
		assert_non_null(fw_services_add(&w->arena, &f->services, proto,
		                                lo, hi));
	}
}

static void add_dst(struct world *w, struct fw_flow *f, unsigned caps)
{
	struct fw_ip lo, hi;
	char text[64];

	if (caps & FW_CAP_NAMES && rnd(4) == 0) {
		const char *name =
			arena_fmt(&w->arena, "h%u.example.net", rnd(6));

		assert_non_null(name);
		assert_non_null(fw_addrs_add_name(&w->arena, &f->dst,
		                                  FW_ADDR_NAME, name));
		return;
	}
	if (caps & FW_CAP_IP6 && rnd(5) == 0)
		(void)snprintf(text, sizeof(text), "2001:db8::%x", rnd(8));
	else if (rnd(5) == 0)
		(void)snprintf(text, sizeof(text), "192.0.2.%u/%u", rnd(256),
		               25 + rnd(8));
	else
		(void)snprintf(text, sizeof(text), "198.51.100.%u", rnd(8));
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(text)), 0);
	assert_non_null(fw_addrs_add_range(&w->arena, &f->dst, lo, hi));
}

/* Where phones are, of both families: an end of one cannot face the other. */
static void add_phones(struct world *w, unsigned caps)
{
	static const char *const nets[] = {"10.1.0.0/16", "fd00:1::/64"};

	for (size_t i = 0; i < (caps & FW_CAP_IP6 ? 2 : 1); i++) {
		struct fw_ip lo, hi;

		assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(nets[i])), 0);
		assert_non_null(
			fw_addrs_add_range(&w->arena, &w->place.src, lo, hi));
	}
}

static void make(struct world *w, unsigned caps, bool is_bound)
{
	const int64_t idle_s = caps & FW_CAP_UDP_IDLE ? 300 : FW_IDLE_UNSET;

	memset(w, 0, sizeof(*w));
	arena_init(&w->arena);
	w->n = 1 + rnd(MAX_FLOWS);
	for (size_t i = 0; i < w->n; i++) {
		struct fw_flow *f = &w->flows[i];
		const unsigned which = 1 + rnd(3);
		const unsigned n = 1 + (rnd(4) ? rnd(3) : rnd(MAX_PORTS));

		f->id = arena_fmt(&w->arena, "row-%zu", i);
		f->is_sip = rnd(2);
		f->min_udp_idle_s = idle_s;
		f->min_tcp_idle_s = FW_IDLE_UNSET;
		assert_non_null(f->id);
		add_dst(w, f, caps);
		/* The same ports by both, as the document has it, or not. */
		if (which & 1)
			add_ports(w, f, FW_PROTO_UDP, n);
		if (which & 2)
			add_ports(w, f, FW_PROTO_TCP, n);
	}
	w->place.path = FW_PATH_FORWARD;
	if (rnd(2) || is_bound) {
		w->place.in = "eth1";
		w->place.out = "eth0";
	}
	if (rnd(4) == 0)
		add_phones(w, caps);
}

static void fail_round(uint64_t at, const char *name, const char *why,
                       const struct wr *text)
{
	print_error("%.*s\n", (int)text->n, (const char *)text->p);
	fail_msg("PRUMO_SEED=%llu, %s: %s", (unsigned long long)at, name, why);
}

/* The same, in the words that people get. */
static const char *audit(struct world *w, const struct fw_rules *rules,
                         const struct fw_question *q)
{
	const char *why = NULL;
	struct report r;
	size_t n = 0;

	report_init(&r);
	if (fw_audit(&r, rules, q, "box"))
		why = "no audit";
	for (const struct fact *f = r.facts; f && !why; f = f->next) {
		const bool is_flow = strcmp(f->id, "audit.flow") == 0;

		n += is_flow;
		if (is_flow && f->state != FACT_PASS)
			why = arena_fmt(&w->arena,
			                "%s: the audit is against it",
			                f->scope);
		if (f->value.kind == VAL_TEXT &&
		    slice_eq_str(f->value.s, "too-wide"))
			why = "the audit finds it too wide";
	}
	if (!why && n != w->n)
		why = "the audit leaves flows out";
	report_fini(&r);
	return why;
}

/* Both inclusions: all that was asked for passes, nothing else does. */
static const char *judge(struct world *w, const struct fw_rules *rules)
{
	const struct fw_question q = {w->flows, w->n, w->place, NULL, 0};
	struct fw_answer *answers;
	struct fw_space *sp = NULL;
	struct fw_part *parts;

	if (fw_answer_all(&answers, &w->arena, rules, &q))
		return "no answers";
	for (size_t i = 0; i < w->n; i++) {
		const struct fw_flow *f = &w->flows[i];

		if (answers[i].verdict != FW_PASS)
			return arena_fmt(&w->arena, "%s does not pass", f->id);
		if (f->is_sip && answers[i].alg != FW_OFF &&
		    answers[i].alg != FW_UNKNOWN)
			return arena_fmt(&w->arena, "%s: the ALG is on", f->id);
		if (f->min_udp_idle_s > 0 &&
		    answers[i].udp_idle_s != FW_IDLE_UNSET &&
		    answers[i].udp_idle_s < f->min_udp_idle_s)
			return arena_fmt(&w->arena, "%s ends too soon", f->id);
	}
	if (fw_space_alloc(&sp, rules, w->flows, w->n, &w->place, NULL, 0) ||
	    fw_space_excess(&parts, &w->arena, sp))
		return "no excess";
	fw_space_free(sp);
	if (parts)
		return "more is open than was asked for";
	return audit(w, rules, &q);
}

/* What each dialect writes in ways of its own; NULL ends, and is one. */
static const struct {
	const char *dialect;
	const char *versions[8];
} versions[] = {
	{"fortios",
         {"5.0", "5.4.0", "6.0.5", "6.2.1", "6.4.8", "7.0.0", "7.4.1", NULL}},
	{"sonicos", {"6.2", "6.5", "7.1.1", NULL}},
	{"routeros", {"6.30", "6.49", "7.14", NULL}},
	{"vyos", {"1.2", "1.3", "1.4", "1.5", NULL}},
};

/* @return how many there are, the unsaid one included. */
static size_t version_of(const char **version, const struct fw_dialect *d,
                         uint64_t i)
{
	size_t n = 0;

	*version = NULL;
	for (size_t k = 0; k < ARRAY_LEN(versions); k++) {
		if (strcmp(versions[k].dialect, d->name) != 0)
			continue;
		while (versions[k].versions[n])
			n++;
		*version = versions[k].versions[i % (n + 1)];
	}
	return n + 1;
}

static unsigned caps_at(const struct fw_dialect *d, uint64_t i)
{
	struct fw_rules box = {0};

	(void)version_of(&box.version, d, i);
	return fw_dialect_caps(d, &box);
}

static void check_world(const struct fw_dialect *d, struct world *world,
                        uint64_t at)
{
	struct wr out = wr_init_heap();
	struct fw_rules made, back;
	struct world w = *world;
	struct diag dg;
	const char *why;

	fw_rules_init(&made);
	fw_rules_init(&back);
	(void)version_of(&made.version, d, at);
	diag_init(&dg, &w.arena, NULL, (struct slice){NULL, 0});
	assert_int_equal(fw_rules_from_flows(&made, w.flows, w.n, &w.place), 0);
	if (fw_emit(&out, d, &made, &dg))
		fail_round(at, d->name,
		           dg.first ? dg.first->message : "not written", &out);
	diag_init(&dg, &w.arena, NULL, wr_slice(&out));
	if (fw_dialect_recognise(wr_slice(&out)) != d)
		fail_round(at, d->name, "not recognised", &out);
	if (d->parse(&back, wr_slice(&out), &dg) || dg.n_errors)
		fail_round(at, d->name,
		           dg.first ? dg.first->message : "not read", &out);
	why = judge(&w, &back);
	if (why)
		fail_round(at, d->name, why, &out);
	fw_rules_fini(&made);
	fw_rules_fini(&back);
	arena_fini(&w.arena);
	wr_fini(&out);
}

static void check_round(const struct fw_dialect *d, uint64_t at)
{
	const unsigned caps = caps_at(d, at);
	const bool is_bound =
		strcmp(d->name, "edgeos") == 0 ||
		(strcmp(d->name, "vyos") == 0 && !(caps & FW_CAP_NAMES));
	struct world w;

	seed = at;
	/* EdgeOS, and VyOS before 1.4, have no rules without an interface. */
	make(&w, caps, is_bound);
	check_world(d, &w, at);
}

/* The thirteen rows of the document that are for UDP and for TCP: a well-known
 * generator loses their ports. */
static void make_document(struct world *w, unsigned caps)
{
	static const struct {
		const char *host, *name; /* where names are objects */
		uint16_t ports[3][2];
		bool is_sip;
	} rows[] = {
		{"192.0.2.2",
	         NULL,
	         {{5060, 5060}, {5061, 5061}, {5080, 5080}},
	         true},
		{"192.0.2.3",
	         NULL,
	         {{5060, 5060}, {5061, 5061}, {5080, 5080}},
	         true},
		{"192.0.2.2", NULL, {{10000, 65535}}, false},
		{"192.0.2.3", NULL, {{10000, 65535}}, false},
		{"192.0.2.9", NULL, {{10000, 65535}}, false},
		{"192.0.2.12", NULL, {{10000, 65535}}, false},
		{"192.0.2.14", NULL, {{10000, 65535}}, false},
		{"192.0.2.15",
	         NULL,
	         {{5060, 5060}, {5061, 5061}, {5080, 5080}},
	         true},
		{"192.0.2.15", NULL, {{10000, 65535}}, false},
		{"198.51.100.5",
	         "contact.example.net",
	         {{5060, 5060}, {5061, 5061}, {5080, 5080}},
	         true},
		{"198.51.100.6",
	         "contact2.example.net",
	         {{5060, 5060}, {5061, 5061}, {5080, 5080}},
	         true},
		{"198.51.100.1",
	         "webrtc2.example.net",
	         {{3478, 3478}, {5349, 5349}},
	         false},
		{"192.0.2.14", NULL, {{3478, 3478}, {5349, 5349}}, false},
	};
	static const int protos[] = {FW_PROTO_UDP, FW_PROTO_TCP};

	memset(w, 0, sizeof(*w));
	arena_init(&w->arena);
	w->n = ARRAY_LEN(rows);
	w->place = (struct fw_place){
		.path = FW_PATH_FORWARD, .in = "eth1", .out = "eth0"};
	for (size_t i = 0; i < w->n; i++) {
		struct fw_flow *f = &w->flows[i];
		struct fw_ip lo, hi;

		f->id = arena_fmt(&w->arena, "row-%zu", i);
		f->is_sip = rows[i].is_sip;
		f->min_udp_idle_s = caps & FW_CAP_UDP_IDLE ? 300 : -1;
		f->min_tcp_idle_s = -1;
		assert_non_null(f->id);
		assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(rows[i].host)),
		                 0);
		if (rows[i].name && caps & FW_CAP_NAMES)
			assert_non_null(fw_addrs_add_name(&w->arena, &f->dst,
			                                  FW_ADDR_NAME,
			                                  rows[i].name));
		else
			assert_non_null(
				fw_addrs_add_range(&w->arena, &f->dst, lo, hi));
		for (size_t k = 0; k < 6 && rows[i].ports[k / 2][0]; k++)
			assert_non_null(fw_services_add(
				&w->arena, &f->services, protos[k % 2],
				rows[i].ports[k / 2][0],
				rows[i].ports[k / 2][1]));
	}
}

static void test_rows_of_both_protocols_keep_their_ports(void **state)
{
	UNUSED(state);
	for (size_t i = 0; fw_dialects[i]; i++) {
		const struct fw_dialect *d = fw_dialects[i];
		const char *version;

		if (!d->parse || !d->emit)
			continue;
		for (size_t k = 0; k < version_of(&version, d, k); k++) {
			struct world w;

			make_document(&w, caps_at(d, k));
			check_world(d, &w, k);
		}
	}
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_what_is_written_reads_as_what_was_asked(void **state)
{
	const uint64_t first = number("PRUMO_SEED", 1);
	const uint64_t n = number("PRUMO_ROUNDS", ROUNDS);

	UNUSED(state);
	for (size_t i = 0; fw_dialects[i]; i++) {
		if (!fw_dialects[i]->parse || !fw_dialects[i]->emit)
			continue;
		for (uint64_t k = first; k < first + n; k++)
			check_round(fw_dialects[i], k);
	}
}

/* Names that a box, its shell or PowerShell would read as more than that. */
static const char *const hostile[] = {
	"a\nreboot",    "a\rreboot",    "a\" reboot \"", "a' reboot '",
	"a;reboot",     "$(reboot)",    "`reboot`",      "[/system/reboot]",
	"a\\\" reboot", "a|reboot",     "a&reboot",      "a>reboot",
	"a reboot",     "a*b?[reboot]",
};

/* What stands in double quotes is text, but in PowerShell and RouterOS. */
static bool is_quoted_by(const char *dialect, const char *out, const char *name)
{
	const char *at = out;

	while ((at = strstr(at, name)) != NULL) {
		if (at == out || (at[-1] != '"' && at[-1] != '\''))
			return false;
		at++;
	}
	return strcmp(dialect, "windows") != 0 || !strpbrk(name, "*?[");
}

static void check_hostile(const struct fw_dialect *d, const char *name,
                          bool is_host)
{
	struct fw_place place = {.in = "lan", .out = is_host ? "wan" : name};
	struct fw_flow f = {.id = "sip",
	                    .title = "SIP",
	                    .min_udp_idle_s = -1,
	                    .min_tcp_idle_s = -1};
	struct wr out = wr_init_heap();
	struct fw_rules rules;
	struct fw_ip lo, hi;
	struct arena a;
	struct diag dg;
	int err;

	if (strcmp(d->name, "windows") == 0)
		place.path = FW_PATH_OUTPUT;
	arena_init(&a);
	fw_rules_init(&rules);
	diag_init(&dg, &a, NULL, slice_str(""));
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")), 0);
	if (is_host)
		assert_non_null(
			fw_addrs_add_name(&a, &f.dst, FW_ADDR_NAME, name));
	else
		assert_non_null(fw_addrs_add_range(&a, &f.dst, lo, hi));
	assert_non_null(fw_services_add(&a, &f.services, 17, 5060, 5060));
	assert_int_equal(fw_rules_from_flows(&rules, &f, 1, &place), 0);
	err = fw_emit(&out, d, &rules, &dg);
	wr_u8(&out, 0);
	if (err != ENOTSUP &&
	    (err || is_host || !is_quoted_by(d->name, (char *)out.p, name)))
		fail_msg("%s, %s: %d\n%s", d->name, name, err, (char *)out.p);
	fw_rules_fini(&rules);
	arena_fini(&a);
	wr_fini(&out);
}

static void test_names_are_only_names(void **state)
{
	UNUSED(state);
	for (size_t i = 0; fw_dialects[i]; i++) {
		for (size_t k = 0; k < ARRAY_LEN(hostile); k++) {
			if (!fw_dialects[i]->emit)
				continue;
			check_hostile(fw_dialects[i], hostile[k], false);
			check_hostile(fw_dialects[i], hostile[k], true);
		}
	}
}

/* The author of a configuration is not who pastes its patch. */
static void test_patches_run_nothing_a_text_says(void **state)
{
	static const struct {
		const char *dialect, *text, *in;
	} rows[] = {
		{"fortios",
	         "config firewall policy\nedit \"5\nexecute reboot\n\"\n"
	         "set srcaddr all\nset dstaddr all\nset service ALL\n"
	         "set action accept\nset session-ttl 100\nnext\nend\n",
	         NULL},
		{"fortios",
	         "config vdom\nedit \"v\nexecute reboot\n\"\n"
	         "config firewall policy\nedit 1\nset action deny\n"
	         "set srcaddr all\nset dstaddr all\nset service ALL\nnext\n"
	         "end\nnext\nend\n",
	         NULL},
		{"edgeos",
	         "set firewall name A;reboot rule 1 action drop\n"
	         "set interfaces ethernet eth1 firewall in name A;reboot\n",
	         NULL},
		{"edgeos",
	         "set firewall name 'A$(reboot)' rule 1 action drop\n"
	         "set interfaces ethernet eth1 firewall in name "
	         "'A$(reboot)'\n",
	         NULL},
		{"routeros",
	         "/ip firewall filter\nadd chain=forward action=drop\n",
	         "a\" ; /system reboot"},
		{"sonicos",
	         "firmware-version \"SonicOS 7.0.1\"\n"
	         "access-rule ipv4 from LAN to WAN action deny\nexit\n",
	         "a\nreboot"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_dialect *d = fw_dialect_find(rows[i].dialect);
		struct fw_flow f = {.id = "sip",
		                    .name = "sip",
		                    .title = "SIP",
		                    .is_sip = true,
		                    .min_udp_idle_s = 300,
		                    .min_tcp_idle_s = -1};
		const struct fw_question q = {
			.flows = &f, .n_flows = 1, .place = {.in = rows[i].in}};
		struct fw_patch_out out;
		struct fw_rules rules;
		struct fw_ip lo, hi;
		size_t left = 0;
		struct arena a;
		struct diag dg;
		int err;

		arena_init(&a);
		fw_rules_init(&rules);
		diag_init(&dg, &a, NULL, slice_str(rows[i].text));
		assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("192.0.2.1")),
		                 0);
		assert_non_null(fw_addrs_add_range(&a, &f.dst, lo, hi));
		assert_non_null(
			fw_services_add(&a, &f.services, 17, 5060, 5060));
		err = d->parse(&rules, slice_str(rows[i].text), &dg);
		assert_true(err == 0 || err == EBADMSG);
		fw_patch_init(&out);
		err = fw_patch_make(&out, &left, &rules, &q);
		wr_u8(&out.commands, 0);
		if (err == 0 && strstr((char *)out.commands.p, "reboot"))
			fail_msg("%zu: %s", i, (char *)out.commands.p);
		fw_patch_fini(&out);
		fw_rules_fini(&rules);
		arena_fini(&a);
	}
}

/* One row to 2001:db8::1, of phones that are there. */
static int emit_six(struct wr *out, const struct fw_dialect *d,
                    const char *phones, enum fw_path path)
{
	const unsigned idle = d->caps & FW_CAP_UDP_IDLE;
	struct world w = {.place = {.path = path, .in = "eth1", .out = "eth0"}};
	struct fw_flow *f = &w.flows[0];
	struct fw_ip lo, hi;
	struct fw_rules made;
	struct diag dg;
	int err;

	arena_init(&w.arena);
	fw_rules_init(&made);
	diag_init(&dg, &w.arena, NULL, (struct slice){NULL, 0});
	f->id = "row-1";
	f->min_udp_idle_s = idle ? 300 : FW_IDLE_UNSET;
	f->min_tcp_idle_s = FW_IDLE_UNSET;
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str("2001:db8::1")), 0);
	assert_non_null(fw_addrs_add_range(&w.arena, &f->dst, lo, hi));
	assert_int_equal(fw_ip_parse(&lo, &hi, slice_str(phones)), 0);
	assert_non_null(fw_addrs_add_range(&w.arena, &w.place.src, lo, hi));
	add_ports(&w, f, FW_PROTO_UDP, 1);
	assert_int_equal(fw_rules_from_flows(&made, f, 1, &w.place), 0);
	err = fw_emit(out, d, &made, &dg);
	assert_int_equal(!!err, dg.n_errors > 0);
	fw_rules_fini(&made);
	arena_fini(&w.arena);
	return err;
}

/* A rule that no packet can match is not written in silence, nor is one for
 * a place that the box has no rules for. */
static void test_what_cannot_be_is_refused(void **state)
{
	UNUSED(state);
	for (size_t i = 0; fw_dialects[i]; i++) {
		const struct fw_dialect *d = fw_dialects[i];
		struct wr out = wr_init_heap();

		if (!d->emit || !d->parse)
			continue;
		if (emit_six(&out, d, "192.0.2.0/24", FW_PATH_FORWARD) !=
		            ENOTSUP ||
		    out.n)
			fail_msg("%s: ends of two families", d->name);
		if (emit_six(&out, d, "2001:db8:1::/64", FW_PATH_FORWARD) ||
		    !out.n)
			fail_msg("%s: ends of one family", d->name);
		wr_fini(&out);
	}
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = {"fortios", "sonicos"};
		struct wr out = wr_init_heap();

		assert_int_equal(emit_six(&out, fw_dialect_find(names[i]),
		                          "2001:db8:1::/64", FW_PATH_OUTPUT),
		                 ENOTSUP);
		wr_fini(&out);
	}
}

/* Rules see the packet that opens a connection; marks are for all of it. */
static void test_marks_are_for_every_packet(void **state)
{
	const struct fw_dialect *d = fw_dialect_find("nftables");
	struct wr out = wr_init_heap();
	struct fw_rules made, back;
	struct slice text;
	struct world w;
	struct diag dg;
	size_t at;

	UNUSED(state);
	seed = 1;
	make(&w, d->caps, true);
	fw_rules_init(&made);
	fw_rules_init(&back);
	diag_init(&dg, &w.arena, NULL, (struct slice){NULL, 0});
	assert_int_equal(fw_rules_from_flows(&made, w.flows, w.n, &w.place), 0);
	made.chains->first->next->attrs.dscp = 46;
	assert_int_equal(fw_emit(&out, d, &made, &dg), 0);
	text = wr_slice(&out);
	at = slice_find(text, slice_str("chain forward-dscp {"));
	assert_true(at != SIZE_MAX);
	assert_true(slice_find(slice_sub(text, 0, at), slice_str("dscp set")) ==
	            SIZE_MAX);
	text = slice_sub(text, at, SIZE_MAX);
	assert_true(slice_find(text, slice_str("dscp set 46")) != SIZE_MAX);
	assert_true(slice_find(text, slice_str("ct state")) == SIZE_MAX);
	assert_true(slice_find(text, slice_str("ct timeout")) == SIZE_MAX);
	diag_init(&dg, &w.arena, NULL, wr_slice(&out));
	assert_int_equal(d->parse(&back, wr_slice(&out), &dg), 0);
	assert_null(judge(&w, &back));
	fw_rules_fini(&made);
	fw_rules_fini(&back);
	arena_fini(&w.arena);
	wr_fini(&out);
}

/* A patch's undo takes away by name: nothing may have had it before. */
static void test_a_patch_names_nothing_that_is_there(void **state)
{
	static const struct {
		const char *text, *object, *want;
	} rows[] = {
		{"", NULL, "prumo"},
		{"prumo prumos-1 # made by prumo", NULL, "prumo"},
		{"edit \"prumo-sip\"", NULL, "prumo2"},
		{"prumo2-a prumo-a prumo11-b", NULL, "prumo12"},
		{"prumo99999999999999999999-a", NULL, "prumo"},
		{"c2V0dGluZ3M=", "prumo3-sip", "prumo4"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char mark[FW_MARK_BYTES];
		struct fw_rules rules;

		fw_rules_init(&rules);
		rules.text = slice_str(rows[i].text);
		if (rows[i].object)
			assert_non_null(fw_object_add(&rules, FW_OBJECT_ADDRS,
			                              rows[i].object));
		fw_mark_choose(mark, &rules);
		assert_string_equal(mark, rows[i].want);
		fw_rules_fini(&rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_patch_names_nothing_that_is_there),
		cmocka_unit_test(test_what_is_written_reads_as_what_was_asked),
		cmocka_unit_test(test_rows_of_both_protocols_keep_their_ports),
		cmocka_unit_test(test_names_are_only_names),
		cmocka_unit_test(test_what_cannot_be_is_refused),
		cmocka_unit_test(test_marks_are_for_every_packet),
		cmocka_unit_test(test_patches_run_nothing_a_text_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
