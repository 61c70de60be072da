/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/sonicos_read.h"

/* A word; blanks in it stand in quotes or behind backslashes. */
bool fw_sonic_word(struct fw_sonic_reader *r, struct slice *rest,
                   struct slice *w)
{
	struct slice s = slice_trim(*rest);
	struct wr plain;
	size_t n = 0, n_slashes = 0;

	if (s.n && (s.p[0] == '"' || s.p[0] == '\''))
		return fw_word_next(rest, w);
	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t') {
		n_slashes += s.p[n] == '\\';
		n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
	}
	if (n == 0)
		return false;
	*w = slice_sub(s, 0, n);
	*rest = slice_sub(s, n, SIZE_MAX);
	if (!n_slashes)
		return true;
	plain = wr_init(arena_alloc(&r->s->scratch, n), n);
	fw_sonic_check(r->s, plain.p);
	for (size_t i = 0; i < n && plain.p; i++) {
		if (w->p[i] != '\\')
			wr_u8(&plain, w->p[i]);
	}
	if (plain.p)
		*w = wr_slice(&plain);
	return true;
}

/* Each word of each line is asked for many of them: a look at the first
 * letter saves most of the work. @p name begins with a small letter. */
bool fw_sonic_is(struct slice w, const char *name)
{
	return w.n && (w.p[0] | 0x20) == name[0] &&
	       slice_ieq(w, slice_str(name));
}

bool fw_sonic_is_one_of(struct slice w, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fw_sonic_is(w, names[i]))
			return true;
	}
	return false;
}

bool fw_sonic_next_is(struct fw_sonic_reader *r, struct slice *rest,
                      const char *name)
{
	struct slice after = *rest, w;

	if (!fw_sonic_word(r, &after, &w) || !fw_sonic_is(w, name))
		return false;
	*rest = after;
	return true;
}

void fw_sonic_warn(struct fw_sonic_reader *r, const char *why)
{
	diag_add(r->s->dg, DIAG_WARN, r->line, "%s", why);
	fw_sonic_check(r->s, fw_kept_add(r->s->rules, r->n, r->line));
}

void fw_sonic_fault(struct fw_sonic_reader *r, const char *why)
{
	diag_add(r->s->dg, DIAG_ERROR, r->line, "%s", why);
}

/* "any", "name N", "group N", "host A", "network A M", "range A B"; what is
 * left of @p rest may go on with the next clause. */
bool fw_sonic_read_ip(struct fw_sonic_reader *r, struct slice *rest,
                      struct fw_ip *lo, struct fw_ip *hi)
{
	struct slice kind, a, b;
	struct fw_ip x, y;
	char text[128];
	struct wr w = wr_init(text, sizeof(text));

	if (!fw_sonic_word(r, rest, &kind) || !fw_sonic_word(r, rest, &a))
		return false;
	wr_put(&w, a);
	if (fw_sonic_is(kind, "network")) {
		if (!fw_sonic_word(r, rest, &b))
			return false;
		if (b.n == 0 || b.p[0] != '/')
			wr_u8(&w, '/');
		wr_put(&w, b);
	} else if (fw_sonic_is(kind, "range")) {
		if (!fw_sonic_word(r, rest, &b) || fw_ip_parse(&x, &y, b))
			return false;
		*hi = y;
		if (fw_ip_parse(lo, &x, a) || fw_ip_cmp(*lo, *hi) > 0)
			return false;
		return true;
	}
	return !w.bad && fw_ip_parse(lo, hi, wr_slice(&w)) == 0;
}

bool fw_sonic_read_side(struct fw_sonic_reader *r, struct slice *rest,
                        struct fw_sonic_side *side)
{
	struct slice after = *rest, w;

	if (!fw_sonic_word(r, &after, &w))
		return false;
	*side = (struct fw_sonic_side){.kind = FW_SONIC_ANY};
	if (fw_sonic_is(w, "any")) {
		*rest = after;
		return true;
	}
	if (fw_sonic_is(w, "name") || fw_sonic_is(w, "group")) {
		side->kind = FW_SONIC_NAME;
		*rest = after;
		return fw_sonic_word(r, rest, &side->name);
	}
	side->kind = FW_SONIC_RANGE;
	return fw_sonic_read_ip(r, rest, &side->lo, &side->hi);
}

/* "UDP 5060 5061"; @return 0, ENOENT: another protocol, or EBADMSG */
int fw_sonic_read_ports(struct fw_sonic_reader *r, struct slice *rest,
                        int *proto, uint16_t *lo, uint16_t *hi)
{
	struct slice w, a, b, after;

	if (!fw_sonic_word(r, rest, &w))
		return EBADMSG;
	if (!fw_sonic_is(w, "tcp") && !fw_sonic_is(w, "udp"))
		return ENOENT;
	*proto = fw_sonic_is(w, "tcp") ? FW_PROTO_TCP : FW_PROTO_UDP;
	if (!fw_sonic_word(r, rest, &a) || fw_port_parse(lo, a))
		return EBADMSG;
	after = *rest;
	*hi = *lo;
	if (fw_sonic_word(r, &after, &b) && b.n && b.p[0] >= '0' &&
	    b.p[0] <= '9') {
		*rest = after;
		if (fw_port_parse(hi, b) || *hi < *lo)
			return EBADMSG;
	}
	return 0;
}

int64_t fw_sonic_number(struct fw_sonic_reader *r, struct slice *rest,
                        int64_t otherwise)
{
	struct slice w = {NULL, 0};
	uint64_t v;

	if (!fw_sonic_word(r, rest, &w) || text_u64(&v, w, INT32_MAX)) {
		fw_sonic_fault(r, _("Expected a number."));
		return otherwise;
	}
	return (int64_t)v;
}
