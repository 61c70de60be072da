/* SPDX-License-Identifier: ISC */
/*
 * Design: values are cut, never checked. A cutter that insists on the
 * grammar would refuse exactly the damaged values that have to be shown, so
 * each one takes the first separator that counts and leaves the rest to the
 * next. CR and LF inside a value are folds and count as blanks.
 */
#include "sip/value.h"

#include <errno.h>

#include "base/text.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void sip_value_unfold(struct wr *w, struct slice value)
{
	size_t i = 0, from, end;

	while (i < value.n) {
		from = i;
		while (i < value.n && value.p[i] != '\r' && value.p[i] != '\n')
			i++;
		end = i;
		if (i < value.n) {
			while (end > from && is_blank(value.p[end - 1]))
				end--;
			while (i < value.n && is_blank(value.p[i]))
				i++;
		}
		wr_put(w, slice_sub(value, from, end - from));
		if (end < i)
			wr_str(w, " ");
	}
}

/** Where the first @p sep outside quotes and, if asked, angle brackets is;
 *  the length when there is none. */
static size_t find_sep(struct slice s, char sep, bool minds_angles)
{
	bool in_quotes = false, in_angles = false;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (in_quotes) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_quotes = false;
		} else if (c == (uint8_t)sep && !in_angles) {
			return i;
		} else if (c == '"') {
			in_quotes = true;
		} else if (minds_angles && (c == '<' || c == '>')) {
			in_angles = c == '<';
		}
	}
	return s.n;
}

static struct slice from(struct slice s, size_t at)
{
	return slice_sub(s, at, SIZE_MAX);
}

bool sip_list_next(struct slice *item, struct slice *rest)
{
	size_t n;

	if (rest->n == 0)
		return false;
	n = find_sep(*rest, ',', true);
	*item = slice_trim(slice_sub(*rest, 0, n));
	*rest = from(*rest, n + 1);
	return true;
}

bool sip_param_next(struct slice *name, struct slice *value, struct slice *rest)
{
	struct slice all;
	size_t n;

	*rest = slice_trim(*rest);
	if (rest->n && rest->p[0] == ';')
		*rest = from(*rest, 1);
	if (rest->n == 0)
		return false;
	n = find_sep(*rest, ';', false);
	all = slice_sub(*rest, 0, n);
	*rest = from(*rest, n);

	n = slice_find(all, slice_str("="));
	*name = slice_trim(slice_sub(all, 0, n));
	*value = (struct slice){0};
	if (n != SIZE_MAX) {
		/* "a=" has a value, an empty one */
		*value = (struct slice){all.p + n + 1, all.n - n - 1};
		*value = slice_trim(*value);
	}
	return true;
}

bool sip_param_find(struct slice *value, struct slice params, const char *name)
{
	struct slice n, v;

	while (sip_param_next(&n, &v, &params)) {
		if (!slice_ieq(n, slice_str(name)))
			continue;
		if (value)
			*value = v;
		return true;
	}
	return false;
}

void sip_hostport_cut(struct slice *host, struct slice *port, struct slice text)
{
	size_t colon = slice_find(text, slice_str(":"));
	size_t bracket = slice_find(text, slice_str("]"));

	if (text.n && text.p[0] == '[' && bracket != SIZE_MAX) {
		colon = slice_find(from(text, bracket), slice_str(":"));
		if (colon != SIZE_MAX)
			colon += bracket;
	} else if (colon != SIZE_MAX &&
	           slice_find(from(text, colon + 1), slice_str(":")) !=
	                   SIZE_MAX) {
		colon = SIZE_MAX; /* an IPv6 address that lost its brackets */
	}
	*host = slice_trim(slice_sub(text, 0, colon));
	*port = (struct slice){0};
	if (colon != SIZE_MAX)
		*port = slice_trim(from(text, colon + 1));
}

/** The length of "SIP / 2.0 / UDP", blanks before it included. */
static size_t protocol_len(struct slice s)
{
	unsigned n_slashes = 0;
	size_t i = 0, word;

	for (;;) {
		while (i < s.n && is_blank(s.p[i]))
			i++;
		word = i;
		while (i < s.n && !is_blank(s.p[i]) && s.p[i] != '/' &&
		       s.p[i] != ';')
			i++;
		if (i == word)
			return 0;
		if (n_slashes == 2)
			return i;
		while (i < s.n && is_blank(s.p[i]))
			i++;
		if (i == s.n || s.p[i] != '/')
			return 0;
		i++;
		n_slashes++;
	}
}

int sip_via_read(struct sip_via *v, struct slice item)
{
	size_t n = protocol_len(item);
	size_t semi = find_sep(item, ';', false);
	struct sip_via out;

	if (n == 0 || semi < n)
		return EBADMSG;
	out.protocol = slice_trim(slice_sub(item, 0, n));
	out.sent_by = slice_trim(slice_sub(item, n, semi - n));
	out.params = from(item, semi);
	sip_hostport_cut(&out.host, &out.port, out.sent_by);
	if (out.host.n == 0)
		return EBADMSG;
	*v = out;
	return 0;
}

int sip_msg_top_via(struct sip_via *v, const struct sip_msg *m)
{
	struct slice rest = sip_msg_value(m, SIP_HDR_VIA);
	struct slice item;

	if (!sip_msg_field(m, SIP_HDR_VIA, 0))
		return ENOENT;
	if (!sip_list_next(&item, &rest))
		return EBADMSG;
	return sip_via_read(v, item);
}

int sip_uri_read(struct sip_uri *u, struct slice text)
{
	size_t colon = slice_find(text, slice_str(":"));
	struct sip_uri out = {0};
	struct slice rest;
	size_t n;

	if (colon == SIZE_MAX || colon == 0)
		return EBADMSG;
	out.scheme = slice_sub(text, 0, colon);
	rest = from(text, colon + 1);

	/* "@" is escaped wherever else it may stand (section 25.1) */
	n = slice_find(rest, slice_str("@"));
	if (n != SIZE_MAX) {
		out.user = slice_sub(rest, 0, n);
		rest = from(rest, n + 1);
	}
	n = find_sep(rest, '?', false);
	out.headers = from(rest, n + 1);
	rest = slice_sub(rest, 0, n);
	n = find_sep(rest, ';', false);
	out.params = from(rest, n);
	out.hostport = slice_sub(rest, 0, n);
	sip_hostport_cut(&out.host, &out.port, out.hostport);
	if (out.host.n == 0)
		return EBADMSG;
	*u = out;
	return 0;
}

void sip_nameaddr_read(struct sip_nameaddr *a, struct slice item)
{
	size_t open = find_sep(item, '<', false);
	struct slice rest;
	size_t n;

	*a = (struct sip_nameaddr){0};
	if (open == item.n) {
		n = find_sep(item, ';', false);
		a->uri = slice_trim(slice_sub(item, 0, n));
		a->params = from(item, n);
		return;
	}
	a->display = slice_trim(slice_sub(item, 0, open));
	rest = from(item, open + 1);
	n = slice_find(rest, slice_str(">"));
	a->uri = slice_trim(slice_sub(rest, 0, n));
	if (n != SIZE_MAX)
		a->params = slice_trim(from(rest, n + 1));
}

int sip_host_addr(struct addr *a, struct slice host, struct slice port)
{
	struct addr out;
	uint64_t v = 0;

	if (addr_parse(&out, host))
		return ENOENT;
	if (port.n && text_u64(&v, port, UINT16_MAX))
		return EBADMSG;
	out.port = (uint16_t)v;
	*a = out;
	return 0;
}
