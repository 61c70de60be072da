/* SPDX-License-Identifier: ISC */
/**
 * Rules made to be hard to compare, and text of any size, for
 * bench/firewall.c.
 */
#pragma once

#include "base/cursor.h"

/** Accept rules of nftables in one shape. */
struct shape {
	const char *name;
	void (*put)(struct wr *w, unsigned i, unsigned n);
};

/** Ends with a NULL name. */
extern const struct shape shapes[];

/** A whole table with @p n rules of @p s. */
void shape_make(struct wr *w, const struct shape *s, unsigned n);
