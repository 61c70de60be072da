/* SPDX-License-Identifier: ISC */
#include "lab/cert.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/cursor.h"

enum {
	X509_V3 = 2,
	SERIAL_BITS = 127,
	DAY_S = 86400,
	VALID_DAYS = 30,
	HOST_BYTES = 300,
};

static bool set_serial(X509 *cert)
{
	BIGNUM *n = BN_new();
	bool is_ok = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, 0) &&
	             BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

	BN_free(n);
	return is_ok;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool is_ok = e && X509_add_ext(cert, e, -1);

	X509_EXTENSION_free(e);
	return is_ok;
}

/* From a day before @p days, or until yesterday when they are over. */
static bool set_times(X509 *cert, bool is_expired)
{
	int first = is_expired ? -VALID_DAYS : -1;
	int last = is_expired ? -1 : VALID_DAYS;

	return X509_time_adj_ex(X509_getm_notBefore(cert), first, 0, NULL) &&
	       X509_time_adj_ex(X509_getm_notAfter(cert), last, 0, NULL);
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *cn, bool is_expired)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_V3) && set_serial(cert) &&
	       set_times(cert, is_expired) && X509_set_pubkey(cert, key) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	                                  (const unsigned char *)cn, -1, -1, 0);
}

static int pem_write(const char *path, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(path, "we");
	bool is_ok = f != NULL;

	if (is_ok && cert)
		is_ok = PEM_write_X509(f, cert) == 1;
	if (is_ok && key)
		is_ok = PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL,
		                             NULL) == 1;
	if (f && fclose(f) != 0)
		is_ok = false;
	return is_ok ? 0 : EIO;
}

int lab_authority_init(struct lab_authority *ca, const char *path)
{
	static const char name[] = "Prumo lab authority";
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	int err = ENOMEM;

	if (key && cert && fill(cert, key, name, false) &&
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) &&
	    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
	    X509_sign(cert, key, EVP_sha256()))
		err = pem_write(path, cert, NULL);
	if (err) {
		X509_free(cert);
		EVP_PKEY_free(key);
		return err;
	}
	ca->key = key;
	ca->cert = cert;
	return 0;
}

void lab_authority_fini(struct lab_authority *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	*ca = (struct lab_authority){0};
}

static bool sign(X509 *cert, EVP_PKEY *key, const struct lab_authority *ca,
                 enum lab_cert kind)
{
	bool is_own = kind == LAB_CERT_SELF_SIGNED;
	const X509 *issuer = is_own ? cert : ca->cert;

	return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) &&
	       X509_sign(cert, is_own ? key : ca->key, EVP_sha256());
}

int lab_cert_make(const struct lab_authority *ca, enum lab_cert kind,
                  const char *host, const char *cert_path, const char *key_path)
{
	const char *cn = kind == LAB_CERT_WRONG_NAME ? "wrong.test" : host;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	char names[HOST_BYTES];
	int err = ENOMEM;

	(void)snprintf(names, sizeof(names), "DNS:%s", cn);
	if (key && cert && fill(cert, key, cn, kind == LAB_CERT_EXPIRED) &&
	    add_extension(cert, NID_subject_alt_name, names) &&
	    sign(cert, key, ca, kind))
		err = pem_write(cert_path, cert, NULL);
	if (!err)
		err = pem_write(key_path, NULL, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	return err;
}
