/* SPDX-License-Identifier: ISC */
/*
 * Design: the offset is computed in nanoseconds since 1970. An era of NTP is
 * 136 years long; the one whose time lies nearest to ours is meant (RFC 5905,
 * section 6), which holds until the two clocks are 68 years apart.
 */
#include "probe/ntp.h"

#include <ctype.h>
#include <errno.h>

#include "base/clock.h"

enum {
	VERSION = 4,
	MODE_CLIENT = 3,
	MODE_SERVER = 4,
	HEAD_BYTES = 12, /* up to the reference id */
};

#define ERA_OFFSET_S INT64_C(2208988800) /* 1900 to 1970 */

void ntp_put_request(struct wr *w, uint64_t cookie)
{
	wr_u8(w, VERSION << 3 | MODE_CLIENT);
	for (size_t i = 1; i < NTP_BYTES - sizeof(cookie); i++)
		wr_u8(w, 0);
	wr_u64(w, cookie);
}

/* @param near_ns  tells the era */
static int64_t to_unix_ns(uint64_t t, int64_t near_ns)
{
	uint32_t near_s = (uint32_t)(near_ns / NS_PER_S + ERA_OFFSET_S);
	int32_t ahead_s = (int32_t)((uint32_t)(t >> 32) - near_s);
	int64_t fraction_ns =
		(int64_t)(((t & UINT32_MAX) * (uint64_t)NS_PER_S) >> 32);

	return (near_ns / NS_PER_S + ahead_s) * NS_PER_S + fraction_ns;
}

static void read_kiss(char kiss[5], struct slice id)
{
	for (size_t i = 0; i < 4; i++)
		kiss[i] = '\0';
	for (size_t i = 0; i < id.n && isalnum(id.p[i]); i++)
		kiss[i] = (char)id.p[i];
	kiss[4] = '\0';
}

int ntp_decode(struct ntp_answer *a, struct slice in, uint64_t cookie,
               int64_t sent_ns, int64_t got_ns)
{
	struct ntp_answer out = {0};
	struct rd r = rd_init(in);
	uint8_t first = rd_u8(&r);
	uint64_t origin, received, sent;
	struct slice id;

	out.leap = first >> 6;
	out.version = first >> 3 & 7;
	out.stratum = rd_u8(&r);
	(void)rd_take(&r, HEAD_BYTES - 2);
	id = rd_take(&r, 4);
	(void)rd_u64(&r);
	origin = rd_u64(&r);
	received = rd_u64(&r);
	sent = rd_u64(&r);
	if (r.bad || (first & 7) != MODE_SERVER || out.version == 0 ||
	    out.version > VERSION || out.stratum > NTP_STRATUM_MAX + 1)
		return EBADMSG;
	if (origin != cookie)
		return ENOENT;
	if (out.stratum == NTP_STRATUM_KISS) {
		read_kiss(out.kiss, id);
	} else {
		int64_t t2 = to_unix_ns(received, sent_ns);
		int64_t t3 = to_unix_ns(sent, sent_ns);

		out.offset_ns = ((t2 - sent_ns) + (t3 - got_ns)) / 2;
		out.delay_ns = (got_ns - sent_ns) - (t3 - t2);
	}
	*a = out;
	return 0;
}
