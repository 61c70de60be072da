/* SPDX-License-Identifier: ISC */
/** A row of the table of causes, and the finding it becomes; for causes.c. */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/remedies.h"

enum {
	CAUSE_BY_PLACE = 1 << 0,      /**< one finding for each place */
	CAUSE_TAKES_UNKNOWN = 1 << 1, /**< flows that could not be decided,
	                                   too */
	CAUSE_IS_GAP = 1 << 3,        /**< what calls need of it leaves the test
	                               incomplete */
	CAUSE_TAKES_REACHED = 1 << 4, /**< flows that do not fail, too; they
	                                   weigh light */
	CAUSE_HAS_SPANS = 1 << 2, /**< fifth argument: ports of the ranges */
};

struct cause {
	const char *id;
	enum finding_severity light, heavy; /* heavy: calls need a flow of it */
	enum segment segment;               /* where it is by its nature */
	enum trouble trouble;
	unsigned flags;                        /**< CAUSE_* */
	bool (*holds)(const struct flows *fs); /* NULL: it needs no more */
	bool (*takes)(const struct flows *fs, const struct flow *f);
	const char *title; /* %1$s: ports, %2$s: how many flows, %3$s: of how
	                      many, %4$s: hosts, %5$s: of the cause */
	const char *detail;
	/* fifth argument of the title; NULL: none */
	const char *(*tell)(struct flows *fs, const struct flow *f);
};

/** Say in the finding where @p f ends, or who accepts it. */
void cause_locate(struct flows *fs, struct finding *fd, const struct flow *f);

/** Append the findings of a cause that holds. */
void cause_find(struct flows *fs, const struct cause *c,
                const struct ladder *l);
