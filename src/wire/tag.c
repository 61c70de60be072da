/* SPDX-License-Identifier: ISC */
#include "wire/tag.h"

#include <string.h>

#include "base/text.h"
#include "wire/text.h"

enum {
	RAW_BYTES = WIRE_SESSION_BYTES + 2,
};

static const char prefix[] = "prm1";

void wire_tag_put(struct wr *w, const struct wire_tag *t)
{
	uint8_t raw[RAW_BYTES];
	struct wr r = wr_init(raw, sizeof(raw));

	wr_put(&r, (struct slice){t->session, sizeof(t->session)});
	wr_u16(&r, t->shot);
	wr_str(w, prefix);
	text_hex_put(w, wr_slice(&r));
}

bool wire_tag_find(struct wire_tag *t, struct slice bytes)
{
	uint8_t raw[RAW_BYTES];
	struct rd r = rd_init((struct slice){raw, sizeof(raw)});

	if (!wire_text_find(raw, sizeof(raw), prefix, bytes))
		return false;
	memcpy(t->session, rd_take(&r, WIRE_SESSION_BYTES).p,
	       WIRE_SESSION_BYTES);
	t->shot = rd_u16(&r);
	return true;
}
