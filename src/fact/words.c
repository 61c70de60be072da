/* SPDX-License-Identifier: ISC */
/*
 * Design: not printf, because the format comes from a translator's file and
 * the arguments from the network; here neither can reach anything else.
 */
#include "fact/words.h"

const char *words_english(const char *msgid)
{
	return msgid;
}

/* The index of the argument in "1$s", or -1. */
static int arg_index(const char *p)
{
	if (p[0] < '1' || p[0] > '0' + WORDS_MAX_ARGS || p[1] != '$' ||
	    p[2] != 's')
		return -1;
	return p[0] - '1';
}

void words_put(struct wr *w, const struct words *ws,
               words_translate_fn *translate)
{
	const char *p;

	if (!ws->msgid)
		return;
	for (p = translate(ws->msgid); *p; p++) {
		int i;

		if (*p != '%') {
			wr_u8(w, (uint8_t)*p);
			continue;
		}
		i = arg_index(p + 1);
		if (i >= 0) {
			wr_str(w, ws->args[i]);
			p += 3;
		} else if (p[1] == '%') {
			wr_u8(w, '%');
			p++;
		} else {
			wr_u8(w, '%');
		}
	}
}
