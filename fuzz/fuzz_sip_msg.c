/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>

#include "sip/sdp.h"
#include "sip/value.h"

/* Laid end to end, the parts are the message. */
static void check_parts(const struct sip_msg *m)
{
	size_t n = m->start_raw.n;

	for (size_t i = 0; i < m->n_fields; i++)
		n += m->fields[i].raw.n;
	n += m->blank.n + m->body.n;
	if (n > m->raw.n || (n < m->raw.n && m->n_more == 0))
		abort();
}

static void read_values(struct slice value)
{
	struct wr w = wr_init_heap();
	struct slice rest = value, item, name, v;
	struct sip_nameaddr na;
	struct sip_via via;
	struct sip_uri uri;
	struct addr a;

	sip_value_unfold(&w, value);
	if (w.n > value.n)
		abort();
	wr_fini(&w);
	while (sip_list_next(&item, &rest)) {
		struct slice params;

		(void)!sip_via_read(&via, item);
		sip_nameaddr_read(&na, item);
		if (sip_uri_read(&uri, na.uri) == 0)
			(void)!sip_host_addr(&a, uri.host, uri.port);
		params = na.params;
		while (sip_param_next(&name, &v, &params))
			;
	}
}

static void read_stream(struct slice in)
{
	while (in.n) {
		size_t n = 0;
		enum sip_frame f = sip_stream_len(&n, in);

		if (f == SIP_FRAME_MORE || f == SIP_FRAME_BAD)
			return;
		if (n == 0 || n > in.n)
			abort();
		in = slice_sub(in, n, SIZE_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_msg m;
	static struct sip_sdp s;
	struct slice in = {data, size};
	struct sip_via via;
	struct addr a;

	sip_msg_read(&m, in);
	check_parts(&m);
	for (size_t i = 0; i < m.n_fields; i++)
		read_values(m.fields[i].value);
	(void)!sip_msg_top_via(&via, &m);
	if (sip_msg_declared_body(&m).n > m.body.n)
		abort();
	sip_sdp_read(&s, m.body);
	sip_sdp_read(&s, in);
	for (size_t i = 0; i < s.n_media; i++)
		(void)!sip_sdp_media_addr(&a, &s, &s.media[i]);
	read_stream(in);
	return 0;
}
