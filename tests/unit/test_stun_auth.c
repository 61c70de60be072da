/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "stun/auth.h"

/*
 * RFC 5769 section 2.4, sample request with long-term authentication:
 *   0006 0012  USERNAME, six katakana in UTF-8
 *   0015 001c  NONCE "f//499k954d6OL34oL9FSTvy64sA"
 *   0014 000b  REALM "example.org"
 *   0008 0014  MESSAGE-INTEGRITY of the password "TheMatrIX"
 */
#define RFC_USER                                                               \
	"\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82" \
	"\xb9"
#define RFC_NONCE "f//499k954d6OL34oL9FSTvy64sA"
static const char rfc_request[] =
	"\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0"
	"\x29\xda\x41\x2e"
	"\x00\x06\x00\x12" RFC_USER "\x00\x00"
	"\x00\x15\x00\x1c" RFC_NONCE "\x00\x14\x00\x0b"
	"example.org\x00"
	"\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71"
	"\x2e\x85\xc9\xa2\x8c\xa8\x96\x66";
static const uint8_t tid[STUN_TID_BYTES + 1] =
	"\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e";

static struct stun_key key_of(enum stun_algorithm algorithm, const char *pass)
{
	struct stun_key key;

	assert_int_equal(stun_key_make(&key, algorithm, slice_str(RFC_USER),
	                               slice_str("example.org"),
	                               slice_str(pass)),
	                 0);
	return key;
}

static void test_integrity_accepts_rfc5769_long_term(void **state)
{
	struct slice in = BYTES(rfc_request);
	struct stun_key key = key_of(STUN_ALGORITHM_MD5, "TheMatrIX");
	struct stun_key wrong = key_of(STUN_ALGORITHM_MD5, "thematrix");
	struct stun_msg m;

	UNUSED(state);
	assert_int_equal(stun_msg_decode(&m, in), 0);
	assert_int_equal(stun_msg_integrity(&m, STUN_INTEGRITY_SHA1, &key), 0);
	assert_int_equal(stun_msg_integrity(&m, STUN_INTEGRITY_SHA1, &wrong),
	                 EBADMSG);
	assert_int_equal(stun_msg_integrity(&m, STUN_INTEGRITY_SHA256, &key),
	                 ENOENT);
}

static void test_put_rebuilds_rfc5769_long_term(void **state)
{
	struct slice want = BYTES(rfc_request);
	struct stun_key key = key_of(STUN_ALGORITHM_MD5, "TheMatrIX");
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, tid);
	stun_put_attr(&w, STUN_ATTR_USERNAME, slice_str(RFC_USER));
	stun_put_attr(&w, STUN_ATTR_NONCE, slice_str(RFC_NONCE));
	stun_put_attr(&w, STUN_ATTR_REALM, slice_str("example.org"));
	stun_put_integrity(&w, STUN_INTEGRITY_SHA1, &key);
	assert_false(w.bad);
	assert_int_equal(w.n, want.n);
	assert_memory_equal(w.p, want.p, want.n);
}

static void test_integrity_survives_what_follows(void **state)
{
	struct stun_key key = key_of(STUN_ALGORITHM_SHA256, "TheMatrIX");
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));
	struct stun_msg m;

	UNUSED(state);
	assert_int_equal(key.n, 32);
	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, tid);
	stun_put_attr(&w, STUN_ATTR_USERNAME, slice_str("user"));
	stun_put_integrity(&w, STUN_INTEGRITY_SHA1, &key);
	stun_put_integrity(&w, STUN_INTEGRITY_SHA256, &key);
	stun_put_fingerprint(&w);
	assert_false(w.bad);
	assert_int_equal(stun_msg_decode(&m, wr_slice(&w)), 0);
	assert_int_equal(stun_msg_integrity(&m, STUN_INTEGRITY_SHA1, &key), 0);
	assert_int_equal(stun_msg_integrity(&m, STUN_INTEGRITY_SHA256, &key),
	                 0);
	assert_int_equal(stun_msg_fingerprint(&m), 0);

	for (size_t i = 0; i < w.n; i++) {
		buf[i] ^= 1;
		if (!stun_msg_decode(&m, wr_slice(&w)) &&
		    !stun_msg_integrity(&m, STUN_INTEGRITY_SHA1, &key) &&
		    !stun_msg_integrity(&m, STUN_INTEGRITY_SHA256, &key) &&
		    !stun_msg_fingerprint(&m))
			fail_msg("byte %zu may be changed", i);
		buf[i] ^= 1;
	}
}

static void test_put_that_does_not_fit_is_bad(void **state)
{
	struct stun_key key = key_of(STUN_ALGORITHM_MD5, "x");
	uint8_t buf[STUN_HDR_BYTES + 23];
	struct wr w = wr_init(buf, sizeof(buf));

	UNUSED(state);
	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, tid);
	stun_put_integrity(&w, STUN_INTEGRITY_SHA1, &key);
	assert_true(w.bad);
}

static void test_key_refuses_unknown_algorithm(void **state)
{
	struct stun_key key = {.n = 7};

	UNUSED(state);
	assert_int_equal(stun_key_make(&key, (enum stun_algorithm)3,
	                               slice_str("u"), slice_str("r"),
	                               slice_str("p")),
	                 ENOTSUP);
	assert_int_equal(key.n, 7);
}

/* A 401 with these attributes, and what the client makes of it. */
static int challenge(struct stun_challenge *c, uint8_t buf[512],
                     const char *realm, const char *nonce, struct slice algs)
{
	struct wr w = wr_init(buf, 512);
	struct stun_msg m;

	stun_put_head(&w, STUN_CLASS_ERROR, STUN_METHOD_BINDING, tid);
	stun_put_error(&w, 401, (struct slice){0});
	if (realm)
		stun_put_attr(&w, STUN_ATTR_REALM, slice_str(realm));
	if (nonce)
		stun_put_attr(&w, STUN_ATTR_NONCE, slice_str(nonce));
	if (algs.p)
		stun_put_attr(&w, STUN_ATTR_PASSWORD_ALGORITHMS, algs);
	assert_false(w.bad);
	assert_int_equal(stun_msg_decode(&m, wr_slice(&w)), 0);
	return stun_msg_challenge(c, &m);
}

static void test_challenge_chooses(void **state)
{
	static const struct {
		const char *why, *realm, *nonce;
		struct slice algorithms;
		int err;
		enum stun_algorithm algorithm;
		enum stun_integrity integrity;
	} cases[] = {
		{"as RFC 5389",
	         "r",
	         "n",
	         {0},
	         0,
	         STUN_ALGORITHM_MD5,
	         STUN_INTEGRITY_SHA1},
		{"no realm", NULL, "n", {0}, ENOENT, 0, 0},
		{"no nonce", "r", NULL, {0}, ENOENT, 0, 0},
		{"both", "r", "obMatJos2gAAAn", BYTES("\0\1\0\0\0\2\0\0"), 0,
	         STUN_ALGORITHM_SHA256, STUN_INTEGRITY_SHA256},
		{"both, the better first", "r", "n", BYTES("\0\2\0\0\0\1\0\0"),
	         0, STUN_ALGORITHM_SHA256, STUN_INTEGRITY_SHA256},
		{"MD5 only", "r", "n", BYTES("\0\1\0\0"), 0, STUN_ALGORITHM_MD5,
	         STUN_INTEGRITY_SHA256},
		{"parameters are skipped", "r", "n",
	         BYTES("\0\x09\0\3abc\0\0\2\0\0"), 0, STUN_ALGORITHM_SHA256,
	         STUN_INTEGRITY_SHA256},
		{"a promise kept away",
	         "r",
	         "obMatJos2gAAAn",
	         {0},
	         EPROTO,
	         0,
	         0},
		{"another promise",
	         "r",
	         "obMatJos2QAAAn",
	         {0},
	         0,
	         STUN_ALGORITHM_MD5,
	         STUN_INTEGRITY_SHA1},
		{"a cookie cut short",
	         "r",
	         "obMatJos2gA",
	         {0},
	         0,
	         STUN_ALGORITHM_MD5,
	         STUN_INTEGRITY_SHA1},
		{"none known", "r", "n", BYTES("\0\7\0\0"), ENOTSUP, 0, 0},
		{"an empty list", "r", "n", BYTES(""), ENOTSUP, 0, 0},
		{"overrun", "r", "n", BYTES("\0\2\0\5"), EBADMSG, 0, 0},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stun_challenge c = {.algorithm = 99};
		uint8_t buf[512];
		int err = challenge(&c, buf, cases[i].realm, cases[i].nonce,
		                    cases[i].algorithms);

		if (err != cases[i].err)
			fail_msg("%s: %d", cases[i].why, err);
		if (err) {
			assert_int_equal(c.algorithm, 99);
			continue;
		}
		if (c.algorithm != cases[i].algorithm ||
		    c.integrity != cases[i].integrity)
			fail_msg("%s: chosen wrongly", cases[i].why);
	}
}

static void test_credentials_answer_a_challenge(void **state)
{
	static const uint8_t algs[] = {0, 1, 0, 0, 0, 2, 0, 0};
	struct slice offered = {algs, sizeof(algs)}, val;
	uint8_t in[512], buf[512];
	struct wr w = wr_init(buf, sizeof(buf));
	struct stun_challenge c;
	struct stun_msg m;

	UNUSED(state);
	assert_int_equal(challenge(&c, in, "r", "n", offered), 0);
	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, tid);
	stun_put_credentials(&w, &c, slice_str("user"));
	assert_int_equal(stun_msg_decode(&m, wr_slice(&w)), 0);
	assert_int_equal(stun_msg_attr(&val, &m, STUN_ATTR_PASSWORD_ALGORITHMS),
	                 0);
	assert_true(slice_eq(val, offered));
	assert_int_equal(stun_msg_attr(&val, &m, STUN_ATTR_PASSWORD_ALGORITHM),
	                 0);
	assert_true(slice_eq(val, (struct slice)BYTES("\0\2\0\0")));

	assert_int_equal(challenge(&c, in, "r", "n", (struct slice){0}), 0);
	w.n = 0;
	stun_put_head(&w, STUN_CLASS_REQUEST, STUN_METHOD_BINDING, tid);
	stun_put_credentials(&w, &c, slice_str("user"));
	assert_int_equal(stun_msg_decode(&m, wr_slice(&w)), 0);
	assert_int_equal(stun_msg_attr(&val, &m, STUN_ATTR_PASSWORD_ALGORITHM),
	                 ENOENT);
	assert_int_equal(stun_msg_attr(&val, &m, STUN_ATTR_NONCE), 0);
	assert_true(slice_eq_str(val, "n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integrity_accepts_rfc5769_long_term),
		cmocka_unit_test(test_put_rebuilds_rfc5769_long_term),
		cmocka_unit_test(test_integrity_survives_what_follows),
		cmocka_unit_test(test_put_that_does_not_fit_is_bad),
		cmocka_unit_test(test_key_refuses_unknown_algorithm),
		cmocka_unit_test(test_challenge_chooses),
		cmocka_unit_test(test_credentials_answer_a_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
