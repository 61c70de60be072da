/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "oom.h"
#include "wire/mirror.h"

static const char request[] = "INVITE sip:a@192.0.2.1 SIP/2.0\r\n"
			      "Via: SIP/2.0/UDP 192.0.2.1\r\n\r\nv=0\r\n";

static struct wire_mirror sample(void)
{
	struct wire_mirror m = {
		.tag = {.session = "12345678", .shot = 3},
		.transport = WIRE_UDP,
		.local_port = 5060,
		.ttl = 61,
		.arrival_wall_ns = INT64_C(1700000000123456789),
		.full_bytes = sizeof(request) - 1,
		.bytes = BYTES(request),
	};

	assert_int_equal(
		addr_parse_port(&m.source, slice_str("192.0.2.1:1024")), 0);
	wire_sha256(m.sha256, m.bytes);
	return m;
}

static void assert_same(const struct wire_mirror *a,
                        const struct wire_mirror *b)
{
	assert_memory_equal(&a->tag, &b->tag, sizeof(a->tag));
	assert_int_equal(a->transport, b->transport);
	assert_int_equal(a->local_port, b->local_port);
	assert_true(addr_eq(&a->source, &b->source));
	assert_int_equal(a->ttl, b->ttl);
	assert_true(a->arrival_wall_ns == b->arrival_wall_ns);
	assert_int_equal(a->full_bytes, b->full_bytes);
	assert_memory_equal(a->sha256, b->sha256, sizeof(a->sha256));
	assert_int_equal(a->flags, b->flags);
	assert_true(slice_eq(a->bytes, b->bytes));
}

static void test_binary_round_trip(void **state)
{
	struct wire_mirror m = sample(), got;
	struct wr w = wr_init_heap(), store = wr_init_heap();
	struct slice in;

	UNUSED(state);
	wr_str(&store, "before");
	wire_mirror_put(&w, &m);
	in = wr_slice(&w);
	assert_int_equal(in.n, WIRE_MIRROR_HDR_BYTES + m.bytes.n);
	assert_int_equal(wire_mirror_decode(&got, &store, in), 0);
	assert_same(&got, &m);
	while (in.n-- > 0)
		assert_int_equal(wire_mirror_decode(&got, &store, in), EBADMSG);
	wr_fini(&w);
	wr_fini(&store);
}

static void test_omitted_bytes_round_trip(void **state)
{
	struct wire_mirror m = sample(), got;
	struct wr w = wr_init_heap(), store = wr_init_heap();

	UNUSED(state);
	m.flags = WIRE_MIRROR_OMITTED;
	m.bytes.n = 0;
	wire_mirror_put(&w, &m);
	assert_int_equal(wire_mirror_decode(&got, &store, wr_slice(&w)), 0);
	assert_same(&got, &m);
	wr_fini(&w);
	wr_fini(&store);
}

static void test_decode_rejects_each_damaged_byte(void **state)
{
	struct wire_mirror m = sample(), got = {.ttl = 99};
	struct wr w = wr_init_heap(), store = wr_init_heap();

	UNUSED(state);
	wire_mirror_put(&w, &m);
	for (size_t i = WIRE_MIRROR_HDR_BYTES; i < w.n; i++) {
		w.p[i] ^= 0x20;
		assert_int_equal(wire_mirror_decode(&got, &store, wr_slice(&w)),
		                 EBADMSG);
		assert_int_equal(got.ttl, 99);
		w.p[i] ^= 0x20;
	}
	wr_fini(&w);
	wr_fini(&store);
}

/* Nothing for an ALG to put its hands on. */
static void test_body_is_opaque_and_reads_back(void **state)
{
	static const char *const lures[] = {"192.0.2.1", "Via",    "v=0",
	                                    "Contact",   "INVITE", "5060"};
	struct wire_mirror m = sample(), got;
	struct wr bin = wr_init_heap(), text = wr_init_heap();
	struct wr store = wr_init_heap();

	UNUSED(state);
	wire_mirror_put(&bin, &m);
	text_base64_put(&text, wr_slice(&bin), WIRE_MIRROR_LINE_CHARS);
	for (size_t i = 0; i < ARRAY_LEN(lures); i++) {
		assert_int_equal(
			slice_find(wr_slice(&bin), slice_str(lures[i])),
			SIZE_MAX);
		assert_int_equal(
			slice_find(wr_slice(&text), slice_str(lures[i])),
			SIZE_MAX);
	}
	assert_int_equal(wire_mirror_body_decode(&got, &store, wr_slice(&text)),
	                 0);
	assert_same(&got, &m);
	assert_int_equal(wire_mirror_body_decode(&got, &store,
	                                         slice_str("*not base64*")),
	                 EBADMSG);
	wr_fini(&bin);
	wr_fini(&text);
	wr_fini(&store);
}

static void test_decode_reports_no_memory(void **state)
{
	struct wire_mirror m = sample(), got;
	struct wr bin = wr_init_heap(), text = wr_init_heap();
	unsigned long n = 0;
	int err;

	UNUSED(state);
	wire_mirror_put(&bin, &m);
	text_base64_put(&text, wr_slice(&bin), 76);
	do {
		struct wr store = wr_init_heap();

		oom_after(n++);
		err = wire_mirror_body_decode(&got, &store, wr_slice(&text));
		oom_after(OOM_NEVER);
		wr_fini(&store);
		assert_true(err == 0 || err == ENOMEM);
	} while (err);
	assert_true(n > 1);
	wr_fini(&bin);
	wr_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary_round_trip),
		cmocka_unit_test(test_omitted_bytes_round_trip),
		cmocka_unit_test(test_decode_rejects_each_damaged_byte),
		cmocka_unit_test(test_body_is_opaque_and_reads_back),
		cmocka_unit_test(test_decode_reports_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
