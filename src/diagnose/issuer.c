/* SPDX-License-Identifier: ISC */
/*
 * Design: one strange certificate is a server's fault; TLS that is opened on
 * the way shows by who vouches. An edge has said so, or the profile knows
 * better, or the same stranger vouches for different hosts.
 */
#include "diagnose/issuer.h"

enum {
	ISSUER_HOSTS_MIN = 2,
};

static struct slice issuer_of(const struct flow *f)
{
	return f->cert ? val_get_text(&f->cert->fields, "issuer")
	               : (struct slice){0};
}

bool issuer_is_untrusted(const struct flow *f)
{
	return f->end == FLOW_BAD_TLS && (flow_has_fault(f, "untrusted") ||
	                                  flow_has_fault(f, "self-signed"));
}

static bool has_flag(const struct flow *f, const char *key)
{
	const struct val *d = flow_detail(f);
	const struct val *v = d ? val_get(d, key) : NULL;

	return v && v->kind == VAL_BOOL && v->b;
}

bool issuer_takes_interception(const struct flows *fs, const struct flow *f)
{
	struct slice issuer = issuer_of(f);
	size_t n = 0;

	if (has_flag(f, "is_intercepted"))
		return true;
	if (issuer_is_untrusted(f) &&
	    val_get(&f->cert->fields, "is_other_issuer"))
		return true;
	if (!issuer_is_untrusted(f) || issuer.n == 0)
		return false;
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];
		bool is_new = issuer_is_untrusted(g) &&
		              slice_eq(issuer_of(g), issuer);

		for (size_t k = 0; is_new && k < i; k++)
			is_new = !slice_eq(fs->all[k].host, g->host) ||
			         !issuer_is_untrusted(&fs->all[k]);
		n += is_new && !slice_eq(g->address, f->address);
	}
	return n >= ISSUER_HOSTS_MIN;
}

const char *issuer_tell(struct flows *fs, const struct flow *f)
{
	return report_text(fs->report, issuer_of(f));
}

bool issuer_takes_untrusted(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return issuer_is_untrusted(f);
}
