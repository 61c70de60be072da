/* SPDX-License-Identifier: ISC */
/**
 * The name of a service record, "_sips._tcp.example.com" (RFC 2782), and what
 * its labels say.
 *
 * Pure.
 */
#pragma once

#include "base/cursor.h"

/** Borrows from the name. */
struct profile_service {
	struct slice service;   /**< "_sips" */
	struct slice transport; /**< "_tcp" */
	const char *domain;     /**< "example.com" */
};

/** @return false: not two labels that start with '_', and a domain; @p out
 *          is then untouched */
bool profile_service_read(struct profile_service *out, const char *name);

/** What the label lets a row say: PROFILE_UDP... */
unsigned profile_service_transports(const struct profile_service *s);

/** As NAPTR calls it (RFC 3263 section 4.1, RFC 7118): "SIPS+D2T"; NULL: it
 *  has no such record. */
const char *profile_service_naptr(const struct profile_service *s);
