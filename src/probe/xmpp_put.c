/* SPDX-License-Identifier: ISC */
#include "probe/xmpp_put.h"

#include "probe/ask_keep.h"

static void put_text(struct ask *a, const char *key, const char *text)
{
	if (*text)
		ask_keep(a, key,
		         val_text(report_text(a->report, slice_str(text))));
}

void xmpp_put_said(struct ask *a, const struct xmpp_said *said)
{
	struct report *r = a->report;
	struct val *list;

	put_text(a, "from", said->from);
	put_text(a, "stream_id", said->id);
	put_text(a, "version", said->version);
	put_text(a, "condition", said->condition);
	if (!said->has_features)
		return;
	list = val_put(&r->arena, &r->no_memory, &a->result.fields,
	               "mechanisms", val_list());
	for (size_t i = 0; i < said->n_mechanisms; i++)
		(void)val_put(&r->arena, &r->no_memory, list, NULL,
		              val_text(report_text(
				      r, slice_str(said->mechanisms[i]))));
}
