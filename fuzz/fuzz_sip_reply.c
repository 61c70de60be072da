/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "sip/canary.h"
#include "sip/reply.h"

/* A reply is one message with nothing left over, whatever was asked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_msg req, out;
	static const char tag[] = "x1";
	const struct sip_reply rp = {
		.status = 200,
		.reason = "OK",
		.observed = {ADDR_IP4, {203, 0, 113, 2}, 5060},
		.to_tag = {(const uint8_t *)tag, 2},
		.content_type = {(const uint8_t *)tag, 2},
		.body = {(const uint8_t *)tag, 2},
		.copies_record_route = true,
	};
	struct wr w = wr_init_heap();
	struct addr a;

	sip_msg_read(&req, (struct slice){data, size});
	(void)!sip_canary_sender(&a, &req);
	if (sip_reply_build(&w, &req, &rp) == 0) {
		sip_msg_read(&out, wr_slice(&w));
		if (sip_msg_status(&out) != 200 || out.body.n != 2 ||
		    out.odd & (SIP_ODD_EOL | SIP_ODD_NO_COLON) ||
		    w.n > size + 512)
			abort();
	}
	wr_fini(&w);
	return 0;
}
