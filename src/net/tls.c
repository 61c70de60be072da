/* SPDX-License-Identifier: ISC */
/*
 * Design: OpenSSL itself rather than libre's tls module, because a probe
 * must see certificates that it does not trust, and the edge must refuse a
 * peer before the handshake costs anything.
 */
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/addr.h"
#include "net/tls_priv.h"

enum {
	MAX_SNI_BYTES = 255,
	MAX_ALPN_BYTES = 512,
	X509_V3 = 2,
	DAY_S = 24 * 60 * 60,
	VALID_DAYS = 3650,
	SERIAL_BITS = 63, /* positive and within 20 bytes, RFC 5280 4.1.2.2 */
};

/* A key with a passphrase must fail, not ask on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	UNUSED(buf);
	UNUSED(size);
	UNUSED(rwflag);
	UNUSED(arg);
	return -1;
}

static int context_alloc(struct net_tls **tp, bool is_server)
{
	struct net_tls *t = calloc(1, sizeof(*t));

	if (!t)
		return ENOMEM;
	t->is_server = is_server;
	t->ctx = SSL_CTX_new(is_server ? TLS_server_method()
	                               : TLS_client_method());
	if (!t->ctx || !SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_num_tickets(t->ctx, 0)) {
		net_tls_free(t);
		return ENOMEM;
	}
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
	/* a FIN without close_notify is the peer's end, as in plain TCP */
	(void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET |
	                                          SSL_OP_NO_RENEGOTIATION |
	                                          SSL_OP_NO_COMPRESSION |
	                                          SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(t->ctx,
	                       SSL_MODE_ENABLE_PARTIAL_WRITE |
	                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                               SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(t->ctx, no_passphrase);
	*tp = t;
	return 0;
}

int net_tls_client_alloc(struct net_tls **tp)
{
	return context_alloc(tp, false);
}

int net_tls_set_name(struct net_tls *tls, const char *host)
{
	struct addr numeric;
	char *name = NULL;

	if (tls->is_server || (host && strlen(host) > MAX_SNI_BYTES))
		return EINVAL;
	if (host && addr_parse(&numeric, slice_str(host)) != 0) {
		name = strdup(host);
		if (!name)
			return ENOMEM;
	}
	free(tls->name);
	tls->name = name;
	return 0;
}

int net_tls_set_alpn(struct net_tls *tls, const char *const *names)
{
	uint8_t list[MAX_ALPN_BYTES];
	struct wr w = wr_init(list, sizeof(list));

	if (tls->is_server)
		return EINVAL;
	for (; names && *names; names++) {
		struct slice name = slice_str(*names);

		if (name.n == 0 || name.n > UINT8_MAX)
			return EINVAL;
		wr_u8(&w, (uint8_t)name.n);
		wr_put(&w, name);
	}
	if (w.bad)
		return EINVAL;
	/* 0 is success, unlike elsewhere in OpenSSL */
	return SSL_CTX_set_alpn_protos(tls->ctx, list, (unsigned)w.n) ? ENOMEM
	                                                              : 0;
}

static int check_readable(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return errno;
	(void)fclose(f);
	return 0;
}

static int load_files(struct net_tls *t, const char *cert_file,
                      const char *key_file)
{
	int err = check_readable(cert_file);

	if (!err)
		err = check_readable(key_file);
	if (err)
		return err;
	if (SSL_CTX_use_certificate_chain_file(t->ctx, cert_file) != 1 ||
	    SSL_CTX_use_PrivateKey_file(t->ctx, key_file, SSL_FILETYPE_PEM) !=
	            1 ||
	    SSL_CTX_check_private_key(t->ctx) != 1)
		return EBADMSG;
	return 0;
}

static bool set_serial(X509 *cert)
{
	BIGNUM *n = BN_new();
	bool is_ok =
		n &&
		BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
		BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

	BN_free(n);
	return is_ok;
}

static bool self_sign(X509 *cert, EVP_PKEY *key, const char *cn)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_V3) && set_serial(cert) &&
	       /* yesterday: the peer's clock may be behind */
	       X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
	       X509_time_adj_ex(X509_getm_notAfter(cert), VALID_DAYS, 0,
	                        NULL) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	                                  (const unsigned char *)cn, -1, -1,
	                                  0) &&
	       X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
	       X509_sign(cert, key, EVP_sha256());
}

static int make_certificate(struct net_tls *t, const char *cn)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	int err = key && cert ? 0 : ENOMEM;

	if (!err && !self_sign(cert, key, cn))
		err = EINVAL;
	if (!err && (SSL_CTX_use_certificate(t->ctx, cert) != 1 ||
	             SSL_CTX_use_PrivateKey(t->ctx, key) != 1))
		err = ENOMEM;
	X509_free(cert);
	EVP_PKEY_free(key);
	return err;
}

int net_tls_server_alloc(struct net_tls **tp, const char *cert_file,
                         const char *key_file, const char *cn)
{
	struct net_tls *t = NULL;
	int err;

	if (!cert_file != !key_file || (!cert_file && (!cn || !*cn)))
		return EINVAL;
	err = context_alloc(&t, true);
	if (err)
		return err;
	if (cert_file)
		err = load_files(t, cert_file, key_file);
	else
		err = make_certificate(t, cn);
	if (err)
		net_tls_free(t);
	else
		*tp = t;
	return err;
}

void net_tls_free(struct net_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls->name);
	free(tls);
}

int net_tls_fingerprint(const struct net_tls *tls,
                        uint8_t out[NET_FINGERPRINT_BYTES])
{
	const X509 *cert = SSL_CTX_get0_certificate(tls->ctx);

	if (!cert || X509_digest(cert, EVP_sha256(), out, NULL) != 1)
		return EINVAL;
	return 0;
}

char *net_tls_issuer(const struct net_tls *tls, char *buf, size_t n_bytes)
{
	const X509 *cert = SSL_CTX_get0_certificate(tls->ctx);
	BIO *out = BIO_new(BIO_s_mem());
	int n = 0;

	if (cert && out &&
	    X509_NAME_print_ex(out, X509_get_issuer_name(cert), 0,
	                       XN_FLAG_RFC2253) >= 0)
		n = BIO_read(out, buf, (int)n_bytes - 1);
	buf[n > 0 ? n : 0] = '\0';
	BIO_free(out);
	return buf;
}
