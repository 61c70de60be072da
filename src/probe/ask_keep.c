/* SPDX-License-Identifier: ISC */
#include "probe/ask_keep.h"

static void put(struct ask *a, struct val *map, const char *key, struct val v)
{
	if (!val_get(map, key))
		(void)val_put(&a->report->arena, &a->report->no_memory, map,
		              key, v);
}

void ask_keep(struct ask *a, const char *key, struct val v)
{
	put(a, &a->result.fields, key, v);
}

void ask_keep_bytes(struct ask *a, const char *key, struct slice bytes)
{
	ask_keep(a, key, val_bytes(report_bytes(a->report, bytes)));
}

void ask_keep_addr(struct ask *a, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT_BYTES];

	ask_keep(a, key,
	         val_text(report_text(a->report,
	                              slice_str(addr_text(addr, text)))));
}

void ask_keep_evidence(struct ask *a, const char *key, struct slice bytes)
{
	put(a, &a->result.evidence, key,
	    val_bytes(report_bytes(a->report, bytes)));
}
