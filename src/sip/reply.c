/* SPDX-License-Identifier: ISC */
#include "sip/reply.h"

#include <errno.h>

#include "sip/value.h"

static void put_param(struct wr *w, struct slice name, struct slice value)
{
	wr_str(w, ";");
	sip_value_unfold(w, name);
	if (value.p) {
		wr_str(w, "=");
		sip_value_unfold(w, value);
	}
}

/** RFC 3261, 18.2.1: said wherever sent-by is not where it came from, a
 *  host name included; RFC 3581, section 4: always with rport. */
static bool wants_received(const struct sip_via *via, bool has_rport,
                           const struct addr *observed)
{
	struct slice none = {0};
	struct addr sent_by;

	if (observed->family == ADDR_NONE)
		return false;
	return has_rport || sip_host_addr(&sent_by, via->host, none) ||
	       !addr_ip_eq(&sent_by, observed);
}

static int put_top_via(struct wr *w, struct slice item,
                       const struct addr *observed)
{
	char ip[ADDR_TEXT_BYTES];
	struct slice name, value, rest;
	struct sip_via via;
	bool has_rport;

	if (sip_via_read(&via, item))
		return EBADMSG;
	has_rport = sip_param_find(NULL, via.params, "rport");
	sip_value_unfold(w, via.protocol);
	wr_str(w, " ");
	sip_value_unfold(w, via.sent_by);
	rest = via.params;
	while (sip_param_next(&name, &value, &rest)) {
		bool is_ours = slice_ieq(name, slice_str("received")) ||
		               slice_ieq(name, slice_str("rport"));

		if (observed->family == ADDR_NONE || !is_ours)
			put_param(w, name, value);
	}
	if (wants_received(&via, has_rport, observed))
		wr_fmt(w, ";received=%s", addr_ip_text(observed, ip));
	if (has_rport && observed->family != ADDR_NONE)
		wr_fmt(w, ";rport=%u", observed->port);
	return 0;
}

static int put_vias(struct wr *w, const struct sip_msg *req,
                    const struct addr *observed)
{
	const struct sip_field *f = sip_msg_field(req, SIP_HDR_VIA, 0);
	struct slice rest, item;
	int err;

	if (!f)
		return EBADMSG;
	rest = f->value;
	if (!sip_list_next(&item, &rest))
		return EBADMSG;
	wr_str(w, "Via: ");
	err = put_top_via(w, item, observed);
	if (err)
		return err;
	if (rest.n) {
		wr_str(w, ", ");
		sip_value_unfold(w, slice_trim(rest));
	}
	wr_str(w, "\r\n");
	for (size_t i = 1; (f = sip_msg_field(req, SIP_HDR_VIA, i)); i++) {
		wr_str(w, "Via: ");
		sip_value_unfold(w, f->value);
		wr_str(w, "\r\n");
	}
	return 0;
}

static void put_all(struct wr *w, const struct sip_msg *req, enum sip_hdr id)
{
	const struct sip_field *f;

	for (size_t i = 0; (f = sip_msg_field(req, id, i)); i++) {
		wr_fmt(w, "%s: ", sip_hdr_name(id));
		sip_value_unfold(w, f->value);
		wr_str(w, "\r\n");
	}
}

static int put_one(struct wr *w, const struct sip_msg *req, enum sip_hdr id,
                   struct slice tag)
{
	struct slice value = sip_msg_value(req, id);
	struct sip_nameaddr to;

	if (value.n == 0)
		return EBADMSG;
	wr_fmt(w, "%s: ", sip_hdr_name(id));
	sip_value_unfold(w, value);
	if (tag.n) {
		sip_nameaddr_read(&to, value);
		if (!sip_param_find(NULL, to.params, "tag"))
			put_param(w, slice_str("tag"), tag);
	}
	wr_str(w, "\r\n");
	return 0;
}

int sip_reply_build(struct wr *w, const struct sip_msg *req,
                    const struct sip_reply *rp)
{
	static const enum sip_hdr copied[] = {SIP_HDR_FROM, SIP_HDR_TO,
	                                      SIP_HDR_CALL_ID, SIP_HDR_CSEQ};
	struct slice none = {0};
	int err;

	wr_fmt(w, "SIP/2.0 %u %s\r\n", rp->status, rp->reason);
	err = put_vias(w, req, &rp->observed);
	if (rp->copies_record_route)
		put_all(w, req, SIP_HDR_RECORD_ROUTE);
	for (size_t i = 0; !err && i < ARRAY_LEN(copied); i++)
		err = put_one(w, req, copied[i],
		              copied[i] == SIP_HDR_TO ? rp->to_tag : none);
	if (err)
		return err;
	wr_put(w, rp->extra);
	if (rp->body.n) {
		wr_str(w, "Content-Type: ");
		wr_put(w, rp->content_type);
		wr_str(w, "\r\n");
	}
	wr_fmt(w, "Content-Length: %zu\r\n\r\n", rp->body.n);
	wr_put(w, rp->body);
	return w->bad ? EMSGSIZE : 0;
}
