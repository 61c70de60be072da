/* SPDX-License-Identifier: ISC */
/**
 * The facts about the profile's flows, read into a table.
 *
 * Borrows from the report, in whose arena it lives.
 */
#pragma once

#include "fact/fact.h"

enum flow_end {
	FLOW_UNKNOWN, /**< not known, not asked, or a word not known here */
	FLOW_REACHED,
	FLOW_OTHER,
	FLOW_SILENT,
	FLOW_REFUSED,
	FLOW_CUT,
	FLOW_BAD_TLS,
	FLOW_PARTLY,
	FLOW_LOCAL,
	FLOW_NO_ADDRESS,
};

/** One atomic flow of the profile. */
struct flow {
	const struct fact *fact; /**< flow.reached */
	enum flow_end end;
	bool is_udp, is_mixed;
	bool is_heavy; /**< calls need it */
	int64_t port, last;
	struct slice cls, host, address, error;
	const struct fact *ask;  /**< of the first question; NULL: none */
	const struct fact *stop; /**< path.stops, or path.accepts; NULL: not
	                              followed */
	bool is_accepted;        /**< `stop` is path.accepts */
	const struct fact *cert; /**< tls.certificate; NULL: none */
	const struct fact *name; /**< name.resolved; NULL: numeric */
	enum segment segment;
	bool is_by_server;       /**< refused or cut by the server itself */
	struct finding *finding; /**< that explains it; NULL: none yet */
	bool is_picked;          /**< about to be explained: cause.c's own */
};

struct flows {
	struct flow *all;
	size_t n;
	size_t n_asked, n_reached, n_failed; /**< of those */
	const struct fact **facts;           /**< by index */
	struct report *report;
};

/** @return 0, or ENOMEM: @p f is untouched */
WARN_UNUSED int flows_read(struct flows *f, struct report *r);

/** It fails, and no finding explains it yet. */
bool flow_is_open(const struct flow *f);

/** Silent, refused or cut: it dies on the way, or at the server. */
bool flow_is_lost(const struct flow *f);

/** The edge limits how often this address may ask. */
bool flow_is_limited(const struct flows *fs, const struct flow *f);

/** How long it said that one should wait, in seconds; at least 1. */
int64_t flows_wait_s(const struct flows *fs);

/** The detail map of its question; NULL: none. */
const struct val *flow_detail(const struct flow *f);

/** A fault of its certificate: "expired", "name"... */
bool flow_has_fault(const struct flow *f, const char *fault);

/** Its question was answered only at a second asking. */
bool flow_is_lossy(const struct flow *f);

/**
 * Silent by UDP behind the last router, while the server itself refuses the
 * same port by TCP: hosts send so many ICMP errors in a second, and nobody
 * listens on either.
 */
bool flow_has_stopped_twin(const struct flows *fs, const struct flow *f);
