/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <stdio.h>

#include "base/clock.h"
#include "probe/ladder.h"

/* A network in a few lines: what it does to each shot, and how lossy it is. */
struct network {
	const char *why;
	unsigned loss_pct; /* of each datagram, each way */
	int64_t rtt_ns;
	bool is_dead[5];         /* by role: nothing passes, UDP */
	bool edits_sip;          /* UDP to the main SIP port */
	bool drops_invite;       /* there too */
	bool drops_unusual_form; /* there too */
	bool drops_answers;      /* from there */
	bool drops_large;        /* everywhere */
	bool refuses_tcp;
	bool has_no_reports;
	bool is_full;
	bool drops_second_phone; /* from the main SIP port */
	bool is_stale; /* what it does there, it does not to new sessions */
	int64_t down_ns, up_ns; /* no datagram leaves from ... to ... */
};

struct flight {
	int shot;
	int64_t at_ns;
};

struct run {
	struct ladder l;
	const struct network *net;
	struct flight flights[1024];
	size_t n_flights;
	unsigned seed;
	unsigned n_sent;
	int64_t now_ns;
};

static bool is_lost_by_chance(struct run *r)
{
	r->seed = r->seed * 1103515245 + 12345;
	return r->seed / 65536 % 100 < r->net->loss_pct;
}

static bool is_main(const struct ladder_spec *s)
{
	return s->role == WIRE_ROLE_SIP && s->transport == WIRE_UDP;
}

static bool is_spared(const struct network *n, const struct ladder_spec *s)
{
	return n->is_stale && is_main(s) && (s->how & LADDER_FRESH);
}

static bool is_swallowed(const struct network *n, const struct ladder_spec *s)
{
	if (s->transport != WIRE_UDP || is_spared(n, s))
		return false;
	if (n->is_dead[s->role] ||
	    (n->drops_large &&
	     (s->pad_bytes > 0 || (s->flags & SIP_CANARY_LONG_LINE))))
		return true;
	if (!is_main(s))
		return false;
	if (n->drops_unusual_form && s->what == LADDER_REGISTER &&
	    (s->flags & SIP_CANARY_FOLDED))
		return true;
	if (n->drops_second_phone && (s->how & LADDER_SECOND_PHONE))
		return true;
	return n->drops_invite && s->what == LADDER_INVITE;
}

/* The datagram leaves; what the network makes of it comes later. */
static void carry(struct run *r, int shot)
{
	const struct ladder_spec *s = &r->l.shots[shot].spec;
	bool is_udp = s->transport == WIRE_UDP;

	r->n_sent++;
	if (s->transport == WIRE_TCP && r->net->refuses_tcp) {
		ladder_on_refused(&r->l, shot);
		return;
	}
	if (is_udp && r->now_ns >= r->net->down_ns && r->now_ns < r->net->up_ns)
		return;
	if (is_swallowed(r->net, s) || (is_udp && is_lost_by_chance(r)))
		return;
	if (!r->net->has_no_reports)
		ladder_on_seen(&r->l, shot);
	if ((r->net->drops_answers && is_main(s)) ||
	    (is_udp && is_lost_by_chance(r)))
		return;
	assert_true(r->n_flights < ARRAY_LEN(r->flights));
	r->flights[r->n_flights++] =
		(struct flight){shot, r->now_ns + r->net->rtt_ns};
}

static void land(struct run *r)
{
	for (size_t i = 0; i < r->n_flights; i++) {
		struct flight *f = &r->flights[i];
		const struct ladder_spec *s = &r->l.shots[f->shot].spec;

		if (f->at_ns > r->now_ns)
			continue;
		if (s->what != LADDER_CRLF)
			ladder_on_arrival(&r->l, f->shot,
			                  r->net->edits_sip && is_main(s) &&
			                          !is_spared(r->net, s));
		ladder_on_answer(&r->l, f->shot, r->now_ns);
		*f = r->flights[--r->n_flights];
		i--;
	}
}

static void fly(struct run *r)
{
	int shot;

	for (unsigned turns = 0;; turns++) {
		int64_t next;

		assert_true(turns < 100000);
		land(r);
		ladder_plan_call_twins(&r->l);
		next = ladder_next(&r->l, &shot, r->now_ns);
		if (shot != LADDER_NONE) {
			ladder_on_sent(&r->l, shot, r->now_ns);
			carry(r, shot);
			continue;
		}
		if (next == INT64_MAX)
			break;
		r->now_ns += NS_PER_MS;
	}
}

static void run_all(struct run *r, const struct network *net, unsigned seed)
{
	const struct ladder_signs signs = {.is_src_5060 = true};

	*r = (struct run){.net = net, .seed = seed};
	ladder_init(&r->l, net->rtt_ns, !net->has_no_reports);
	r->l.is_full = net->is_full;
	ladder_plan_first(&r->l, true);
	fly(r);
	if (ladder_plan_second(&r->l, &signs))
		fly(r);
	ladder_judge(&r->l);
}

static enum ladder_result result(const struct run *r, enum wire_role role,
                                 enum ladder_what what, const char *variant)
{
	int i = ladder_find(&r->l, WIRE_UDP, role, what, variant);

	return i == LADDER_NONE ? LADDER_UNDECIDED : r->l.shots[i].result;
}

static void test_clean_network_is_clean_and_cheap(void **state)
{
	static const struct network net = {.rtt_ns = 20 * NS_PER_MS};
	struct run r;

	UNUSED(state);
	run_all(&r, &net, 1);
	for (size_t i = 0; i < r.l.n; i++)
		assert_int_equal(r.l.shots[i].result, LADDER_CLEAN);
	assert_int_equal(r.n_sent, r.l.n);
	assert_true(r.l.n <= 11);
}

static void test_loss_changes_no_verdict(void **state)
{
	static const struct network nets[] = {
		{"clean", 5, 40 * NS_PER_MS, .edits_sip = false},
		{"edits", 5, 40 * NS_PER_MS, .edits_sip = true},
		{"slow edits", 5, 300 * NS_PER_MS, .edits_sip = true},
		{"no reports", 5, 40 * NS_PER_MS, .has_no_reports = true},
	};

	UNUSED(state);
	for (size_t k = 0; k < ARRAY_LEN(nets); k++) {
		for (unsigned seed = 1; seed <= 200; seed++) {
			struct run r;

			run_all(&r, &nets[k], seed * 7919);
			for (size_t i = 0; i < r.l.n; i++) {
				const struct ladder_shot *s = &r.l.shots[i];
				bool is_edited = nets[k].edits_sip &&
				                 is_main(&s->spec) &&
				                 s->spec.what != LADDER_CRLF;

				if (s->result !=
				    (is_edited ? LADDER_EDITED : LADDER_CLEAN))
					fail_msg("%s, seed %u: %s is %s",
					         nets[k].why, seed,
					         ladder_what_name(s->spec.what),
					         ladder_result_name(s->result));
			}
		}
	}
}

static void test_drop_needs_its_twin(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS,
	                                   .drops_invite = true};
	static const struct network large = {.rtt_ns = 5 * NS_PER_MS,
	                                     .drops_large = true};
	struct run r;

	UNUSED(state);
	run_all(&r, &net, 1);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_INVITE, NULL),
	                 LADDER_REQUEST_DROPPED);
	assert_int_equal(result(&r, WIRE_ROLE_TWIN, LADDER_INVITE, NULL),
	                 LADDER_CLEAN);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_REGISTER, NULL),
	                 LADDER_CLEAN);

	/* lost to every port alike: a path that drops fragments is no ALG */
	run_all(&r, &large, 1);
	assert_int_equal(
		result(&r, WIRE_ROLE_SIP, LADDER_OPTIONS, "fragmented"),
		LADDER_NO_ANSWER);
	assert_int_equal(
		result(&r, WIRE_ROLE_TWIN, LADDER_OPTIONS, "fragmented"),
		LADDER_NO_ANSWER);
}

/* The same network by many seeds. @return runs with that result, for any
 * message to the SIP port */
static unsigned runs_with(const struct network *net, enum ladder_result wanted)
{
	unsigned n = 0;

	for (unsigned seed = 1; seed <= 300; seed++) {
		struct run r;
		bool has = false;

		run_all(&r, net, seed);
		for (size_t i = 0; i < r.l.n; i++)
			has |= is_main(&r.l.shots[i].spec) &&
			       r.l.shots[i].result == wanted;
		n += has;
	}
	return n;
}

static void test_loss_is_not_a_drop(void **state)
{
	static const unsigned char losses[] = {5, 10, 20, 30, 40, 50};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		const struct network line = {.rtt_ns = 20 * NS_PER_MS,
		                             .loss_pct = losses[i]};
		const struct network alg = {.rtt_ns = 300 * NS_PER_MS,
		                            .loss_pct = losses[i],
		                            .drops_invite = true};

		assert_int_equal(runs_with(&line, LADDER_REQUEST_DROPPED), 0);
		assert_true(runs_with(&line, LADDER_ANSWER_DROPPED) <= 3);
		if (losses[i] <= 10)
			assert_true(runs_with(&alg, LADDER_REQUEST_DROPPED) >=
			            299);
		if (losses[i] >= 40)
			assert_true(runs_with(&line, LADDER_LOSSY) > 0);
	}
}

static void test_blocked_port_is_not_a_drop(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS,
	                                   .is_dead[WIRE_ROLE_SIP] = true};
	static const struct network all = {
		.rtt_ns = 5 * NS_PER_MS,
		.is_dead = {true, true, true, true, true},
	};
	struct run r;

	UNUSED(state);
	run_all(&r, &net, 1);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_CRLF, NULL),
	                 LADDER_BLOCKED);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_INVITE, NULL),
	                 LADDER_BLOCKED);
	assert_int_equal(result(&r, WIRE_ROLE_SIP_ALT, LADDER_OPTIONS, NULL),
	                 LADDER_CLEAN);
	run_all(&r, &all, 1);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_INVITE, NULL),
	                 LADDER_NO_ANSWER);
}

static void test_lost_answer_is_told_apart(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS,
	                                   .drops_answers = true};
	static const struct network blind = {.rtt_ns = 5 * NS_PER_MS,
	                                     .drops_answers = true,
	                                     .has_no_reports = true};
	struct run r;

	UNUSED(state);
	run_all(&r, &net, 1);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_OPTIONS, NULL),
	                 LADDER_ANSWER_DROPPED);
	run_all(&r, &blind, 1);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_OPTIONS, NULL),
	                 LADDER_BLOCKED);
}

static void test_oddity_is_narrowed_down(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS,
	                                   .drops_unusual_form = true};
	struct run r;

	UNUSED(state);
	run_all(&r, &net, 1);
	assert_int_equal(
		result(&r, WIRE_ROLE_SIP, LADDER_REGISTER, "unusual-form"),
		LADDER_REQUEST_DROPPED);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_REGISTER, "folded"),
	                 LADDER_REQUEST_DROPPED);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_REGISTER, "compact"),
	                 LADDER_CLEAN);
}

static void test_refusal_is_a_result(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS,
	                                   .refuses_tcp = true};
	struct run r;
	int i;

	UNUSED(state);
	run_all(&r, &net, 1);
	i = ladder_find(&r.l, WIRE_TCP, WIRE_ROLE_SIP, LADDER_OPTIONS, NULL);
	assert_int_equal(r.l.shots[i].result, LADDER_REFUSED);
}

static void test_public_address_is_tried_behind_nat(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS};
	const struct ladder_signs natted = {.is_natted = true};
	struct run r = {.net = &net, .seed = 1};

	UNUSED(state);
	ladder_init(&r.l, 0, true);
	ladder_plan_first(&r.l, true);
	fly(&r);
	assert_int_equal(ladder_plan_second(&r.l, &natted), 1);
	assert_true(r.l.shots[r.l.n - 1].spec.how & LADDER_PUBLIC);
	assert_int_equal(ladder_plan_second(&r.l, &natted), 0);
}

static void test_add_is_bounded_and_unique(void **state)
{
	struct ladder l;
	char names[LADDER_MAX_SHOTS + 1][8];

	UNUSED(state);
	ladder_init(&l, 0, true);
	for (int i = 0; i <= LADDER_MAX_SHOTS; i++) {
		struct ladder_spec s = {.transport = WIRE_UDP,
		                        .role = WIRE_ROLE_SIP,
		                        .variant = names[i]};

		(void)snprintf(names[i], sizeof(names[i]), "%d", i);
		assert_int_equal(ladder_add(&l, &s),
		                 i < LADDER_MAX_SHOTS ? i : LADDER_NONE);
		assert_int_equal(ladder_add(&l, &s), LADDER_NONE);
	}
}

/* Ctrl-C in the middle: what is still on its way accuses nobody. */
static void test_breaking_off_accuses_nobody(void **state)
{
	static const struct network net = {.rtt_ns = 50 * NS_PER_MS};
	struct run r = {.net = &net, .seed = 1};
	int64_t end_ns = 40 * NS_PER_MS;
	int shot;

	UNUSED(state);
	ladder_init(&r.l, net.rtt_ns, false);
	ladder_plan_first(&r.l, true);
	while (r.now_ns < end_ns) {
		(void)ladder_next(&r.l, &shot, r.now_ns);
		if (shot == LADDER_NONE)
			r.now_ns += NS_PER_MS;
		else
			ladder_on_sent(&r.l, shot, r.now_ns);
	}
	/* the one port that has answered */
	shot = ladder_find(&r.l, WIRE_UDP, WIRE_ROLE_SIP_ALT, LADDER_OPTIONS,
	                   NULL);
	ladder_on_arrival(&r.l, shot, false);
	ladder_on_answer(&r.l, shot, r.now_ns);
	ladder_judge(&r.l);
	for (size_t i = 0; i < r.l.n; i++)
		assert_int_equal(r.l.shots[i].result,
		                 (int)i == shot ? LADDER_CLEAN
		                                : LADDER_UNDECIDED);
}

/* What no datagram passes, no other datagram explains. */
static void test_shut_udp_is_not_looked_into(void **state)
{
	const struct ladder_signs signs = {.is_udp_shut = true,
	                                   .is_src_5060 = true};
	struct ladder l;
	size_t n;

	UNUSED(state);
	ladder_init(&l, 0, true);
	l.is_full = true;
	ladder_plan_first(&l, true);
	for (size_t i = 0; i < l.n; i++)
		ladder_on_sent(&l, (int)i, 0);
	assert_true(ladder_is_udp_silent(&l));
	n = l.n;
	assert_true(ladder_plan_second(&l, &signs) > 0);
	for (size_t i = n; i < l.n; i++)
		assert_int_not_equal(l.shots[i].spec.transport, WIRE_UDP);
}

static void test_one_word_breaks_the_silence(void **state)
{
	struct ladder l;
	int tcp, udp;

	UNUSED(state);
	ladder_init(&l, 0, true);
	ladder_plan_first(&l, true);
	tcp = ladder_find(&l, WIRE_TCP, WIRE_ROLE_SIP, LADDER_OPTIONS, NULL);
	udp = ladder_find(&l, WIRE_UDP, WIRE_ROLE_SIP, LADDER_PLAIN, NULL);
	for (size_t i = 0; i < l.n; i++)
		ladder_on_sent(&l, (int)i, 0);
	ladder_on_answer(&l, tcp, 1);
	assert_true(ladder_is_udp_silent(&l));
	ladder_on_seen(&l, udp);
	assert_false(ladder_is_udp_silent(&l));
	l.shots[udp].is_seen = false;
	ladder_on_refused(&l, udp);
	assert_false(ladder_is_udp_silent(&l));
}

static void test_missing_ports_are_not_asked(void **state)
{
	const struct ladder_signs signs = {.is_answer_edited = true};
	struct ladder l;

	UNUSED(state);
	ladder_init(&l, 0, true);
	l.missing = LADDER_NO_ALT | LADDER_NO_TLS | LADDER_NO_TWIN;
	ladder_plan_first(&l, true);
	assert_true(ladder_plan_second(&l, &signs) > 0);
	for (size_t i = 0; i < l.n; i++) {
		assert_int_equal(l.shots[i].spec.role, WIRE_ROLE_SIP);
		assert_int_not_equal(l.shots[i].spec.transport, WIRE_TLS);
	}
}

static void test_provider_of_tls_alone_is_asked_by_tls(void **state)
{
	const struct ladder_signs signs = {.is_answer_edited = true};
	struct ladder l;

	UNUSED(state);
	ladder_init(&l, 0, true);
	l.missing = LADDER_NO_ALT | LADDER_NO_SIP;
	ladder_plan_first(&l, true);
	(void)ladder_plan_second(&l, &signs);
	assert_true(ladder_find(&l, WIRE_TLS, WIRE_ROLE_SIP, LADDER_OPTIONS,
	                        NULL) != LADDER_NONE);
	for (size_t i = 0; i < l.n; i++)
		assert_true(l.shots[i].spec.transport == WIRE_TLS ||
		            l.shots[i].spec.role == WIRE_ROLE_TWIN);
}

static void test_anomaly_earns_a_short_invite(void **state)
{
	static const struct network net = {.rtt_ns = 5 * NS_PER_MS,
	                                   .edits_sip = true};
	struct run r;
	int i;

	UNUSED(state);
	run_all(&r, &net, 1);
	i = ladder_find(&r.l, WIRE_UDP, WIRE_ROLE_SIP, LADDER_INVITE, "short");
	assert_int_not_equal(i, LADDER_NONE);
	assert_true(r.l.shots[i].spec.flags & SIP_CANARY_SHORT);
	assert_int_equal(r.l.shots[i].result, LADDER_EDITED);
}

static void test_what_is_odd_is_asked_of_a_new_session(void **state)
{
	static const struct network edits = {.rtt_ns = 20 * NS_PER_MS,
	                                     .edits_sip = true};
	static const struct network stale = {
		.rtt_ns = 20 * NS_PER_MS, .edits_sip = true, .is_stale = true};
	static const struct network dead = {.rtt_ns = 20 * NS_PER_MS,
	                                    .is_dead[WIRE_ROLE_SIP] = true,
	                                    .is_stale = true};
	static const struct network shut = {.rtt_ns = 20 * NS_PER_MS,
	                                    .is_dead[WIRE_ROLE_SIP] = true};
	static const struct network drops = {.rtt_ns = 20 * NS_PER_MS,
	                                     .drops_invite = true};
	static const struct {
		const struct network *net;
		enum ladder_result options, fresh, again, invite;
	} cases[] = {
		{&edits, LADDER_EDITED, LADDER_EDITED, LADDER_EDITED,
	         LADDER_UNDECIDED},
		{&stale, LADDER_EDITED, LADDER_CLEAN, LADDER_EDITED,
	         LADDER_UNDECIDED},
		{&dead, LADDER_REQUEST_DROPPED, LADDER_CLEAN, LADDER_UNDECIDED,
	         LADDER_CLEAN},
		{&shut, LADDER_BLOCKED, LADDER_BLOCKED, LADDER_UNDECIDED,
	         LADDER_BLOCKED},
		{&drops, LADDER_CLEAN, LADDER_UNDECIDED, LADDER_UNDECIDED,
	         LADDER_REQUEST_DROPPED},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run r;

		run_all(&r, cases[i].net, 1);
		assert_int_equal(
			result(&r, WIRE_ROLE_SIP, LADDER_OPTIONS, NULL),
			cases[i].options);
		assert_int_equal(
			result(&r, WIRE_ROLE_SIP, LADDER_OPTIONS, LADDER_NEW),
			cases[i].fresh);
		assert_int_equal(
			result(&r, WIRE_ROLE_SIP, LADDER_OPTIONS, LADDER_OLD),
			cases[i].again);
		assert_int_equal(
			result(&r, WIRE_ROLE_SIP, LADDER_INVITE, LADDER_NEW),
			cases[i].invite);
	}
}

/* Wi-Fi that roams, a line that trains again: nothing passes for a moment. */
static void test_a_moment_of_silence_accuses_nobody(void **state)
{
	static const struct network nets[] = {
		{.rtt_ns = 20 * NS_PER_MS, .up_ns = NS_PER_S},
		{.rtt_ns = 20 * NS_PER_MS,
	         .down_ns = 10 * NS_PER_MS,
	         .up_ns = 1500 * NS_PER_MS},
		{.rtt_ns = 200 * NS_PER_MS,
	         .down_ns = 6 * NS_PER_MS,
	         .up_ns = 2500 * NS_PER_MS},
	};

	UNUSED(state);
	for (size_t k = 0; k < ARRAY_LEN(nets); k++) {
		struct run r;

		run_all(&r, &nets[k], 1);
		for (size_t i = 0; i < r.l.n; i++)
			assert_int_equal(r.l.shots[i].result, LADDER_CLEAN);
	}
}

static void test_late_answers_are_counted(void **state)
{
	static const struct network quiet = {.rtt_ns = 20 * NS_PER_MS};
	static const struct network slow = {.rtt_ns = 20 * NS_PER_MS,
	                                    .up_ns = 5 * NS_PER_MS};
	struct run r;

	UNUSED(state);
	run_all(&r, &quiet, 1);
	assert_int_equal(ladder_n_late(&r.l), 0);
	run_all(&r, &slow, 1);
	/* two in the first 5 ms went to the main SIP port, 2 ms apart */
	assert_int_equal(ladder_n_late(&r.l), 2);
}

static void test_full_asks_what_an_office_does(void **state)
{
	static const struct network quiet = {.rtt_ns = 20 * NS_PER_MS,
	                                     .is_full = true};
	static const struct network net = {.rtt_ns = 20 * NS_PER_MS,
	                                   .is_full = true,
	                                   .drops_second_phone = true};
	struct run r;

	UNUSED(state);
	run_all(&r, &quiet, 1);
	for (size_t i = 0; i < r.l.n; i++)
		assert_int_equal(r.l.shots[i].result, LADDER_CLEAN);
	assert_int_equal(result(&r, WIRE_ROLE_SIP, LADDER_INVITE, "call-8"),
	                 LADDER_CLEAN);

	run_all(&r, &net, 1);
	assert_int_equal(
		result(&r, WIRE_ROLE_SIP, LADDER_INVITE, "second-phone"),
		LADDER_REQUEST_DROPPED);
	assert_int_equal(
		result(&r, WIRE_ROLE_SIP, LADDER_INVITE, LADDER_CALL_1),
		LADDER_CLEAN);
	assert_int_equal(
		result(&r, WIRE_ROLE_TWIN, LADDER_INVITE, "second-phone"),
		LADDER_CLEAN);
}

static void run_calls(struct run *r, const struct network *net, unsigned seed)
{
	const struct ladder_signs signs = {.is_src_5060 = true};

	*r = (struct run){.net = net, .seed = seed};
	ladder_init(&r->l, net->rtt_ns, true);
	ladder_plan_first(&r->l, true);
	fly(r);
	assert_int_equal(ladder_plan_second(&r->l, &signs), 0);
	assert_int_equal(ladder_plan_calls(&r->l, &signs), 6);
	assert_int_equal(ladder_plan_calls(&r->l, &signs), 0);
	fly(r);
	ladder_judge(&r->l);
}

static void test_a_few_calls_show_who_refuses_ports(void **state)
{
	static const struct network quiet = {.rtt_ns = 20 * NS_PER_MS};
	static const struct network lossy = {.rtt_ns = 300 * NS_PER_MS,
	                                     .loss_pct = 5};
	static const struct network net = {.rtt_ns = 20 * NS_PER_MS,
	                                   .drops_second_phone = true};
	struct run r;

	UNUSED(state);
	run_calls(&r, &quiet, 1);
	assert_int_equal(r.n_sent, r.l.n); /* no twins */
	for (unsigned seed = 1; seed <= 100; seed++) {
		run_calls(&r, &lossy, seed * 7919);
		for (size_t i = 0; i < r.l.n; i++)
			assert_int_equal(r.l.shots[i].result, LADDER_CLEAN);
	}

	run_calls(&r, &net, 1);
	for (size_t i = 0; i < r.l.n; i++) {
		const struct ladder_shot *s = &r.l.shots[i];
		bool is_lost = s->spec.how & LADDER_SECOND_PHONE &&
		               s->spec.role == WIRE_ROLE_SIP;

		assert_int_equal(s->result, is_lost ? LADDER_REQUEST_DROPPED
		                                    : LADDER_CLEAN);
	}
	assert_int_equal(
		result(&r, WIRE_ROLE_TWIN, LADDER_INVITE, "second-phone"),
		LADDER_CLEAN);
	assert_int_equal(
		result(&r, WIRE_ROLE_TWIN, LADDER_INVITE, LADDER_CALL_1),
		LADDER_UNDECIDED);
}

static void test_no_calls_where_something_was_odd(void **state)
{
	static const struct network net = {.rtt_ns = 20 * NS_PER_MS,
	                                   .edits_sip = true};
	const struct ladder_signs signs = {.is_src_5060 = true};
	struct run r;

	UNUSED(state);
	run_all(&r, &net, 1);
	assert_int_equal(ladder_plan_calls(&r.l, &signs), 0);
}

static void test_an_open_stream_is_given_time_again(void **state)
{
	const struct ladder_spec spec = {.transport = WIRE_TCP,
	                                 .role = WIRE_ROLE_SIP,
	                                 .what = LADDER_OPTIONS};
	struct ladder l;
	int shot;

	UNUSED(state);
	ladder_init(&l, 100 * NS_PER_MS, true);
	assert_int_equal(ladder_add(&l, &spec), 0);
	ladder_on_sent(&l, 0, 0);
	assert_int_equal(ladder_next(&l, &shot, 3000 * NS_PER_MS),
	                 3700 * NS_PER_MS);
	ladder_on_open(&l, 0, 900 * NS_PER_MS);
	assert_int_equal(ladder_next(&l, &shot, 3200 * NS_PER_MS),
	                 3300 * NS_PER_MS);
	/* a SYN was lost: TCP itself waits longer */
	ladder_on_open(&l, 0, 3500 * NS_PER_MS);
	assert_int_equal(ladder_next(&l, &shot, 3800 * NS_PER_MS),
	                 8900 * NS_PER_MS);
	assert_false(l.shots[0].is_closed);
	assert_int_equal(ladder_next(&l, &shot, 8900 * NS_PER_MS), INT64_MAX);
	assert_true(l.shots[0].is_closed);
}

static void test_what_never_left_was_not_dropped(void **state)
{
	static const enum ladder_what whats[] = {LADDER_OPTIONS, LADDER_INVITE,
	                                         LADDER_REGISTER};
	struct ladder_spec spec = {.transport = WIRE_TLS,
	                           .role = WIRE_ROLE_SIP};
	struct ladder l;
	int shot;

	UNUSED(state);
	ladder_init(&l, 100 * NS_PER_MS, true);
	for (int i = 0; i < (int)ARRAY_LEN(whats); i++) {
		spec.what = whats[i];
		assert_int_equal(ladder_add(&l, &spec), i);
		ladder_on_sent(&l, i, 0);
	}
	(void)ladder_next(&l, &shot, 60 * NS_PER_S);
	ladder_judge(&l);
	assert_int_equal(l.shots[1].result, LADDER_NO_ANSWER);

	ladder_on_open(&l, 0, NS_PER_S);
	ladder_on_answer(&l, 0, NS_PER_S);
	ladder_on_open(&l, 2, NS_PER_S);
	ladder_judge(&l);
	assert_int_equal(l.shots[1].result, LADDER_NOT_CONNECTED);
	assert_int_equal(l.shots[2].result, LADDER_NO_ANSWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean_network_is_clean_and_cheap),
		cmocka_unit_test(test_loss_changes_no_verdict),
		cmocka_unit_test(test_drop_needs_its_twin),
		cmocka_unit_test(test_loss_is_not_a_drop),
		cmocka_unit_test(test_what_never_left_was_not_dropped),
		cmocka_unit_test(test_blocked_port_is_not_a_drop),
		cmocka_unit_test(test_lost_answer_is_told_apart),
		cmocka_unit_test(test_oddity_is_narrowed_down),
		cmocka_unit_test(test_refusal_is_a_result),
		cmocka_unit_test(test_public_address_is_tried_behind_nat),
		cmocka_unit_test(test_add_is_bounded_and_unique),
		cmocka_unit_test(test_breaking_off_accuses_nobody),
		cmocka_unit_test(test_shut_udp_is_not_looked_into),
		cmocka_unit_test(test_one_word_breaks_the_silence),
		cmocka_unit_test(test_missing_ports_are_not_asked),
		cmocka_unit_test(test_provider_of_tls_alone_is_asked_by_tls),
		cmocka_unit_test(test_anomaly_earns_a_short_invite),
		cmocka_unit_test(test_what_is_odd_is_asked_of_a_new_session),
		cmocka_unit_test(test_a_moment_of_silence_accuses_nobody),
		cmocka_unit_test(test_late_answers_are_counted),
		cmocka_unit_test(test_full_asks_what_an_office_does),
		cmocka_unit_test(test_a_few_calls_show_who_refuses_ports),
		cmocka_unit_test(test_no_calls_where_something_was_odd),
		cmocka_unit_test(test_an_open_stream_is_given_time_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
