/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "wire/control.h"

static struct slice body(const struct wr *w, enum wire_frame_type type)
{
	struct rd r = rd_init(wr_slice(w));
	uint32_t n;

	assert_false(w->bad);
	assert_int_equal(rd_u8(&r), type);
	(void)rd_u8(&r);
	n = rd_u32(&r);
	assert_int_equal(n, r.left);
	return rd_take(&r, r.left);
}

/* Every prefix of a body of fixed size is refused, and so is a longer one. */
#define ASSERT_FIXED(decode, got, in)                                  \
	do {                                                           \
		struct slice part_ = (in);                             \
                                                                       \
		assert_int_equal(decode(got, part_), 0);               \
		part_.n++;                                             \
		assert_int_equal(decode(got, part_), EBADMSG);         \
		part_.n--;                                             \
		while (part_.n-- > 0)                                  \
			assert_int_equal(decode(got, part_), EBADMSG); \
	} while (0)

static void test_open_and_session(void **state)
{
	struct wire_open o = {.session = "sessioni"}, o_got;
	struct wire_session s = {
		.token = {.expiry_s = 4, .mac = "macmacmacma"},
		.wall_ns = -5,
		.limits = {1, 2, 3, 4, 5},
		.services = {.n = 1, .at = {{WIRE_TLS, WIRE_ROLE_SIP, 5061}}},
	};
	struct wire_session s_got;
	uint8_t buf[256] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_open_put(&w, &o);
	ASSERT_FIXED(wire_open_decode, &o_got, body(&w, WIRE_OPEN));
	assert_memory_equal(&o, &o_got, sizeof(o));

	w = wr_init(buf, sizeof(buf));
	wire_session_put(&w, &s);
	ASSERT_FIXED(wire_session_decode, &s_got, body(&w, WIRE_SESSION));
	assert_memory_equal(&s.token, &s_got.token, sizeof(s.token));
	assert_memory_equal(&s.limits, &s_got.limits, sizeof(s.limits));
	assert_true(s.wall_ns == s_got.wall_ns);
	assert_int_equal(s_got.services.at[0].port, 5061);
}

static void assert_same_seen(const struct wire_seen *a,
                             const struct wire_seen *b)
{
	assert_int_equal(a->shot, b->shot);
	assert_int_equal(a->n_msgs, b->n_msgs);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->transport, b->transport);
	assert_int_equal(a->local_port, b->local_port);
	assert_true(addr_eq(&a->source, &b->source));
	assert_int_equal(a->ttl, b->ttl);
	assert_true(a->first_wall_ns == b->first_wall_ns);
	assert_int_equal(a->n_bytes, b->n_bytes);
	assert_memory_equal(a->sha256, b->sha256, sizeof(a->sha256));
	assert_int_equal(a->answer_bytes, b->answer_bytes);
	assert_memory_equal(a->answer_sha256, b->answer_sha256,
	                    sizeof(a->answer_sha256));
}

static void test_seen_pages(void **state)
{
	struct wire_seen seen[WIRE_SEEN_PAGE + 1] = {0};
	struct wire_seen got[WIRE_SEEN_PAGE];
	struct wr w = wr_init_heap();
	struct slice in;
	size_t n = 999;

	UNUSED(state);
	for (size_t i = 0; i < WIRE_SEEN_PAGE; i++) {
		seen[i].shot = (uint16_t)i;
		seen[i].n_msgs = 3;
		seen[i].flags = WIRE_SEEN_PROVEN;
		seen[i].transport = WIRE_TCP;
		seen[i].local_port = 5080;
		seen[i].ttl = 64;
		seen[i].first_wall_ns = 123;
		seen[i].n_bytes = 400;
		seen[i].answer_bytes = 500;
		memset(seen[i].sha256, 1, sizeof(seen[i].sha256));
		memset(seen[i].answer_sha256, 2, sizeof(seen[i].sha256));
	}
	wire_seen_put(&w, seen, WIRE_SEEN_PAGE, true);
	assert_int_equal(w.p[1], WIRE_FRAME_MORE);
	in = body(&w, WIRE_SEEN);
	assert_int_equal(wire_seen_decode(got, &n, in), 0);
	assert_int_equal(n, WIRE_SEEN_PAGE);
	for (size_t i = 0; i < n; i++)
		assert_same_seen(&got[i], &seen[i]);
	in.n--;
	assert_int_equal(wire_seen_decode(got, &n, in), EBADMSG);
	wr_fini(&w);

	w = wr_init_heap();
	wire_seen_put(&w, seen, 0, false);
	assert_int_equal(wire_seen_decode(got, &n, body(&w, WIRE_SEEN)), 0);
	assert_int_equal(n, 0);
	wire_seen_put(&w, seen, WIRE_SEEN_PAGE + 1, false);
	assert_true(w.bad);
	wr_fini(&w);
}

static void test_fetch_and_copy(void **state)
{
	struct wire_fetch f = {.shot = 9, .which = WIRE_ANSWER}, f_got;
	struct wire_copy c = {
		.shot = 9,
		.which = WIRE_REQUEST,
		.bytes = BYTES("bytes"),
	};
	struct wire_copy c_got;
	uint8_t buf[64] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_fetch_put(&w, &f);
	ASSERT_FIXED(wire_fetch_decode, &f_got, body(&w, WIRE_FETCH));
	assert_int_equal(f_got.which, WIRE_ANSWER);
	buf[8] = 3;
	assert_int_equal(wire_fetch_decode(&f_got, body(&w, WIRE_FETCH)),
	                 EBADMSG);

	w = wr_init(buf, sizeof(buf));
	wire_copy_put(&w, &c);
	assert_int_equal(wire_copy_decode(&c_got, body(&w, WIRE_COPY)), 0);
	assert_true(slice_eq(c_got.bytes, c.bytes));
}

static void test_send_shoot_sent_error(void **state)
{
	struct wire_send s = {1, 2, 3, 7, BYTES("bytes")}, s_got;
	struct wire_shoot h = {1, 2, 5060, 46000, 3, 9, BYTES("bytes")}, h_got;
	struct wire_sent t = {1, EACCES, 5060, 77}, t_got;
	struct wire_error e = {WIRE_SEND, EPROTO}, e_got;
	uint8_t buf[64] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	wire_send_put(&w, &s);
	assert_int_equal(wire_send_decode(&s_got, body(&w, WIRE_SEND)), 0);
	assert_true(slice_eq(s_got.bytes, s.bytes));
	assert_int_equal(s_got.delay_ms, 3);
	assert_int_equal(s_got.ttl, 7);

	w = wr_init(buf, sizeof(buf));
	wire_shoot_put(&w, &h);
	assert_int_equal(wire_shoot_decode(&h_got, body(&w, WIRE_SHOOT)), 0);
	assert_int_equal(h_got.from_port, 5060);
	assert_int_equal(h_got.to_port, 46000);
	assert_int_equal(h_got.ttl, 9);

	w = wr_init(buf, sizeof(buf));
	wire_sent_put(&w, &t);
	ASSERT_FIXED(wire_sent_decode, &t_got, body(&w, WIRE_SENT));
	assert_int_equal(t_got.err, EACCES);

	w = wr_init(buf, sizeof(buf));
	wire_error_put(&w, &e);
	ASSERT_FIXED(wire_error_decode, &e_got, body(&w, WIRE_ERROR));
	assert_int_equal(e_got.about, WIRE_SEND);
}

static void test_died(void **state)
{
	static const uint8_t big[WIRE_QUOTE_MAX_BYTES + 1];
	struct addr router = {.family = ADDR_IP4, .ip = {203, 0, 113, 1}};
	struct wire_died d = {0x205, router, BYTES("quote")}, got = {.shot = 9};
	uint8_t buf[WIRE_QUOTE_MAX_BYTES + 64] = {0};
	struct wr w = wr_init(buf, sizeof(buf));
	struct slice whole;

	UNUSED(state);
	wire_died_put(&w, &d);
	whole = body(&w, WIRE_DIED);
	for (size_t n = 0; n < whole.n - d.quote.n; n++)
		assert_int_equal(wire_died_decode(&got, slice_sub(whole, 0, n)),
		                 EBADMSG);
	assert_int_equal(got.shot, 9);
	assert_int_equal(wire_died_decode(&got, whole), 0);
	assert_int_equal(got.shot, d.shot);
	assert_true(addr_eq(&got.offender, &router));
	assert_true(slice_eq(got.quote, d.quote));

	w = wr_init(buf, sizeof(buf));
	d.quote = (struct slice){big, sizeof(big)};
	wire_died_put(&w, &d);
	assert_int_equal(wire_died_decode(&got, body(&w, WIRE_DIED)), EBADMSG);
}

static void test_shoot_rejects_out_of_bounds(void **state)
{
	static const uint8_t big[WIRE_SHOOT_MAX_BYTES + 1];
	struct wire_shoot h = {
		.to_port = 1,
		.bytes = {big, WIRE_SHOOT_MAX_BYTES},
	};
	struct wire_shoot got;
	struct wr w = wr_init_heap();

	UNUSED(state);
	wire_shoot_put(&w, &h);
	assert_int_equal(wire_shoot_decode(&got, body(&w, WIRE_SHOOT)), 0);
	wr_fini(&w);

	h.bytes.n++;
	w = wr_init_heap();
	wire_shoot_put(&w, &h);
	assert_int_equal(wire_shoot_decode(&got, body(&w, WIRE_SHOOT)),
	                 EBADMSG);
	wr_fini(&w);

	h.bytes.n = 1;
	h.to_port = 0;
	w = wr_init_heap();
	wire_shoot_put(&w, &h);
	assert_int_equal(wire_shoot_decode(&got, body(&w, WIRE_SHOOT)),
	                 EBADMSG);
	wr_fini(&w);

	h.from_port = 5060;
	w = wr_init_heap();
	wire_shoot_put(&w, &h);
	assert_int_equal(wire_shoot_decode(&got, body(&w, WIRE_SHOOT)), 0);
	assert_int_equal(got.to_port, 0);
	wr_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_and_session),
		cmocka_unit_test(test_seen_pages),
		cmocka_unit_test(test_fetch_and_copy),
		cmocka_unit_test(test_send_shoot_sent_error),
		cmocka_unit_test(test_died),
		cmocka_unit_test(test_shoot_rejects_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
