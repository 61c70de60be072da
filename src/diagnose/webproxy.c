/* SPDX-License-Identifier: ISC */
/*
 * Design: only of an edge it is known what its pages are like and what it
 * calls itself. So what arrives otherwise was changed by somebody; of a
 * provider's own server nothing of the kind can be said.
 */
#include "diagnose/webproxy.h"

#include "base/i18n.h"
#include "diagnose/cause.h"
#include "diagnose/remedies.h"

static bool is_true(const struct val *map, const char *key)
{
	const struct val *v = map ? val_get(map, key) : NULL;

	return v && v->kind == VAL_BOOL && v->b;
}

static bool is_of_edge(const struct flow *f)
{
	return f->ask && is_true(&f->ask->fields, "is_edge");
}

static struct slice server_of(const struct flow *f)
{
	const struct val *d = flow_detail(f);

	return d ? val_get_text(d, "server") : (struct slice){0};
}

/* The same edge gives itself another name where nobody can change it. */
static bool is_renamed(const struct flows *fs, const struct flow *f)
{
	struct slice name = server_of(f);

	for (size_t i = 0; i < fs->n && !f->cert && is_of_edge(f); i++) {
		const struct flow *g = &fs->all[i];

		if (g->cert && is_of_edge(g) && server_of(g).n > 0 &&
		    slice_eq(g->address, f->address) &&
		    !is_true(flow_detail(g), "is_intercepted"))
			return name.n > 0 && !slice_eq(server_of(g), name);
	}
	return false;
}

/* A box hands an edge's answers on with changes. That a connection opens much
 * sooner than it is answered is no proof: servers and computers are busy. */
static bool is_through_proxy(const struct flows *fs, const struct flow *f)
{
	return f->end == FLOW_REACHED && is_of_edge(f) &&
	       (is_true(flow_detail(f), "is_body_altered") ||
	        is_true(flow_detail(f), "is_proxied") || is_renamed(fs, f));
}

bool webproxy_takes_stream(const struct flows *fs, const struct flow *f)
{
	return f->is_accepted && !is_through_proxy(fs, f);
}

void webproxy_find(struct flows *fs, const struct ladder *l)
{
	struct finding *fd = NULL;
	size_t n = 0;

	for (size_t i = 0; i < fs->n; i++) {
		if (!is_through_proxy(fs, &fs->all[i]))
			continue;
		if (!fd)
			fd = report_finding(fs->report, "path.web-proxy",
			                    FINDING_WARN);
		finding_because(fs->report, fd, fs->all[i].fact);
		if (fs->all[i].ask)
			finding_because(fs->report, fd, fs->all[i].ask);
		if (fs->all[i].is_accepted && fd->segment == SEGMENT_UNKNOWN) {
			cause_locate(fs, fd, &fs->all[i]);
			fd->segment = fs->all[i].segment;
		}
		n++;
	}
	if (!fd)
		return;
	fd->title = (struct words){
		N_("A box on the way answers in the servers' stead (%1$s "
	           "flows): a proxy that nobody asked for."),
		{report_fmt(fs->report, "%zu", n)}};
	fd->detail.msgid =
		N_("Pages arrive, but through a proxy or web filter that may "
	           "change them, keep old ones, or break WebSocket and long "
	           "connections.");
	remedies_add(fs->report, fd, l, TROUBLE_PROXY, FINGERPRINT_UNKNOWN);
}
