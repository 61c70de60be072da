/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <errno.h>

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

static int b64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int text_base64_read(struct wr *w, struct slice text)
{
	uint32_t acc = 0;
	unsigned n_digits = 0, n_pads = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		int v = b64_value(c);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=' && n_pads < 2) {
			n_pads++;
			continue;
		}
		if (v < 0 || n_pads)
			return EBADMSG;
		acc = acc << 6 | (uint32_t)v;
		if (++n_digits % 4 == 0) {
			wr_u8(w, (uint8_t)(acc >> 16));
			wr_u8(w, (uint8_t)(acc >> 8));
			wr_u8(w, (uint8_t)acc);
		}
	}
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
