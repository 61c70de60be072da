/* SPDX-License-Identifier: ISC */
#include "sip/edit.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum sip_edit_severity severity;
} classes[SIP_EDIT_CLASSES] = {
#define CLASS(id, name, severity) [SIP_EDIT_##id] = {name, SIP_EDIT_##severity}
	CLASS(ADDRESS_REWRITTEN, "address-rewritten", REWRITE),
	CLASS(PORT_REWRITTEN, "port-rewritten", REWRITE),
	CLASS(PORT_ADDED, "port-added", REWRITE),
	CLASS(PORT_REMOVED, "port-removed", REWRITE),
	CLASS(PORT_OUT_OF_RANGE, "port-out-of-range", CORRUPTION),
	CLASS(PARAMETER_ADDED, "parameter-added", REWRITE),
	CLASS(PARAMETER_REMOVED, "parameter-removed", REWRITE),
	CLASS(PARAMETER_CHANGED, "parameter-changed", REWRITE),
	CLASS(PARAMETER_CORRUPTED, "parameter-corrupted", CORRUPTION),
	CLASS(LENGTH_WRONG, "length-wrong", CORRUPTION),
	CLASS(LENGTH_UPDATED, "length-updated", REWRITE),
	CLASS(HEADER_ADDED, "header-added", REWRITE),
	CLASS(HEADER_REMOVED, "header-removed", REWRITE),
	CLASS(HEADER_REORDERED, "header-reordered", COSMETIC),
	CLASS(HEADER_MERGED, "header-merged", CORRUPTION),
	CLASS(CASE_CHANGED, "case-changed", COSMETIC),
	CLASS(WHITESPACE_CHANGED, "whitespace-changed", COSMETIC),
	CLASS(FOLD_CHANGED, "fold-changed", COSMETIC),
	CLASS(NAME_FORM_CHANGED, "name-form-changed", COSMETIC),
	CLASS(LINE_ENDING_CHANGED, "line-ending-changed", CORRUPTION),
	CLASS(HOP_COUNT_CHANGED, "hop-count-changed", REWRITE),
	CLASS(BRANCH_CHANGED, "branch-changed", REWRITE),
	CLASS(VIA_ADDED, "via-added", REWRITE),
	CLASS(RECORD_ROUTE_ADDED, "record-route-added", REWRITE),
	CLASS(VALUE_CHANGED, "value-changed", REWRITE),
	CLASS(BODY_CHANGED, "body-changed", REWRITE),
	CLASS(SDP_LINE_ADDED, "sdp-line-added", REWRITE),
	CLASS(SDP_LINE_REMOVED, "sdp-line-removed", REWRITE),
	CLASS(START_LINE_CHANGED, "start-line-changed", REWRITE),
	CLASS(TRUNCATED, "truncated", CORRUPTION),
	CLASS(APPENDED, "appended", CORRUPTION),
	CLASS(UNPARSABLE, "unparsable", CORRUPTION),
#undef CLASS
};

const char *sip_edit_class_name(enum sip_edit_class cls)
{
	return classes[cls].name;
}

enum sip_edit_severity sip_edit_severity(enum sip_edit_class cls)
{
	return classes[cls].severity;
}

bool sip_edit_is_corruption(enum sip_edit_class cls)
{
	return classes[cls].severity == SIP_EDIT_CORRUPTION;
}

size_t sip_common_prefix(struct slice a, struct slice b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

void sip_edits_field(struct sip_edits *e, struct slice name, size_t nth)
{
	enum {
		INDEX_BYTES = 8, /**< "[65535]" */
	};
	size_t n = 0;

	while (n < name.n && n < sizeof(e->field) - INDEX_BYTES - 1) {
		uint8_t c = name.p[n];

		if (c <= ' ' || c >= 0x7f)
			c = '?';
		e->field[n++] = (char)c;
	}
	e->field[n] = '\0';
	if (nth > 1)
		(void)snprintf(e->field + n, INDEX_BYTES + 1, "[%u]",
		               (unsigned)(nth & 0xffff));
}

void sip_edits_add(struct sip_edits *e, enum sip_edit_class cls,
                   struct slice before, struct slice after)
{
	struct sip_diff *d = e->d;
	struct sip_edit *edit;

	if (d->n == SIP_DIFF_MAX_EDITS) {
		d->n_more++;
		return;
	}
	edit = &d->edits[d->n++];
	*edit = (struct sip_edit){.cls = cls, .before = before, .after = after};
	memcpy(edit->field, e->field, sizeof(edit->field));
	edit->at = e->anchor;
	if (before.p)
		edit->at = (size_t)(before.p - e->sent.p) +
		           sip_common_prefix(before, after);
}

size_t sip_edits_count(const struct sip_edits *e)
{
	return e->d->n + e->d->n_more;
}

void sip_edits_sort(struct sip_edits *e)
{
	struct sip_edit *v = e->d->edits;

	for (size_t i = 1; i < e->d->n; i++) {
		struct sip_edit x = v[i];
		size_t j = i;

		for (; j > 0 && v[j - 1].at > x.at; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}
