/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>

#include "oom.h"
#include "wire/stream.h"

static void put_all(struct wr *w)
{
	struct wire_open o = {.session = "sessioni"};
	struct wire_fetch f = {.shot = 5, .which = WIRE_ANSWER};

	wr_str(w, WIRE_PREFACE);
	wire_open_put(w, &o);
	wire_bare_put(w, WIRE_REPORT);
	wire_fetch_put(w, &f);
	wire_bare_put(w, WIRE_REPORT);
}

static void test_next_gives_frames_from_any_pieces(void **state)
{
	static const enum wire_frame_type want[] = {WIRE_OPEN, WIRE_REPORT,
	                                            WIRE_FETCH, WIRE_REPORT};
	struct wr w = wr_init_heap();

	UNUSED(state);
	put_all(&w);
	for (size_t step = 1; step <= w.n; step++) {
		struct wire_stream s;
		struct wire_frame f;
		size_t n = 0;

		wire_stream_init(&s, true);
		for (size_t at = 0; at < w.n; at += step) {
			int err = wire_stream_push(
				&s, slice_sub(wr_slice(&w), at, step));

			assert_int_equal(err, 0);
			while (!(err = wire_stream_next(&s, &f)))
				assert_int_equal(f.type, want[n++]);
			assert_int_equal(err, EAGAIN);
		}
		assert_int_equal(n, ARRAY_LEN(want));
		wire_stream_fini(&s);
	}
	wr_fini(&w);
}

static void test_next_rejects_malformed(void **state)
{
	static const struct {
		const char *why;
		bool wants_preface;
		struct slice in;
	} cases[] = {
		{"SIP, no preface", true, BYTES("OPT")},
		{"half a preface, then other", true, BYTES("PRMx")},
		{"frame without preface", true,
	         BYTES("\x02\x00\x00\x00\x00\x00")},
		{"type 0", false, BYTES("\x00\x00\x00\x00\x00\x00")},
		{"type 7", false, BYTES("\x07\x00\x00\x00\x00\x00")},
		{"type 0x87", false, BYTES("\x87\x00\x00\x00\x00\x00")},
		{"too long", false, BYTES("\x04\x00\x00\x01\x08\x01")},
		{"endless", false, BYTES("\x04\x00\xff\xff\xff\xff")},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_stream s;
		struct wire_frame f = {.flags = 77};

		wire_stream_init(&s, cases[i].wants_preface);
		assert_int_equal(wire_stream_push(&s, cases[i].in), 0);
		if (wire_stream_next(&s, &f) != EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
		assert_int_equal(f.flags, 77);
		wire_stream_fini(&s);
	}
}

static void test_push_reports_no_memory(void **state)
{
	struct wire_stream s;

	UNUSED(state);
	wire_stream_init(&s, false);
	oom_after(0);
	assert_int_equal(wire_stream_push(&s, slice_str("x")), ENOMEM);
	oom_after(OOM_NEVER);
	wire_stream_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_gives_frames_from_any_pieces),
		cmocka_unit_test(test_next_rejects_malformed),
		cmocka_unit_test(test_push_reports_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
