/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/i18n.h"
#include "profile/rule.h"
#include "profile/slip.h"

/* A registrable domain and how many rows are in it. */
struct domain {
	struct slice name;
	size_t n_rows;
};

static struct slice domain_of(const struct profile_row *row)
{
	return profile_domain_registrable(slice_str(row->host));
}

static struct domain *find(struct domain *ds, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_ieq(ds[i].name, name))
			return &ds[i];
	}
	return NULL;
}

static size_t count_domains(const struct lint *l, struct domain *ds)
{
	size_t n = 0;

	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];
		struct domain *d;

		if (row->addr.family != ADDR_NONE)
			continue;
		d = find(ds, n, domain_of(row));
		if (!d) {
			d = &ds[n++];
			d->name = domain_of(row);
		}
		d->n_rows++;
	}
	return n;
}

static struct slice after_label(struct slice domain)
{
	return slice_sub(domain, profile_domain_label(domain).n, domain.n);
}

/* The most used domain that @p odd looks like a slip of, or NULL. */
static const struct domain *meant(const struct domain *ds, size_t n,
                                  const struct domain *odd)
{
	const struct domain *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct domain *d = &ds[i];

		if (d->n_rows > odd->n_rows &&
		    (!best || d->n_rows > best->n_rows) &&
		    slice_ieq(after_label(d->name), after_label(odd->name)) &&
		    profile_is_slip(profile_domain_label(d->name),
		                    profile_domain_label(odd->name)))
			best = d;
	}
	return best;
}

static const char *text_of(const struct lint *l, struct slice s)
{
	return report_text(l->r, s);
}

static void add_odd(const struct lint *l, const struct profile_row *row,
                    const struct domain *odd, const struct domain *right)
{
	size_t n_before = strlen(row->host) - odd->name.n;
	struct lint_fault fault = {
		.id = "profile.host-odd-domain",
		.severity = FINDING_FAIL,
		.place = row->host_place,
		.text = row->host,
	};
	const char *mended;

	mended = report_fmt(l->r, "%.*s%.*s", (int)n_before, row->host,
	                    (int)right->name.n, (const char *)right->name.p);
	fault.title = (struct words){
		N_("The domain %1$s looks like a slip of the keyboard for "
	           "%2$s, which %3$s other rows use."),
		{text_of(l, odd->name), text_of(l, right->name),
	         report_fmt(l->r, "%zu", right->n_rows)}};
	fault.detail = (struct words){
		.msgid = N_(
			"A firewall that follows the document to the letter opens "
			"a name that is not the provider's, and keeps the right "
			"one closed.")};
	fault.suggestion =
		(struct words){N_("Write %1$s, or confirm that %2$s is meant."),
	                       {mended, row->host}};
	(void)profile_rule_add(l, &fault);
}

void profile_rule_odd_domain(const struct lint *l)
{
	struct domain *ds;
	size_t n;

	ds = profile_rule_memory(l, l->p->n_rows, sizeof(*ds));
	if (!ds)
		return;
	n = count_domains(l, ds);
	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];
		const struct domain *odd, *right;

		if (row->addr.family != ADDR_NONE)
			continue;
		odd = find(ds, n, domain_of(row));
		right = odd ? meant(ds, n, odd) : NULL;
		if (right)
			add_odd(l, row, odd, right);
	}
}

/*
 * Address space from which large clouds serve many customers at addresses that
 * change without notice. A choice, not the whole of it: what their own lists
 * (goog.json, ip-ranges.json, ips-v4 and ips-v6, public-ip-list) gave for the
 * services that profiles mention, widest prefixes only.
 */
static const struct cloud {
	const char *prefix, *owner;
} clouds[] = {
	{"64.233.160.0/19", "Google"},      {"74.125.0.0/16", "Google"},
	{"108.177.0.0/17", "Google"},       {"142.250.0.0/15", "Google"},
	{"172.217.0.0/16", "Google"},       {"172.253.0.0/16", "Google"},
	{"173.194.0.0/16", "Google"},       {"209.85.128.0/17", "Google"},
	{"216.58.192.0/19", "Google"},      {"2001:4860::/32", "Google"},
	{"2404:6800::/32", "Google"},       {"2607:f8b0::/32", "Google"},
	{"2800:3f0::/32", "Google"},        {"2a00:1450::/32", "Google"},
	{"3.80.0.0/12", "Amazon"},          {"13.32.0.0/15", "Amazon"},
	{"18.204.0.0/14", "Amazon"},        {"18.228.0.0/16", "Amazon"},
	{"18.231.0.0/16", "Amazon"},        {"34.192.0.0/12", "Amazon"},
	{"44.192.0.0/11", "Amazon"},        {"52.67.0.0/16", "Amazon"},
	{"52.84.0.0/15", "Amazon"},         {"52.216.0.0/15", "Amazon"},
	{"54.94.0.0/16", "Amazon"},         {"54.144.0.0/14", "Amazon"},
	{"54.207.0.0/16", "Amazon"},        {"54.231.0.0/16", "Amazon"},
	{"54.232.0.0/16", "Amazon"},        {"99.84.0.0/16", "Amazon"},
	{"100.24.0.0/13", "Amazon"},        {"2600:9000::/28", "Amazon"},
	{"104.16.0.0/13", "Cloudflare"},    {"104.24.0.0/14", "Cloudflare"},
	{"108.162.192.0/18", "Cloudflare"}, {"131.0.72.0/22", "Cloudflare"},
	{"141.101.64.0/18", "Cloudflare"},  {"162.158.0.0/15", "Cloudflare"},
	{"172.64.0.0/13", "Cloudflare"},    {"173.245.48.0/20", "Cloudflare"},
	{"188.114.96.0/20", "Cloudflare"},  {"190.93.240.0/20", "Cloudflare"},
	{"197.234.240.0/22", "Cloudflare"}, {"198.41.128.0/17", "Cloudflare"},
	{"2400:cb00::/32", "Cloudflare"},   {"2606:4700::/32", "Cloudflare"},
	{"2803:f800::/32", "Cloudflare"},   {"151.101.0.0/16", "Fastly"},
	{"199.232.0.0/16", "Fastly"},       {"2a04:4e40::/32", "Fastly"},
};

static const struct cloud *cloud_of(const struct addr *a)
{
	for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
		struct prefix p;

		if (prefix_parse(&p, slice_str(clouds[i].prefix)) == 0 &&
		    prefix_has(&p, a))
			return &clouds[i];
	}
	return NULL;
}

static const struct profile_row *name_twin(const struct profile *p,
                                           const struct profile_row *row)
{
	for (size_t i = 0; i < p->n_rows; i++) {
		if (p->rows[i].addr.family == ADDR_NONE &&
		    strcmp(p->rows[i].service, row->service) == 0)
			return &p->rows[i];
	}
	return NULL;
}

static void add_cloud(const struct lint *l, const struct profile_row *row,
                      const struct cloud *cloud)
{
	const struct profile_row *name = name_twin(l->p, row);
	struct lint_fault fault = {
		.id = "profile.host-cloud-address",
		.severity = FINDING_WARN,
		.place = row->host_place,
		.text = row->host,
		.title = {N_("%1$s belongs to %2$s, whose addresses serve many "
	                     "customers and change without notice."),
	                  {row->host, cloud->owner}},
		.detail =
			{.msgid = N_(
				 "One day the rule will let through somebody else "
				 "and keep out the service.")},
		.suggestion = {N_("Give a name for the service '%1$s' instead "
	                          "of %2$s."),
	                       {row->service, row->host}},
	};
	struct finding *fd;

	if (name)
		fault.suggestion = (struct words){
			N_("Drop the address %1$s and keep the name %2$s, "
		           "which the document gives for the same service."),
			{row->host, name->host}};
	fd = profile_rule_add(l, &fault);
	if (name)
		profile_rule_place(l, fd, name->host_place, name->host);
}

static bool was_seen(const struct profile *p, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		if (addr_ip_eq(&p->rows[i].addr, &p->rows[before].addr))
			return true;
	}
	return false;
}

void profile_rule_cloud_address(const struct lint *l)
{
	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];
		const struct cloud *cloud;

		if (row->addr.family == ADDR_NONE)
			continue;
		cloud = cloud_of(&row->addr);
		if (cloud && !was_seen(l->p, i))
			add_cloud(l, row, cloud);
	}
}
