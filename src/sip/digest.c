/* SPDX-License-Identifier: ISC */
/*
 * Design: values are hashed and echoed as they came, without unescaping:
 * RFC 7616 takes off the quotes and no more, and what is echoed has to be
 * what was sent. Folds become one blank on both ways.
 */
#include "sip/digest.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "sip/value.h"

static const struct algorithm {
	const char *name;
	const char *digest; /* OpenSSL's name */
	bool is_session;
} algorithms[] = {
	[SIP_DIGEST_MD5] = {"MD5", "MD5", false},
	[SIP_DIGEST_MD5_SESS] = {"MD5-sess", "MD5", true},
	[SIP_DIGEST_SHA256] = {"SHA-256", "SHA2-256", false},
	[SIP_DIGEST_SHA256_SESS] = {"SHA-256-sess", "SHA2-256", true},
	[SIP_DIGEST_SHA512_256] = {"SHA-512-256", "SHA2-512/256", false},
	[SIP_DIGEST_SHA512_256_SESS] = {"SHA-512-256-sess", "SHA2-512/256",
                                        true},
};

const char *sip_digest_name(enum sip_digest_algorithm a)
{
	return algorithms[a].name;
}

static struct slice unquote(struct slice s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return slice_sub(s, 1, s.n - 2);
	return s;
}

static int read_algorithm(struct sip_challenge *c, struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (slice_ieq(name, slice_str(algorithms[i].name))) {
			c->algorithm = (enum sip_digest_algorithm)i;
			return 0;
		}
	}
	return ENOTSUP;
}

static int read_qop(struct sip_challenge *c, struct slice list)
{
	struct slice item;

	while (sip_list_next(&item, &list)) {
		if (slice_ieq(item, slice_str("auth"))) {
			c->has_qop = true;
			return 0;
		}
	}
	return ENOTSUP;
}

static int read_param(struct sip_challenge *c, struct slice name,
                      struct slice value)
{
	if (slice_ieq(name, slice_str("realm")))
		c->realm = value;
	else if (slice_ieq(name, slice_str("nonce")))
		c->nonce = value;
	else if (slice_ieq(name, slice_str("opaque")))
		c->opaque = value;
	else if (slice_ieq(name, slice_str("stale")))
		c->is_stale = slice_ieq(value, slice_str("true"));
	else if (slice_ieq(name, slice_str("algorithm")))
		return read_algorithm(c, value);
	else if (slice_ieq(name, slice_str("qop")))
		return read_qop(c, value);
	return 0;
}

int sip_challenge_read(struct sip_challenge *c, struct slice value)
{
	const struct slice scheme = slice_str("Digest");
	struct slice rest = slice_sub(value, scheme.n, SIZE_MAX), item;
	struct sip_challenge out = {.algorithm = SIP_DIGEST_MD5};

	if (!slice_ieq(slice_sub(value, 0, scheme.n), scheme) || rest.n == 0 ||
	    slice_trim(rest).n == rest.n)
		return ENOTSUP;
	while (sip_list_next(&item, &rest)) {
		size_t at = slice_find(item, slice_str("="));
		int err;

		if (at == SIZE_MAX) {
			if (item.n)
				return EBADMSG;
			continue;
		}
		err = read_param(
			&out, slice_trim(slice_sub(item, 0, at)),
			unquote(slice_trim(slice_sub(item, at + 1, SIZE_MAX))));
		if (err)
			return err;
	}
	if (!out.realm.p || out.nonce.n == 0)
		return EBADMSG;
	*c = out;
	return 0;
}

int sip_msg_challenge(struct sip_challenge *c, const struct sip_msg *m)
{
	static const char *const names[] = {"WWW-Authenticate",
	                                    "Proxy-Authenticate"};
	int first = ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct sip_field *f;

		for (size_t n = 0;
		     (f = sip_msg_named(m, slice_str(names[i]), n)); n++) {
			int err = sip_challenge_read(c, f->value);

			if (!err) {
				c->is_proxy = i == 1;
				return 0;
			}
			if (first == ENOENT)
				first = err;
		}
	}
	return first;
}

/* Hexadecimal of the hash of what @p in holds, which is then emptied. */
static int hash(struct wr *out, const struct algorithm *a, struct wr *in)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	size_t n = 0;
	bool is_ok = !in->bad && EVP_Q_digest(NULL, a->digest, NULL, in->p,
	                                      in->n, md, &n) == 1;

	in->n = 0;
	if (!is_ok)
		return ENOMEM;
	text_hex_put(out, (struct slice){md, n});
	return 0;
}

/* A1 and A2 of section 3.4.2 and 3.4.3, hashed. */
static int hash_user(struct wr *out, const struct algorithm *a,
                     const struct sip_digest *d, struct wr *tmp)
{
	uint8_t buf[2 * EVP_MAX_MD_SIZE];
	struct wr base = wr_init(buf, sizeof(buf));
	int err;

	wr_put(tmp, d->user);
	wr_str(tmp, ":");
	sip_value_unfold(tmp, d->challenge->realm);
	wr_str(tmp, ":");
	wr_put(tmp, d->password);
	if (!a->is_session)
		return hash(out, a, tmp);
	err = hash(&base, a, tmp);
	if (err)
		return err;
	wr_put(tmp, wr_slice(&base));
	wr_str(tmp, ":");
	sip_value_unfold(tmp, d->challenge->nonce);
	wr_str(tmp, ":");
	wr_put(tmp, d->cnonce);
	return hash(out, a, tmp);
}

static int hash_request(struct wr *out, const struct algorithm *a,
                        const struct sip_digest *d, struct wr *tmp)
{
	wr_put(tmp, d->method);
	wr_str(tmp, ":");
	wr_put(tmp, d->uri);
	return hash(out, a, tmp);
}

int sip_digest_response(struct wr *w, const struct sip_digest *d)
{
	const struct algorithm *a = &algorithms[d->challenge->algorithm];
	uint8_t ha1_buf[2 * EVP_MAX_MD_SIZE], ha2_buf[2 * EVP_MAX_MD_SIZE];
	struct wr ha1 = wr_init(ha1_buf, sizeof(ha1_buf));
	struct wr ha2 = wr_init(ha2_buf, sizeof(ha2_buf));
	struct wr tmp = wr_init_heap();
	int err;

	err = hash_user(&ha1, a, d, &tmp);
	if (!err)
		err = hash_request(&ha2, a, d, &tmp);
	if (!err) {
		wr_put(&tmp, wr_slice(&ha1));
		wr_str(&tmp, ":");
		sip_value_unfold(&tmp, d->challenge->nonce);
		if (d->challenge->has_qop) {
			wr_fmt(&tmp, ":%08x:", d->nc);
			wr_put(&tmp, d->cnonce);
			wr_str(&tmp, ":auth");
		}
		wr_str(&tmp, ":");
		wr_put(&tmp, wr_slice(&ha2));
		err = hash(w, a, &tmp);
	}
	wr_fini(&tmp);
	return err || w->bad ? ENOMEM : 0;
}

static void put_quoted(struct wr *w, const char *name, struct slice value)
{
	wr_fmt(w, ", %s=\"", name);
	sip_value_unfold(w, value);
	wr_str(w, "\"");
}

/* A user may hold what a quoted string must escape. */
static void put_user(struct wr *w, struct slice user)
{
	wr_str(w, "username=\"");
	for (size_t i = 0; i < user.n; i++) {
		if (user.p[i] == '"' || user.p[i] == '\\')
			wr_str(w, "\\");
		wr_u8(w, user.p[i]);
	}
	wr_str(w, "\"");
}

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	}
	return true;
}

int sip_digest_put(struct wr *w, const struct sip_digest *d)
{
	const struct sip_challenge *c = d->challenge;
	uint8_t buf[2 * EVP_MAX_MD_SIZE];
	struct wr response = wr_init(buf, sizeof(buf));
	int err;

	if (!is_printable(d->user) || !is_printable(d->uri) ||
	    !is_printable(d->cnonce))
		return EINVAL;
	err = sip_digest_response(&response, d);
	if (err)
		return err;
	wr_str(w, c->is_proxy ? "Proxy-Authorization: Digest "
	                      : "Authorization: Digest ");
	put_user(w, d->user);
	put_quoted(w, "realm", c->realm);
	put_quoted(w, "nonce", c->nonce);
	put_quoted(w, "uri", d->uri);
	put_quoted(w, "response", wr_slice(&response));
	wr_fmt(w, ", algorithm=%s", sip_digest_name(c->algorithm));
	if (c->opaque.p)
		put_quoted(w, "opaque", c->opaque);
	if (c->has_qop || algorithms[c->algorithm].is_session)
		put_quoted(w, "cnonce", d->cnonce);
	if (c->has_qop)
		wr_fmt(w, ", qop=auth, nc=%08x", d->nc);
	wr_str(w, "\r\n");
	return w->bad ? ENOMEM : 0;
}
