/* SPDX-License-Identifier: ISC */
/*
 * Design: values are cut into the parts that boxes rewrite (host, port,
 * parameters) and the parts compared one by one, so that the edit says what
 * a technician would say. Lists of parameters are bounded; above the bound
 * a value is compared as text, which keeps hostile input linear.
 */
#include "sip/compare.h"

#include "base/text.h"

enum {
	MAX_PARAMS = 32,
};

struct param {
	struct slice name, value;
	bool is_used;
};

struct params {
	struct param v[MAX_PARAMS];
	size_t n;
	bool has_more;
};

/** Bytes of an address, with its port and brackets. */
static bool is_addr_char(uint8_t c)
{
	uint8_t low = c | 0x20;

	return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f') ||
	       c == '.' || c == ':' || c == '[' || c == ']';
}

/** The address literal around offset @p at. */
static bool literal_at(struct addr *a, struct slice s, size_t at)
{
	size_t from = at < s.n ? at : s.n, to = from;
	struct slice word;

	while (from > 0 && is_addr_char(s.p[from - 1]))
		from--;
	while (to < s.n && is_addr_char(s.p[to]))
		to++;
	while (to > from && (s.p[to - 1] == '.' || s.p[to - 1] == ':'))
		to--;
	/* of "sip:192.0.2.1", but not of "::1" */
	if (from + 1 < to && s.p[from] == ':' && s.p[from + 1] != ':')
		from++;
	word = slice_sub(s, from, to - from);
	return addr_parse(a, word) == 0 || addr_parse_port(a, word) == 0;
}

static bool has_ip(struct slice s, const struct addr *a)
{
	char text[ADDR_TEXT_BYTES];

	return a->family != ADDR_NONE &&
	       slice_find(s, slice_str(addr_ip_text(a, text))) != SIZE_MAX;
}

/** Where letters touch an address its bounds cannot be told, unless it is
 *  known beforehand. */
static bool is_known_rewriting(const struct sip_edits *e, struct slice a,
                               struct slice b)
{
	const struct sip_diff_hint *h = e->hint;

	return h && has_ip(a, &h->local) && !has_ip(b, &h->local) &&
	       has_ip(b, &h->observed);
}

void sip_compare_text(struct sip_edits *e, struct slice a, struct slice b,
                      enum sip_edit_class cls)
{
	size_t at = sip_common_prefix(a, b);
	struct addr was, is;

	if (slice_eq(a, b))
		return;
	if (literal_at(&was, a, at) && literal_at(&is, b, at)) {
		if (!addr_ip_eq(&was, &is))
			cls = SIP_EDIT_ADDRESS_REWRITTEN;
		else if (!was.port)
			cls = SIP_EDIT_PORT_ADDED;
		else
			cls = is.port ? SIP_EDIT_PORT_REWRITTEN
			              : SIP_EDIT_PORT_REMOVED;
	} else if (is_known_rewriting(e, a, b)) {
		cls = SIP_EDIT_ADDRESS_REWRITTEN;
	}
	sip_edits_add(e, cls, a, b);
}

static bool is_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

static bool is_port(struct slice s)
{
	uint64_t v;

	return text_u64(&v, s, UINT16_MAX) == 0 && v > 0;
}

/** Name the change of a port; @p a and @p b are what is shown. */
static void compare_port(struct sip_edits *e, struct slice port_a,
                         struct slice port_b, struct slice a, struct slice b)
{
	if (slice_eq(port_a, port_b))
		return;
	if (port_b.n == 0)
		sip_edits_add(e, SIP_EDIT_PORT_REMOVED, a, b);
	else if (!is_digits(port_b))
		sip_edits_add(e, SIP_EDIT_PARAMETER_CORRUPTED, a, b);
	else if (!is_port(port_b))
		sip_edits_add(e, SIP_EDIT_PORT_OUT_OF_RANGE, a, b);
	else
		sip_edits_add(e,
		              port_a.n ? SIP_EDIT_PORT_REWRITTEN
		                       : SIP_EDIT_PORT_ADDED,
		              a, b);
}

static void compare_hostport(struct sip_edits *e, struct slice a,
                             struct slice b)
{
	struct slice host_a, host_b, port_a, port_b;

	sip_hostport_cut(&host_a, &port_a, a);
	sip_hostport_cut(&host_b, &port_b, b);
	if (!slice_ieq(host_a, host_b))
		sip_edits_add(e, SIP_EDIT_ADDRESS_REWRITTEN, a, b);
	else if (!slice_eq(host_a, host_b))
		sip_edits_add(e, SIP_EDIT_CASE_CHANGED, a, b);
	compare_port(e, port_a, port_b, a, b);
}

static void read_params(struct params *out, struct slice text)
{
	struct slice name, value;

	out->n = 0;
	out->has_more = false;
	while (sip_param_next(&name, &value, &text)) {
		if (out->n == MAX_PARAMS) {
			out->has_more = true;
			return;
		}
		out->v[out->n++] = (struct param){name, value, false};
	}
}

static struct param *find_param(struct params *p, struct slice name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->v[i].is_used && slice_ieq(p->v[i].name, name))
			return &p->v[i];
	}
	return NULL;
}

/** "name=value" as it stands in the message. */
static struct slice param_text(const struct param *p)
{
	if (!p->value.p)
		return p->name;
	return (struct slice){p->name.p,
	                      (size_t)(p->value.p + p->value.n - p->name.p)};
}

static bool is_name(const struct param *p, const char *name)
{
	return slice_ieq(p->name, slice_str(name));
}

static void compare_param(struct sip_edits *e, const struct param *a,
                          const struct param *b, bool is_reply)
{
	struct slice text_a = param_text(a), text_b = param_text(b);

	if (is_reply && (is_name(a, "rport") || is_name(a, "received")))
		return;
	if (slice_eq(text_a, text_b))
		return;
	if (is_name(a, "branch") && !slice_eq(a->value, b->value)) {
		sip_edits_add(e, SIP_EDIT_BRANCH_CHANGED, text_a, text_b);
	} else if (slice_eq(a->value, b->value)) {
		if (!is_reply)
			sip_edits_add(e, SIP_EDIT_CASE_CHANGED, text_a, text_b);
	} else {
		sip_compare_text(e, text_a, text_b, SIP_EDIT_PARAMETER_CHANGED);
	}
}

/** Is a parameter of @p a glued to its neighbour in @p whole_b? */
static bool has_lost_separator(struct params *a, struct params *b,
                               struct slice whole_b)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct param *p = &a->v[i];

		if (p->name.n && !find_param(b, p->name) &&
		    slice_find(whole_b, param_text(p)) != SIZE_MAX)
			return true;
	}
	return false;
}

/** @param whole_a, whole_b  The values that the parameters belong to.
 *  @return false when a separator was lost: nothing else can be told */
static bool compare_params(struct sip_edits *e, struct slice text_a,
                           struct slice text_b, struct slice whole_a,
                           struct slice whole_b, bool is_reply)
{
	struct params a, b;
	size_t n_before = sip_edits_count(e);

	if (slice_eq(text_a, text_b))
		return true;
	read_params(&a, text_a);
	read_params(&b, text_b);
	if (a.has_more || b.has_more) {
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, whole_a, whole_b);
		return true;
	}
	if (has_lost_separator(&a, &b, whole_b)) {
		sip_edits_add(e, SIP_EDIT_PARAMETER_CORRUPTED, whole_a,
		              whole_b);
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		struct param *p = find_param(&b, a.v[i].name);

		if (p) {
			p->is_used = true;
			compare_param(e, &a.v[i], p, is_reply);
		} else {
			sip_edits_add(e, SIP_EDIT_PARAMETER_REMOVED,
			              param_text(&a.v[i]), (struct slice){0});
		}
	}
	for (size_t i = 0; i < b.n; i++) {
		bool is_legal = is_reply && (is_name(&b.v[i], "received") ||
		                             is_name(&b.v[i], "rport"));

		if (!b.v[i].is_used && !is_legal)
			sip_edits_add(e, SIP_EDIT_PARAMETER_ADDED,
			              (struct slice){0}, param_text(&b.v[i]));
	}
	if (sip_edits_count(e) == n_before && !is_reply)
		sip_edits_add(e, SIP_EDIT_PARAMETER_CHANGED, whole_a, whole_b);
	return true;
}

/** Without blanks; as much as a protocol name needs. */
static bool is_same_protocol(struct slice a, struct slice b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.n && a.p[i] <= ' ')
			i++;
		while (j < b.n && b.p[j] <= ' ')
			j++;
		if (i == a.n || j == b.n)
			return i == a.n && j == b.n;
		if (!slice_ieq(slice_sub(a, i++, 1), slice_sub(b, j++, 1)))
			return false;
	}
}

void sip_compare_via(struct sip_edits *e, struct slice a, struct slice b,
                     bool is_reply)
{
	struct sip_via was, is;

	if (sip_via_read(&was, a)) {
		sip_compare_text(e, a, b, SIP_EDIT_VALUE_CHANGED);
		return;
	}
	if (sip_via_read(&is, b)) {
		sip_edits_add(e, SIP_EDIT_UNPARSABLE, a, b);
		return;
	}
	if (!is_same_protocol(was.protocol, is.protocol))
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, was.protocol,
		              is.protocol);
	if (!compare_params(e, was.params, is.params, a, b, is_reply))
		return;
	if (!is_reply || !slice_ieq(was.sent_by, is.sent_by))
		compare_hostport(e, was.sent_by, is.sent_by);
}

void sip_compare_uri(struct sip_edits *e, struct slice a, struct slice b)
{
	struct sip_uri was, is;

	if (slice_eq(a, b))
		return;
	if (sip_uri_read(&was, a)) {
		sip_compare_text(e, a, b, SIP_EDIT_VALUE_CHANGED);
		return;
	}
	if (sip_uri_read(&is, b)) {
		sip_edits_add(e, SIP_EDIT_UNPARSABLE, a, b);
		return;
	}
	if (!slice_ieq(was.scheme, is.scheme) ||
	    !slice_eq(was.headers, is.headers))
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, a, b);
	else if (!slice_eq(was.scheme, is.scheme))
		sip_edits_add(e, SIP_EDIT_CASE_CHANGED, a, b);
	if (!slice_eq(was.user, is.user))
		sip_compare_text(e, a, b, SIP_EDIT_VALUE_CHANGED);
	if (compare_params(e, was.params, is.params, a, b, false))
		compare_hostport(e, was.hostport, is.hostport);
}

void sip_compare_nameaddr(struct sip_edits *e, struct slice a, struct slice b)
{
	struct sip_nameaddr was, is;

	sip_nameaddr_read(&was, a);
	sip_nameaddr_read(&is, b);
	if (!slice_eq(was.display, is.display))
		sip_edits_add(e, SIP_EDIT_VALUE_CHANGED, a, b);
	/* what was lost inside the brackets shows in the whole value only */
	if (!compare_params(e, was.params, is.params, a, b, false))
		return;
	sip_compare_uri(e, was.uri, is.uri);
}

void sip_compare_auth(struct sip_edits *e, struct slice a, struct slice b)
{
	struct slice rest_a = a, rest_b = b, item_a, item_b;
	size_t n_before = sip_edits_count(e);

	while (sip_list_next(&item_a, &rest_a)) {
		if (!sip_list_next(&item_b, &rest_b)) {
			sip_edits_add(e, SIP_EDIT_PARAMETER_REMOVED, item_a,
			              (struct slice){0});
			continue;
		}
		sip_compare_text(e, item_a, item_b, SIP_EDIT_PARAMETER_CHANGED);
	}
	while (sip_list_next(&item_b, &rest_b))
		sip_edits_add(e, SIP_EDIT_PARAMETER_ADDED, (struct slice){0},
		              item_b);
	if (sip_edits_count(e) == n_before && !slice_eq(a, b))
		sip_edits_add(e, SIP_EDIT_WHITESPACE_CHANGED, a, b);
}

void sip_compare_body(struct sip_edits *e, struct slice a, struct slice b)
{
	struct rd ra = rd_init(a), rb = rd_init(b);
	size_t n_before = sip_edits_count(e);
	struct slice line_a, line_b;
	bool has_a, has_b;

	sip_edits_field(e, slice_str("body"), 1);
	for (;;) {
		has_a = rd_line(&ra, &line_a);
		has_b = rd_line(&rb, &line_b);
		if (!has_a || !has_b)
			break;
		sip_compare_text(e, line_a, line_b, SIP_EDIT_BODY_CHANGED);
	}
	/* lines do not match up, or only their endings differ */
	if (has_a != has_b || sip_edits_count(e) == n_before)
		sip_edits_add(e, SIP_EDIT_BODY_CHANGED, a, b);
}
