/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/ntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now_ns = INT64_C(1767225600) * NS_PER_S;
	struct rd r = rd_init((struct slice){data, size});
	struct ntp_answer a;
	uint64_t cookie;

	(void)rd_take(&r, 24);
	cookie = rd_u64(&r);
	if (ntp_decode(&a, (struct slice){data, size}, cookie, now_ns,
	               now_ns + NS_PER_MS))
		return 0;
	if (size < NTP_BYTES || strlen(a.kiss) > 4 ||
	    a.stratum > NTP_STRATUM_MAX + 1)
		abort();
	return 0;
}
