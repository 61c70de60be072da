/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "wire/dgram.h"

static void test_hello_has_one_length(void **state)
{
	struct wire_hello h = {.session = "sessioni", .nonce = "noncenon"};
	struct wire_hello got = {0};
	uint8_t buf[WIRE_HELLO_BYTES + 1] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_hello_put(&w, &h);
	assert_int_equal(w.n, WIRE_HELLO_BYTES);
	for (size_t n = 0; n <= sizeof(buf); n++) {
		int want = n == WIRE_HELLO_BYTES ? 0 : EBADMSG;

		assert_int_equal(
			wire_hello_decode(&got, (struct slice){buf, n}), want);
	}
	assert_memory_equal(&got, &h, sizeof(h));
}

static void test_welcome_never_outgrows_hello(void **state)
{
	struct wire_welcome h = {
		.nonce = "noncenon",
		.wall_ns = 5,
		.services = {.n = WIRE_MAX_SERVICES},
	};
	struct wire_welcome got;
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));
	struct slice in;

	UNUSED(state);
	assert_int_equal(
		addr_parse_port(&h.source, slice_str("[2001:db8::1]:9")), 0);
	for (size_t i = 0; i < WIRE_MAX_SERVICES; i++)
		h.services.at[i] =
			(struct wire_service){WIRE_TCP, WIRE_ROLE_STUN, 3478};
	wire_welcome_put(&w, &h);
	in = wr_slice(&w);
	assert_true(in.n <= WIRE_HELLO_BYTES);
	assert_int_equal(wire_welcome_decode(&got, in), 0);
	assert_true(addr_eq(&got.source, &h.source));
	assert_int_equal(got.services.n, WIRE_MAX_SERVICES);
	assert_int_equal(got.services.at[15].port, 3478);
	while (in.n-- > 0)
		assert_int_equal(wire_welcome_decode(&got, in), EBADMSG);
}

static void test_services_may_have_been_written_before(void **state)
{
	struct wire_welcome h = {
		.nonce = "noncenon",
		.wall_ns = 5,
		.services = {2,
	                     {{WIRE_UDP, WIRE_ROLE_SIP, 5060},
	                      {WIRE_TLS, WIRE_ROLE_CONTROL, 10443}}},
	};
	uint8_t all[512], again[512], services[WIRE_SERVICES_MAX_BYTES];
	struct wr w = wr_init(all, sizeof(all));
	struct wr s = wr_init(services, sizeof(services));
	struct wr v = wr_init(again, sizeof(again));

	UNUSED(state);
	wire_welcome_put(&w, &h);
	wire_services_put(&s, &h.services);
	h.services = (struct wire_services){0};
	wire_welcome_put_with(&v, &h, wr_slice(&s));
	assert_false(w.bad || s.bad || v.bad);
	assert_true(slice_eq(wr_slice(&w), wr_slice(&v)));
}

static void test_plain_and_probe_round_trip(void **state)
{
	struct wire_tag tag = {.session = "sessioni", .shot = 77};
	struct wire_plain p = {
		.tag = tag,
		.token = {.expiry_s = 9, .mac = "macmacmacma"},
		.payload = BYTES("any\0thing"),
	};
	struct wire_probe q = {.tag = tag, .payload = BYTES("hole")};
	struct wire_plain p_got;
	struct wire_probe q_got;
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_plain_put(&w, &p);
	assert_int_equal(wire_plain_decode(&p_got, wr_slice(&w)), 0);
	assert_memory_equal(&p_got.tag, &tag, sizeof(tag));
	assert_memory_equal(&p_got.token, &p.token, sizeof(p.token));
	assert_true(slice_eq(p_got.payload, p.payload));
	for (size_t n = 0; n < w.n - p.payload.n; n++)
		assert_int_equal(
			wire_plain_decode(&p_got, (struct slice){buf, n}),
			EBADMSG);
	assert_int_equal(wire_probe_decode(&q_got, wr_slice(&w)), EBADMSG);

	w = wr_init(buf, sizeof(buf));
	wire_probe_put(&w, &q);
	assert_int_equal(wire_probe_decode(&q_got, wr_slice(&w)), 0);
	assert_int_equal(q_got.tag.shot, 77);
	assert_true(slice_eq(q_got.payload, q.payload));
}

static void test_limited_round_trip(void **state)
{
	struct wire_limited l = {.wait_s = 300}, got = {.wait_s = 7};
	uint8_t buf[WIRE_LIMITED_BYTES + 1] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_limited_put(&w, &l);
	assert_int_equal(w.n, WIRE_LIMITED_BYTES);
	assert_true(slice_eq(slice_sub(wr_slice(&w), 0, WIRE_DGRAM_HDR_BYTES),
	                     wire_limited_head()));
	for (size_t n = 0; n <= sizeof(buf); n++) {
		int want = n == WIRE_LIMITED_BYTES ? 0 : EBADMSG;

		assert_int_equal(
			wire_limited_decode(&got, (struct slice){buf, n}),
			want);
		assert_int_equal(got.wait_s, n < WIRE_LIMITED_BYTES ? 7 : 300);
	}
}

static void test_mirror_round_trip(void **state)
{
	struct wire_mirror m = {
		.transport = WIRE_UDP,
		.full_bytes = 3,
		.bytes = BYTES("abc"),
	};
	struct wr w = wr_init_heap(), store = wr_init_heap();
	struct wire_mirror got;

	UNUSED(state);
	wire_sha256(m.sha256, m.bytes);
	wire_mirror_dgram_put(&w, &m);
	assert_int_equal(wire_mirror_dgram_decode(&got, &store, wr_slice(&w)),
	                 0);
	assert_true(slice_eq(got.bytes, m.bytes));
	w.p[4] = WIRE_WELCOME;
	assert_int_equal(wire_mirror_dgram_decode(&got, &store, wr_slice(&w)),
	                 EBADMSG);
	wr_fini(&w);
	wr_fini(&store);
}

static void test_type_rejects_what_is_not_ours(void **state)
{
	static const struct {
		const char *why;
		struct slice in;
	} cases[] = {
		{"empty", BYTES("")},
		{"short", BYTES("PRM\xf1\x01\x01\x00")},
		{"other magic", BYTES("PRM\xf2\x01\x01\x00\x00")},
		{"type 0", BYTES("PRM\xf1\x00\x01\x00\x00")},
		{"type 7", BYTES("PRM\xf1\x07\x01\x00\x00")},
		{"version 2", BYTES("PRM\xf1\x01\x02\x00\x00")},
		{"SIP", BYTES("OPTIONS sip:a SIP/2.0\r\n\r\n")},
	};
	enum wire_dgram_type type = WIRE_PROBE;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (wire_dgram_type(&type, cases[i].in) != EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
		assert_int_equal(type, WIRE_PROBE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_has_one_length),
		cmocka_unit_test(test_welcome_never_outgrows_hello),
		cmocka_unit_test(test_services_may_have_been_written_before),
		cmocka_unit_test(test_plain_and_probe_round_trip),
		cmocka_unit_test(test_limited_round_trip),
		cmocka_unit_test(test_mirror_round_trip),
		cmocka_unit_test(test_type_rejects_what_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
