/* SPDX-License-Identifier: ISC */
/** Certificates for the servers of a lab, right or wrong on purpose. */
#pragma once

#include "lab/service.h"

/** Who signs. Zero-initialised: nobody. */
struct lab_authority {
	void *key, *cert; /**< OpenSSL's */
};

/**
 * Make an authority and write its certificate, what clients are to trust.
 *
 * @param path  The PEM file.
 *
 * @return 0, EIO: the file cannot be written, or ENOMEM: OpenSSL refuses
 */
WARN_UNUSED int lab_authority_init(struct lab_authority *ca, const char *path);

void lab_authority_fini(struct lab_authority *ca);

/**
 * Make a certificate for @p host and write it and its key, both in PEM.
 *
 * @return as lab_authority_init()
 */
WARN_UNUSED int lab_cert_make(const struct lab_authority *ca,
                              enum lab_cert kind, const char *host,
                              const char *cert_path, const char *key_path);
