/* SPDX-License-Identifier: ISC */
/** What the tests of all dialects do with texts of boxes. */
#pragma once

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/audit.h"

struct read {
	struct arena arena;
	struct fw_rules rules;
	struct diag dg;
	int err;
};

static inline void open_as(struct read *r, const char *dialect,
                           struct slice text)
{
	arena_init(&r->arena);
	fw_rules_init(&r->rules);
	diag_init(&r->dg, &r->arena, "box", text);
	r->err = fw_dialect_find(dialect)->parse(&r->rules, text, &r->dg);
}

static inline void done(struct read *r)
{
	fw_rules_fini(&r->rules);
	arena_fini(&r->arena);
}

/** @param name  Below the source's root. @return valid until the next call */
static inline char *load(const char *name)
{
	static char buf[1 << 16];
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("PRUMO_SOURCE_ROOT"),
	               name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s", path);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	(void)fclose(f);
	return buf;
}

/** PRUMO_GOLDEN_WRITE=1 takes what is written today as right. */
static inline void save(const char *name, struct slice text)
{
	char path[512];
	FILE *f;

	if (!getenv("PRUMO_GOLDEN_WRITE"))
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", getenv("PRUMO_SOURCE_ROOT"),
	               name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	(void)fclose(f);
}
