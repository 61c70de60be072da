/* SPDX-License-Identifier: ISC */
/*
 * Design: suspicion is cheap and proof is not. A connection that opens much
 * sooner than anything is answered by UDP, or that breaks off after it has
 * opened, may have been opened by a box on the way; a busy machine makes the
 * same times. So these are only followed, at rising TTL beside a flow by UDP,
 * and what that counts decides (where_near_judge()). A clean network costs
 * nothing.
 */
#include "probe/reach.h"

#include "base/clock.h"
#include "base/i18n.h"
#include "probe/near.h"

/* The shortest way to any server and back; 0: not known */
static int64_t far_ns(const struct reach *r)
{
	int64_t least = 0;

	for (size_t i = 0; i < r->n_asks; i++) {
		const struct reach_ask *a = r->asks[i];
		int64_t ns = a->result.rtt_ns;

		if (a->stage == REACH_OVER && reach_is_udp(a) && ns > 0 &&
		    (least == 0 || ns < least))
			least = ns;
	}
	return least;
}

bool reach_is_early(const struct reach *r, const struct reach_ask *a)
{
	int64_t near = a->result.rtt_ns, far = far_ns(r);

	return a->stage == REACH_OVER && !reach_is_udp(a) &&
	       !reach_is_range(a) && a->result.layer >= ASK_LAYER_CONNECT &&
	       near > 0 && far / NEAR_RATIO >= near &&
	       far - near >= NEAR_MARGIN_MS * NS_PER_MS;
}

const struct fact *reach_near_of(const struct reach *r,
                                 const struct reach_ask *a)
{
	for (size_t i = 0; i < r->n_traces; i++) {
		const struct reach_trace *t = &r->traces[i];
		const struct reach_ask *b = r->asks[t->ask];
		bool is_alike = reach_is_early(r, a) ||
		                (!reach_has_passed(&a->result) &&
		                 a->result.end == b->result.end);

		if (t->near &&
		    (a == b || (is_alike && !reach_is_udp(a) &&
		                a->result.layer >= ASK_LAYER_CONNECT &&
		                a->target.addr.port == b->target.addr.port)))
			return t->near;
	}
	return NULL;
}

static struct fact *put_near(struct reach *r, const struct reach_trace *t)
{
	const struct reach_ask *a = r->asks[t->ask];
	const struct where_near *n = &t->result.near;
	char buf[ADDR_TEXT_BYTES];
	struct fact *f =
		report_fact(r->report, "path.accepts", FACT_WARN,
	                    report_fmt(r->report, "tcp/%s",
	                               addr_text(&a->target.addr, buf)));

	reach_field(r, f, "dst_port", val_int(a->target.addr.port));
	reach_field(r, f, "basis", val_text("accepts"));
	reach_field(r, f, "hop_min", val_int(n->hop));
	reach_field(r, f, "hop_max", val_int(n->hop));
	reach_field(r, f, "is_exact", val_bool(true));
	reach_field(r, f, "server_hop_min", val_int(n->server_min));
	if (n->box.family != ADDR_NONE)
		reach_field_text(r, f, "address", addr_ip_text(&n->box, buf));
	reach_field(r, f, "segment", val_text(segment_name(n->segment)));
	f->summary = (struct words){
		N_("hop %2$s opens the connection to %1$s, and the server is "
	           "behind it"),
		{f->scope, report_fmt(r->report, "%u", n->hop)}};
	return f;
}

void reach_put_near(struct reach *r)
{
	for (size_t i = 0; i < r->n_traces; i++) {
		struct reach_trace *t = &r->traces[i];

		if (t->is_over && t->result.is_near)
			t->near = put_near(r, t);
	}
}
