/* SPDX-License-Identifier: ISC */
/*
 * Design: one fact a name, with what each server said of it. Whether that is
 * true, or good, is for diagnose/ to say; only the comparison with what the
 * profile lists is made here, where --map is known.
 */
#include "probe/reach.h"

#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"

static void put_addresses(struct reach *r, struct val *list,
                          const struct addr *addrs, size_t n)
{
	char buf[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < n; i++)
		(void)reach_put(r, list, NULL,
		                val_text(report_text(
					r->report, slice_str(addr_ip_text(
							   &addrs[i], buf)))));
}

static void put_ms(struct reach *r, struct val *map, const char *key,
                   int64_t ns)
{
	if (ns > 0)
		(void)reach_put(r, map, key,
		                val_real((double)ns / (double)NS_PER_MS));
}

void reach_put_lookup(struct reach *r, struct val *map,
                      const struct reach_lookup *types, size_t n_types)
{
	char buf[ADDR_TEXT_BYTES];
	int64_t rtt = 0, took = 0;
	bool is_truncated = false;
	uint8_t rcode = 0;
	int err = 0;

	(void)reach_put(r, map, "server",
	                val_text(report_text(
				r->report,
				slice_str(addr_text(&types[0].server, buf)))));
	for (size_t t = 0; t < n_types; t++) {
		const struct reach_lookup *l = &types[t];

		rtt = l->rtt_ns > rtt ? l->rtt_ns : rtt;
		took = l->took_ns > took ? l->took_ns : took;
		err = l->err ? l->err : err;
		rcode = rcode ? rcode : l->rcode;
		is_truncated |= l->is_truncated;
	}
	(void)reach_put(r, map, "rcode", val_int(rcode));
	if (err)
		(void)reach_put(r, map, "error",
		                val_text(strerrorname_np(err)));
	put_ms(r, map, "ms", rtt);
	put_ms(r, map, "took_ms", took);
	if (types[0].is_tcp)
		(void)reach_put(r, map, "is_tcp", val_bool(true));
	if (is_truncated)
		(void)reach_put(r, map, "is_truncated", val_bool(true));
}

static void put_lookup(struct reach *r, struct val *list,
                       const struct reach_lookup types[REACH_TYPES])
{
	struct val *map = reach_put(r, list, NULL, val_map());
	struct val *addrs = reach_put(r, map, "addresses", val_list());

	for (size_t t = 0; t < REACH_TYPES; t++)
		put_addresses(r, addrs, types[t].addrs, types[t].n_addrs);
	reach_put_lookup(r, map, types, REACH_TYPES);
}

static const char *name_result(const struct reach_name *n,
                               const struct plan_name *name)
{
	if (name->is_given)
		return "given";
	if (name->n_addrs > 0)
		return "resolved";
	if (!n->is_over)
		return "unfinished";
	return reach_tries_have_answer(&n->lookups) ? "no-address" : "silent";
}

/* What the name leads to, and the profile does not know. */
static void put_foreign(struct reach *r, struct fact *f, size_t no)
{
	const struct plan_name *name = plan_name(r->plan, no);
	struct addr expected[PROFILE_MAX_ADDRESSES];
	size_t n =
		plan_name_expected(expected, ARRAY_LEN(expected), r->plan, no);
	struct val *list = NULL;

	for (size_t i = 0; n > 0 && !name->is_given && i < name->n_addrs; i++) {
		size_t k = 0;

		while (k < n && !addr_ip_eq(&expected[k], &name->addrs[i]))
			k++;
		if (k < n)
			continue;
		if (!list)
			list = fact_field(r->report, f, "foreign", val_list());
		put_addresses(r, list, &name->addrs[i], 1);
	}
}

void reach_put_name(struct reach *r, size_t i)
{
	static const struct {
		const char *result;
		enum fact_state state;
		const char *summary;
	} all[] = {
		{"given", FACT_SKIPPED, N_("the name %1$s")},
		{"resolved", FACT_PASS, N_("the name %1$s has an address")},
		{"no-address", FACT_FAIL, N_("the name %1$s has no address")},
		{"silent", FACT_FAIL,
	         N_("the name %1$s: no name server answers")},
		{"unfinished", FACT_UNKNOWN, N_("the name %1$s")},
	};
	const struct plan_name *name = plan_name(r->plan, i);
	const struct reach_name *n = &r->names[i];
	const char *result = name_result(n, name);
	struct val *list;
	struct fact *f;
	size_t k = 0;

	if (!name->is_wanted || (!name->is_given && r->run->conf->n_dns == 0))
		return;
	while (strcmp(all[k].result, result) != 0)
		k++;
	f = report_fact(r->report, "name.resolved", all[k].state, name->host);
	reach_field(r, f, "result", val_text(result));
	list = fact_field(r->report, f, "addresses", val_list());
	put_addresses(r, list, name->addrs, name->n_addrs);
	list = fact_field(r->report, f, "lookups", val_list());
	for (size_t s = 0; s < REACH_TRIES; s++) {
		if (n->lookups.at[s][0].is_asked)
			put_lookup(r, list, n->lookups.at[s]);
	}
	put_foreign(r, f, i);
	if (n->has_look)
		reach_field(r, f, "detail", n->look_fields);
	f->summary = (struct words){all[k].summary, {f->scope}};
	if (f->state == FACT_SKIPPED)
		f->why.msgid = N_("its address was given with --resolve");
	if (f->state == FACT_UNKNOWN)
		f->why.msgid = N_("the test was ended before it answered");
}
