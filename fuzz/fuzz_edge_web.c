/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "base/clock.h"
#include "edge/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct edge_web_conf conf = {.name = "a", .issuer = "b"};
	uint8_t buf[EDGE_WEB_ANSWER_MAX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	struct edge_web_request r;
	size_t n = 0;
	int err;

	err = edge_web_read(&r, &n, (struct slice){data, size});
	if (err)
		edge_web_refuse(&w, &conf, err, NS_PER_S);
	else
		(void)edge_web_answer(&w, &conf, &r, NS_PER_S);
	if (w.bad || n > size)
		abort();
	return 0;
}
