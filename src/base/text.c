/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <errno.h>

enum {
	REPLACEMENT = 0xfffd,
};

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_hex_put(struct wr *w, struct slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		wr_u8(w, (uint8_t)hex_digits[bytes.p[i] >> 4]);
		wr_u8(w, (uint8_t)hex_digits[bytes.p[i] & 15]);
	}
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int text_hex_read(struct wr *w, struct slice text)
{
	if (text.n % 2)
		return EBADMSG;
	for (size_t i = 0; i < text.n; i += 2) {
		int hi = hex_value(text.p[i]);
		int lo = hex_value(text.p[i + 1]);

		if (hi < 0 || lo < 0)
			return EBADMSG;
		wr_u8(w, (uint8_t)(hi << 4 | lo));
	}
	return 0;
}

void text_base64_put(struct wr *w, struct slice bytes, size_t line_bytes)
{
	size_t col = 0;

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t v = (uint32_t)bytes.p[i] << 16;
		char quad[4];

		if (left > 1)
			v |= (uint32_t)bytes.p[i + 1] << 8;
		if (left > 2)
			v |= bytes.p[i + 2];
		for (int k = 0; k < 4; k++)
			quad[k] = b64_digits[v >> (18 - 6 * k) & 63];
		if (left < 3)
			quad[3] = '=';
		if (left < 2)
			quad[2] = '=';
		if (line_bytes && col + 4 > line_bytes) {
			wr_str(w, "\r\n");
			col = 0;
		}
		wr_put(w, (struct slice){(const uint8_t *)quad, 4});
		col += 4;
	}
}

/* One more than the value of a digit; a table, for branches on bytes that
 * nobody can predict are slow. */
static const uint8_t b64_values[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,
	['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12,
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
	['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
	['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

int text_base64_read(struct wr *w, struct slice text)
{
	uint8_t some[16][3], *out;
	uint32_t acc = 0;
	unsigned n_digits = 0, n_pads = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		const uint8_t c = text.p[i];
		const unsigned v = b64_values[c];

		if (v == 0) {
			if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
				continue;
			if (c != '=' || n_pads++ == 2)
				return EBADMSG;
			continue;
		}
		if (n_pads)
			return EBADMSG;
		acc = acc << 6 | (v - 1);
		if (++n_digits % 4)
			continue;
		out = some[n++];
		out[0] = (uint8_t)(acc >> 16);
		out[1] = (uint8_t)(acc >> 8);
		out[2] = (uint8_t)acc;
		if (n == ARRAY_LEN(some)) {
			wr_put(w, (struct slice){some[0], sizeof(some)});
			n = 0;
		}
	}
	wr_put(w, (struct slice){some[0], n * sizeof(some[0])});
	if ((n_digits + n_pads) % 4 || n_digits % 4 == 1)
		return EBADMSG;
	if (n_digits % 4 == 2) {
		wr_u8(w, (uint8_t)(acc >> 4));
	} else if (n_digits % 4 == 3) {
		wr_u8(w, (uint8_t)(acc >> 10));
		wr_u8(w, (uint8_t)(acc >> 2));
	}
	return 0;
}

size_t text_utf8_len(struct slice s)
{
	static const uint8_t min2[4] = {0, 0x80, 0xa0, 0x90};
	uint8_t c;
	size_t n;

	if (s.n == 0)
		return 0;
	c = s.p[0];
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, and past U+10FFFF */
	if ((c == 0xe0 || c == 0xf0) && s.p[1] < min2[n - 1])
		return 0;
	if ((c == 0xed && s.p[1] > 0x9f) || (c == 0xf4 && s.p[1] > 0x8f))
		return 0;
	return n;
}

static void escape_ascii(struct wr *w, uint8_t c)
{
	switch (c) {
	case '\\':
		wr_str(w, "\\\\");
		break;
	case '\r':
		wr_str(w, "\\r");
		break;
	case '\n':
		wr_str(w, "\\n");
		break;
	case '\t':
		wr_str(w, "\\t");
		break;
	default:
		if (c < 0x20 || c == 0x7f)
			wr_fmt(w, "\\x%02x", c);
		else
			wr_u8(w, c);
	}
}

void text_escape_put(struct wr *w, struct slice bytes)
{
	while (bytes.n) {
		size_t n = text_utf8_len(bytes);

		/* C1 controls are valid UTF-8 and steer terminals */
		if (n == 2 && bytes.p[0] == 0xc2 && bytes.p[1] < 0xa0)
			n = 0;
		if (n == 0)
			wr_fmt(w, "\\x%02x", bytes.p[0]);
		else if (n == 1)
			escape_ascii(w, bytes.p[0]);
		else
			wr_put(w, slice_sub(bytes, 0, n));
		bytes = slice_sub(bytes, n ? n : 1, SIZE_MAX);
	}
}

void text_xml_put(struct wr *w, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&':
			wr_str(w, "&amp;");
			break;
		case '<':
			wr_str(w, "&lt;");
			break;
		case '>':
			wr_str(w, "&gt;");
			break;
		case '\'':
			wr_str(w, "&apos;");
			break;
		case '"':
			wr_str(w, "&quot;");
			break;
		default:
			wr_u8(w, text.p[i]);
		}
	}
}

bool text_is_utf16(struct slice bytes)
{
	return bytes.n >= 2 && ((bytes.p[0] == 0xff && bytes.p[1] == 0xfe) ||
	                        (bytes.p[0] == 0xfe && bytes.p[1] == 0xff));
}

static void put_utf8(struct wr *w, uint32_t c)
{
	if (c < 0x80) {
		wr_u8(w, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		wr_u8(w, (uint8_t)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		wr_u8(w, (uint8_t)(0xe0 | c >> 12));
		wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	} else {
		wr_u8(w, (uint8_t)(0xf0 | c >> 18));
		wr_u8(w, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	wr_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
}

void text_utf16_put(struct wr *w, struct slice bytes)
{
	const size_t low = bytes.n && bytes.p[0] == 0xff ? 0 : 1;
	uint32_t high = 0;

	for (size_t i = 2; i + 1 < bytes.n; i += 2) {
		const uint32_t c =
			(uint32_t)bytes.p[i + 1 - low] << 8 | bytes.p[i + low];

		if (high && c >= 0xdc00 && c < 0xe000) {
			put_utf8(w, 0x10000 + ((high - 0xd800) << 10) +
			                    (c - 0xdc00));
			high = 0;
			continue;
		}
		if (high)
			put_utf8(w, REPLACEMENT);
		high = c >= 0xd800 && c < 0xdc00 ? c : 0;
		if (!high)
			put_utf8(w,
			         c >= 0xdc00 && c < 0xe000 ? REPLACEMENT : c);
	}
	if (high || bytes.n % 2)
		put_utf8(w, REPLACEMENT);
}

struct slice text_unmarked(struct slice utf8)
{
	const struct slice mark = slice_str("\xef\xbb\xbf");

	return slice_eq(slice_sub(utf8, 0, mark.n), mark)
	               ? slice_sub(utf8, mark.n, SIZE_MAX)
	               : utf8;
}

int text_u64(uint64_t *v, struct slice text, uint64_t max)
{
	uint64_t out = 0;

	if (text.n == 0)
		return EBADMSG;
	for (size_t i = 0; i < text.n; i++) {
		uint64_t digit = (uint64_t)text.p[i] - '0';

		if (text.p[i] < '0' || digit > 9)
			return EBADMSG;
		if (out > (max - digit) / 10 || digit > max)
			return EBADMSG;
		out = out * 10 + digit;
	}
	*v = out;
	return 0;
}
