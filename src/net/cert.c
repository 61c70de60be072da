/* SPDX-License-Identifier: ISC */
/*
 * Design: the handshake is never told to verify. Here the chain is verified
 * afterwards, with a callback that notes each fault and lets OpenSSL go on,
 * so that an expired certificate of an unknown issuer is both; and at a time
 * that the caller gives, so that "what if the clock were right" can be asked.
 *
 * The store of roots is read once: where a system has one file of them all,
 * that takes some milliseconds.
 */
#include "net/cert.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "net/stream_priv.h"

enum {
	CHAIN_MAX = 16,        /* certificates whose dates are looked at */
	TEXT_MAX_BYTES = 1024, /* of a subject or issuer */
	NAME_FLAGS = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB,
};

/* What the verify callback gathers. */
struct verdict {
	unsigned faults;
	int first; /* X509_V_ERR_*; X509_V_OK: none */
};

static int verdict_index(void)
{
	static int index = -1;

	if (index < 0)
		index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL,
		                                        NULL);
	return index;
}

static X509_STORE *roots(void)
{
	static X509_STORE *store;

	if (!store) {
		store = X509_STORE_new();
		if (store)
			(void)X509_STORE_set_default_paths(store);
		ERR_clear_error(); /* a system without roots trusts nobody */
	}
	return store;
}

static unsigned fault_of(int error)
{
	switch (error) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return NET_CERT_UNTRUSTED | NET_CERT_SELF_SIGNED;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return NET_CERT_UNTRUSTED;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return NET_CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return NET_CERT_NOT_YET;
	default:
		return NET_CERT_OTHER;
	}
}

static int on_fault(int is_ok, X509_STORE_CTX *ctx)
{
	struct verdict *v = X509_STORE_CTX_get_ex_data(ctx, verdict_index());
	int error = X509_STORE_CTX_get_error(ctx);

	if (is_ok)
		return 1;
	v->faults |= fault_of(error);
	if (v->first == X509_V_OK)
		v->first = error;
	return 1;
}

/* X.509 time to seconds since 1970. */
static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* Whatever the peer wrote, it becomes valid UTF-8. */
static const char *shown(struct arena *a, struct slice raw)
{
	uint8_t buf[TEXT_MAX_BYTES * 4];
	struct wr w = wr_init(buf, sizeof(buf));

	text_escape_put(&w, slice_sub(raw, 0, TEXT_MAX_BYTES));
	return arena_dup(a, wr_slice(&w));
}

static const char *name_text(struct arena *a, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *text = NULL;
	char *p;
	long n;

	if (!bio)
		return NULL;
	if (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) >= 0) {
		n = BIO_get_mem_data(bio, &p);
		text = shown(a, (struct slice){(const uint8_t *)p, (size_t)n});
	}
	BIO_free(bio);
	return text;
}

static const char *name_short(struct arena *a, const X509_NAME *name)
{
	static const int nids[] = {NID_organizationName, NID_commonName};

	for (size_t i = 0; i < ARRAY_LEN(nids); i++) {
		int at = X509_NAME_get_index_by_NID(name, nids[i], -1);
		const ASN1_STRING *s;

		if (at < 0)
			continue;
		s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
		return shown(a, (struct slice){ASN1_STRING_get0_data(s),
		                               (size_t)ASN1_STRING_length(s)});
	}
	return "";
}

static const char *san_text(struct arena *a, const GENERAL_NAME *g)
{
	const ASN1_STRING *s;
	struct addr ip = {0};
	char buf[ADDR_TEXT_BYTES];
	size_t n;

	if (g->type != GEN_DNS && g->type != GEN_IPADD)
		return "";
	s = g->type == GEN_DNS ? g->d.dNSName : g->d.iPAddress;
	n = (size_t)ASN1_STRING_length(s);
	if (g->type == GEN_DNS)
		return shown(a, (struct slice){ASN1_STRING_get0_data(s), n});
	if (n != 4 && n != sizeof(ip.ip))
		return "";
	ip.family = n == 4 ? ADDR_IP4 : ADDR_IP6;
	memcpy(ip.ip, ASN1_STRING_get0_data(s), n);
	return arena_dup(a, slice_str(addr_ip_text(&ip, buf)));
}

static int read_names(struct net_cert *c, struct arena *a, const X509 *cert)
{
	GENERAL_NAMES *all =
		X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const char **names;
	int err = 0;

	names = arena_alloc(a, NET_CERT_NAMES_MAX * sizeof(*names));
	if (!names)
		err = ENOMEM;
	for (int i = 0; !err && i < sk_GENERAL_NAME_num(all); i++) {
		const char *text = san_text(a, sk_GENERAL_NAME_value(all, i));

		if (!text)
			err = ENOMEM;
		else if (*text && c->n_names < NET_CERT_NAMES_MAX)
			names[c->n_names++] = text;
	}
	c->names = names;
	GENERAL_NAMES_free(all);
	return err;
}

static int read_hashes(struct net_cert *c, const X509 *cert)
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool is_ok = n > 0 &&
	             EVP_Digest(der, (size_t)n, c->key_pin, NULL, EVP_sha256(),
	                        NULL) == 1 &&
	             X509_digest(cert, EVP_sha256(), c->fingerprint, NULL) == 1;

	OPENSSL_free(der);
	return is_ok ? 0 : ENOMEM;
}

static void narrow(struct net_cert *c, const X509 *cert)
{
	int64_t from = seconds(X509_get0_notBefore(cert));
	int64_t to = seconds(X509_get0_notAfter(cert));

	if (from > c->chain_from_s)
		c->chain_from_s = from;
	if (to < c->chain_to_s)
		c->chain_to_s = to;
}

/* The chain that OpenSSL built: up to a root, or as far as it came. */
static int read_chain(struct net_cert *c, struct arena *a, X509_STORE_CTX *ctx)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int n = sk_X509_num(chain);

	for (int i = 0; i < n && i < CHAIN_MAX; i++)
		narrow(c, sk_X509_value(chain, i));
	if (n > 0)
		c->root = name_text(
			a, X509_get_subject_name(sk_X509_value(chain, n - 1)));
	return c->root ? 0 : ENOMEM;
}

static int verify(struct net_cert *c, struct arena *a, X509 *cert,
                  STACK_OF(X509) * sent, int64_t at_s)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = roots();
	struct verdict v = {.first = X509_V_OK};
	int err = ENOMEM;

	if (ctx && store && verdict_index() >= 0 &&
	    X509_STORE_CTX_init(ctx, store, cert, sent) == 1 &&
	    X509_STORE_CTX_set_ex_data(ctx, verdict_index(), &v) == 1) {
		X509_STORE_CTX_set_verify_cb(ctx, on_fault);
		X509_STORE_CTX_set_time(ctx, 0, (time_t)at_s);
		(void)X509_STORE_CTX_set_default(ctx, "ssl_server");
		if (X509_verify_cert(ctx) <= 0 && v.first == X509_V_OK) {
			v.first = X509_STORE_CTX_get_error(ctx);
			v.faults |= fault_of(v.first);
		}
		err = read_chain(c, a, ctx);
	}
	c->faults |= v.faults;
	if (v.first != X509_V_OK)
		c->why = X509_verify_cert_error_string(v.first);
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return err;
}

static void check_name(struct net_cert *c, X509 *cert, const char *host)
{
	struct addr numeric;
	struct slice ip;
	size_t n;
	bool is_same;

	if (!host)
		return;
	if (addr_parse(&numeric, slice_str(host)) == 0) {
		ip = addr_ip(&numeric);
		is_same = X509_check_ip(cert, ip.p, ip.n, 0) == 1;
	} else {
		n = strlen(host);
		if (n && host[n - 1] == '.')
			n--;
		is_same = X509_check_host(cert, host, n, 0, NULL) == 1;
	}
	if (is_same)
		return;
	c->faults |= NET_CERT_NAME;
	if (!*c->why)
		c->why = X509_verify_cert_error_string(
			X509_V_ERR_HOSTNAME_MISMATCH);
}

static int read_words(struct net_cert *c, struct arena *a, const X509 *cert)
{
	c->subject = name_text(a, X509_get_subject_name(cert));
	c->issuer = name_text(a, X509_get_issuer_name(cert));
	c->issuer_name = name_short(a, X509_get_issuer_name(cert));
	c->from_s = seconds(X509_get0_notBefore(cert));
	c->to_s = seconds(X509_get0_notAfter(cert));
	c->chain_from_s = c->from_s;
	c->chain_to_s = c->to_s;
	return c->subject && c->issuer && c->issuer_name ? 0 : ENOMEM;
}

int net_cert_read(struct net_cert *out, struct arena *a,
                  const struct net_stream *s, const char *host, int64_t at_s)
{
	SSL *ssl = net_stream_ssl(s);
	X509 *cert = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
	struct net_cert c = {.root = "", .why = ""};
	STACK_OF(X509) * sent;
	int err;

	if (!cert)
		return ENOENT;
	sent = SSL_get_peer_cert_chain(ssl);
	if (sk_X509_num(sent) > 0)
		c.n_chain = (size_t)sk_X509_num(sent);
	err = read_words(&c, a, cert);
	if (!err)
		err = read_names(&c, a, cert);
	if (!err)
		err = read_hashes(&c, cert);
	if (!err)
		err = verify(&c, a, cert, sent, at_s);
	if (!err) {
		if (X509_self_signed(cert, 0) == 1)
			c.faults |= NET_CERT_SELF_SIGNED;
		check_name(&c, cert, host);
	}
	X509_free(cert);
	if (!err)
		*out = c;
	return err;
}

int net_stream_peer_fingerprint(const struct net_stream *s, uint8_t out[32])
{
	SSL *ssl = net_stream_ssl(s);
	X509 *cert = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
	int err = 0;

	if (!cert || X509_digest(cert, EVP_sha256(), out, NULL) != 1)
		err = ENOENT;
	X509_free(cert);
	return err;
}
