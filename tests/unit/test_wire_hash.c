/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <string.h>

#include "base/text.h"
#include "wire/hash.h"

static void assert_hex(const uint8_t *digest, const char *want)
{
	char hex[2 * WIRE_SHA256_BYTES + 1] = {0};
	struct wr w = wr_init(hex, sizeof(hex) - 1);

	text_hex_put(&w, (struct slice){digest, WIRE_SHA256_BYTES});
	assert_string_equal(hex, want);
}

/* FIPS 180-4's example and the empty message. */
static void test_sha256_known_answers(void **state)
{
	uint8_t digest[WIRE_SHA256_BYTES];

	UNUSED(state);
	wire_sha256(digest, slice_str("abc"));
	assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223"
	                   "b00361a396177a9cb410ff61f20015ad");
	wire_sha256(digest, (struct slice){0});
	assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb924"
	                   "27ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, section 4.2 and 4.3: a short key is one padded with zeros. */
static void test_hmac_known_answers(void **state)
{
	uint8_t key[WIRE_SECRET_BYTES] = {0}, mac[WIRE_SHA256_BYTES];

	UNUSED(state);
	memset(key, 0x0b, 20);
	wire_hmac_sha256(mac, key, slice_str("Hi There"));
	assert_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b"
	                "881dc200c9833da726e9376c2e32cff7");
	memset(key, 0, sizeof(key));
	memcpy(key, "Jefe", 4);
	wire_hmac_sha256(mac, key, slice_str("what do ya want for nothing?"));
	assert_hex(mac, "5bdcc146bf60754e6a042426089575c7"
	                "5a003f089d2739839dec58b964ec3843");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_known_answers),
		cmocka_unit_test(test_hmac_known_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
