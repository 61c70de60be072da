/* SPDX-License-Identifier: ISC */
#include "edge/ntp.h"

#include <errno.h>

#include "base/clock.h"

enum {
	MODE = 7,
	MODE_CLIENT = 3,
	MODE_SERVER = 4,
	VERSION_SHIFT = 3,
	VERSION_MIN = 1,
	VERSION_MAX = 4,
	PRECISION = 0xec, /* 2^-20 s */
	TRANSMIT_AT = 40,
	STAMP_BYTES = 8,
};

/* From 1900 to 1970, with 17 leap days. */
#define ERA_S ((INT64_C(70) * 365 + 17) * 86400)

static void put_stamp(struct wr *w, int64_t wall_ns)
{
	uint64_t ns = (uint64_t)(wall_ns % NS_PER_S);

	wr_u32(w, (uint32_t)(wall_ns / NS_PER_S + ERA_S));
	wr_u32(w, (uint32_t)((ns << 32) / NS_PER_S));
}

int edge_ntp_answer(struct wr *w, struct slice query, int64_t wall_ns)
{
	struct rd r = rd_init(query);
	unsigned first = rd_u8(&r), version = first >> VERSION_SHIFT & MODE;
	struct slice origin = slice_sub(query, TRANSMIT_AT, STAMP_BYTES);

	if (query.n < EDGE_NTP_BYTES || (first & MODE) != MODE_CLIENT ||
	    version < VERSION_MIN || version > VERSION_MAX)
		return EBADMSG;
	(void)rd_u8(&r);
	wr_u8(w, (uint8_t)(version << VERSION_SHIFT | MODE_SERVER));
	wr_u8(w, EDGE_NTP_STRATUM);
	wr_u8(w, rd_u8(&r)); /* poll: as asked */
	wr_u8(w, PRECISION);
	wr_u32(w, 0);
	wr_u32(w, 1 << 16); /* dispersion: a second, it is not known */
	wr_str(w, "LOCL");
	put_stamp(w, wall_ns);
	wr_put(w, origin);
	put_stamp(w, wall_ns);
	put_stamp(w, wall_ns);
	return 0;
}
