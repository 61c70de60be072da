/* SPDX-License-Identifier: ISC */
#include "probe/portal.h"

enum {
	STATUS_NEEDS_LOGIN = 511, /* RFC 6585 section 6 */
	LABELS_MAX = 3,
	SHORT_LABEL_BYTES = 3, /* com.br, co.uk: one level more */
	SHA256_CHARS = 64,
};

static bool is_any_of(unsigned status, const unsigned *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (status == all[i])
			return true;
	}
	return false;
}

struct slice portal_url_host(struct slice url)
{
	static const char *const schemes[] = {"http://", "https://", "//"};
	struct slice rest = {0};
	size_t n = 0, at;

	for (size_t i = 0; i < ARRAY_LEN(schemes) && rest.n == 0; i++) {
		struct slice scheme = slice_str(schemes[i]);

		if (slice_ieq(slice_sub(url, 0, scheme.n), scheme))
			rest = slice_sub(url, scheme.n, SIZE_MAX);
	}
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' &&
	       rest.p[n] != '#')
		n++;
	rest = slice_sub(rest, 0, n);
	at = slice_find(rest, slice_str("@"));
	if (at != SIZE_MAX)
		rest = slice_sub(rest, at + 1, SIZE_MAX);
	if (rest.n && rest.p[0] == '[')
		return slice_sub(rest, 1, slice_find(rest, slice_str("]")) - 1);
	return slice_sub(rest, 0, slice_find(rest, slice_str(":")));
}

/* Its last two labels, or three where the last but one is short. */
static struct slice domain_of(struct slice host)
{
	size_t at = host.n, end = host.n, labels = 0;

	while (at > 0 && labels < LABELS_MAX) {
		at--;
		if (at > 0 && host.p[at - 1] != '.')
			continue;
		labels++;
		if (labels == 2 && end - at > SHORT_LABEL_BYTES)
			break;
		end = at ? at - 1 : 0;
	}
	return slice_sub(host, at, SIZE_MAX);
}

bool portal_is_same_site(struct slice a, struct slice b)
{
	struct addr ip;

	if (slice_ieq(a, b))
		return true;
	if (addr_parse(&ip, a) == 0 || addr_parse(&ip, b) == 0)
		return false;
	return slice_ieq(domain_of(a), domain_of(b));
}

/* Towards a host of this site or network? */
static enum portal judge_redirect(const char **why,
                                  const struct portal_signs *s)
{
	static const unsigned temporary[] = {302, 303, 307};
	struct slice to = portal_url_host(s->location);
	struct addr ip = {0};

	if (to.n == 0 || portal_is_same_site(to, slice_str(s->host)))
		return PORTAL_NONE;
	if (addr_parse(&ip, to) == 0 && !addr_ip_eq(&ip, &s->addr) &&
	    (addr_is_private(&ip) || addr_is_cgnat(&ip)) &&
	    !addr_is_private(&s->addr)) {
		*why = "redirect-private";
		return PORTAL_SURE;
	}
	if (s->is_tls ||
	    !is_any_of(s->status, temporary, ARRAY_LEN(temporary)) ||
	    addr_ip_eq(&ip, &s->addr))
		return PORTAL_NONE;
	*why = "redirect-foreign";
	return PORTAL_LIKELY;
}

enum portal portal_judge(const char **why, const struct portal_signs *s)
{
	*why = "";
	if (s->status == STATUS_NEEDS_LOGIN) {
		*why = "status-511";
		return PORTAL_SURE;
	}
	if (slice_find(s->body, slice_str("WISPAccessGatewayParam")) !=
	    SIZE_MAX) {
		*why = "wispr";
		return PORTAL_SURE;
	}
	if (s->status < 300 || s->status >= 400)
		return PORTAL_NONE;
	return judge_redirect(why, s);
}

bool portal_edge_page(struct slice *sha256, struct slice *issuer,
                      struct slice body)
{
	struct slice hash_key = slice_str("certificate-sha256: ");
	struct slice issuer_key = slice_str("certificate-issuer: ");
	struct slice first = {0}, line = {0};
	struct rd r = rd_init(body);

	*sha256 = (struct slice){0};
	*issuer = (struct slice){0};
	if (!rd_line(&r, &first))
		return false;
	while (issuer->n == 0 && rd_line(&r, &line)) {
		if (slice_eq(slice_sub(line, 0, hash_key.n), hash_key))
			*sha256 = slice_sub(line, hash_key.n, SHA256_CHARS);
		if (slice_eq(slice_sub(line, 0, issuer_key.n), issuer_key))
			*issuer = slice_sub(line, issuer_key.n, SIZE_MAX);
	}
	return slice_eq_str(first, "prumo-edge") && sha256->n == SHA256_CHARS &&
	       issuer->n && r.left == 0;
}
