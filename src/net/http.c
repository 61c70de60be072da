/* SPDX-License-Identifier: ISC */
/*
 * Design: one connection, one request, and the bytes of the answer kept whole
 * up to a bound, because they are evidence. libre's HTTP client resolves the
 * name by itself and hides the connection, which is most of what is asked for
 * here.
 */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/http_host.h"

enum {
	RAW_MAX_BYTES = NET_HTTP_HEAD_BYTES + 2 * NET_HTTP_BODY_BYTES,
	STATUS_FINAL = 200, /* below: interim, another one follows */
};

struct net_http {
	struct net_stream *stream;
	struct wr request, raw, body;
	size_t skip; /* interim answers, in raw */
	int64_t sent_ns, first_byte_ns;
	bool is_done;
	const struct net_http_ops *ops;
	void *arg;
};

static void finish(struct net_http *h, const struct net_http_msg *m, int err,
                   bool is_whole)
{
	struct slice raw = slice_sub(wr_slice(&h->raw), h->skip, SIZE_MAX);
	struct net_http_answer a = {
		.msg = m,
		.err = err,
		.is_body_whole = is_whole,
		.first_byte_ns = h->first_byte_ns,
	};

	if (h->is_done)
		return;
	h->is_done = true;
	net_stream_set_ops(h->stream, NULL, NULL);
	if (m) {
		a.head = slice_sub(raw, 0, m->head_bytes);
		a.body = wr_slice(&h->body);
	} else {
		a.raw = raw;
	}
	h->ops->on_answer(h->arg, &a);
}

/* @param over  no more will come, for the reason @p err */
static void look(struct net_http *h, bool over, int err)
{
	struct slice raw = slice_sub(wr_slice(&h->raw), h->skip, SIZE_MAX);
	struct net_http_msg m;
	int bad = net_http_decode(&m, raw);

	while (bad == 0 && m.status < STATUS_FINAL) {
		h->skip += m.head_bytes;
		raw = slice_sub(raw, m.head_bytes, SIZE_MAX);
		bad = net_http_decode(&m, raw);
	}
	if (bad == EAGAIN) {
		if (over)
			finish(h, NULL, err ? err : ECONNRESET, false);
		return;
	}
	if (bad) {
		finish(h, NULL, bad, false);
		return;
	}
	wr_fini(&h->body);
	bad = net_http_body(&h->body, &m,
	                    slice_sub(raw, m.head_bytes, SIZE_MAX), over);
	if (bad != EAGAIN || h->raw.n >= RAW_MAX_BYTES)
		finish(h, &m, 0, bad == 0 && h->body.n < NET_HTTP_BODY_BYTES);
}

static void on_open(void *arg)
{
	struct net_http *h = arg;

	if (h->ops->on_open)
		h->ops->on_open(h->arg);
	h->sent_ns = clock_mono_ns();
	/* when it fails, on_close tells */
	(void)!net_stream_send(h->stream, wr_slice(&h->request));
}

static void on_data(void *arg, struct slice bytes)
{
	struct net_http *h = arg;

	if (!h->first_byte_ns)
		h->first_byte_ns = clock_mono_ns() - h->sent_ns;
	wr_put(&h->raw, bytes);
	if (h->raw.bad)
		finish(h, NULL, ENOMEM, false);
	else
		look(h, false, 0);
}

static void on_close(void *arg, int err)
{
	look(arg, true, err);
}

static void put_request(struct wr *w, const struct net_http_conf *c,
                        const struct addr *to, bool is_tls)
{
	wr_fmt(w, "GET %s HTTP/1.1\r\nHost: ", c->target ? c->target : "/");
	net_http_host_put(w, c->host, to->port, is_tls);
	/* what a cache changes is to be seen, and nothing compressed */
	wr_str(w, "\r\nUser-Agent: prumo\r\nAccept: */*\r\n"
	          "Accept-Encoding: identity\r\nCache-Control: no-cache\r\n"
	          "Connection: close\r\n\r\n");
}

int net_http_get(struct net_http **hp, const struct addr *to,
                 struct net_tls *tls, const struct net_http_conf *conf,
                 const struct net_http_ops *ops, void *arg)
{
	static const struct net_stream_ops stream_ops = {on_open, on_data,
	                                                 on_close};
	struct net_http *h;
	int err = 0;

	if (!net_http_is_word(conf->host) ||
	    (conf->target && !net_http_is_word(conf->target)))
		return EINVAL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return ENOMEM;
	h->ops = ops;
	h->arg = arg;
	h->request = wr_init_heap();
	h->raw = wr_init_heap();
	h->body = wr_init_heap();
	put_request(&h->request, conf, to, tls != NULL);
	if (h->request.bad)
		err = ENOMEM;
	if (!err)
		err = net_stream_connect_as(&h->stream, to, tls, &conf->stream,
		                            &stream_ops, h);
	if (err)
		net_http_free(h);
	else
		*hp = h;
	return err;
}

const struct net_stream *net_http_stream(const struct net_http *h)
{
	return h->stream;
}

void net_http_free(struct net_http *h)
{
	if (!h)
		return;
	net_stream_free(h->stream);
	wr_fini(&h->request);
	wr_fini(&h->raw);
	wr_fini(&h->body);
	free(h);
}
