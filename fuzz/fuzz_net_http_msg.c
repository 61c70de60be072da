/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>

#include "net/http.h"

/* What decodes stays the same when more comes behind it, and keeps its
 * bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct wr body = wr_init_heap();
	struct net_http_msg m, again;
	int64_t s;

	(void)!net_http_date(&s, in);
	if (net_http_decode(&m, in))
		return 0;
	if (m.head_bytes > size || m.n_headers > NET_HTTP_HEADERS_MAX ||
	    m.status < 100 || m.status > 999 ||
	    net_http_decode(&again, slice_sub(in, 0, m.head_bytes)) ||
	    again.n_headers != m.n_headers)
		abort();
	for (int over = 0; over < 2; over++) {
		int err = net_http_body(
			&body, &m, slice_sub(in, m.head_bytes, SIZE_MAX), over);

		if (body.n > NET_HTTP_BODY_BYTES || (over && err == EAGAIN))
			abort();
		wr_fini(&body);
	}
	return 0;
}
