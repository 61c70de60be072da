/* SPDX-License-Identifier: ISC */
#include "diagnose/flows.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"

static enum flow_end end_of(const struct fact *f)
{
	static const struct {
		const char *result;
		enum flow_end end;
	} ends[] = {
		{"answered", FLOW_REACHED},
		{"open", FLOW_REACHED},
		{"other", FLOW_OTHER},
		{"silent", FLOW_SILENT},
		{"refused", FLOW_REFUSED},
		{"cut", FLOW_CUT},
		{"bad-tls", FLOW_BAD_TLS},
		{"partly", FLOW_PARTLY},
		{"local", FLOW_LOCAL},
		{"no-address", FLOW_NO_ADDRESS},
		{"not-offered", FLOW_NO_ADDRESS},
	};
	struct slice result = val_get_text(&f->fields, "result");

	if (f->state == FACT_UNKNOWN || f->state == FACT_SKIPPED)
		return FLOW_UNKNOWN;
	if (f->state == FACT_PASS)
		return FLOW_REACHED;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (slice_eq_str(result, ends[i].result))
			return ends[i].end;
	}
	return FLOW_UNKNOWN;
}

static enum segment segment_read(struct slice name)
{
	for (int s = SEGMENT_UNKNOWN; s <= SEGMENT_PROVIDER; s++) {
		if (slice_eq_str(name, segment_name((enum segment)s)))
			return (enum segment)s;
	}
	return SEGMENT_UNKNOWN;
}

static const struct fact *fact_at(const struct flows *fs, const struct val *v)
{
	if (!v || v->kind != VAL_INT || v->i < 0 ||
	    (uint64_t)v->i >= fs->report->n_facts)
		return NULL;
	return fs->facts[v->i];
}

static const struct fact *named(const struct flows *fs, const char *id,
                                struct slice scope)
{
	for (size_t i = 0; i < fs->report->n_facts; i++) {
		const struct fact *f = fs->facts[i];

		if (strcmp(f->id, id) == 0 &&
		    slice_eq(slice_str(f->scope), scope))
			return f;
	}
	return NULL;
}

/* Of the host and the port of the question. */
static const struct fact *certificate(const struct flows *fs,
                                      const struct flow *flow)
{
	for (size_t i = 0; flow->ask && i < fs->report->n_facts; i++) {
		const struct fact *f = fs->facts[i];

		if (strcmp(f->id, "tls.certificate") == 0 &&
		    slice_eq(slice_str(f->scope),
		             slice_str(flow->ask->scope)) &&
		    slice_eq(val_get_text(&f->fields, "host"),
		             val_get_text(&flow->ask->fields, "host")))
			return f;
	}
	return NULL;
}

/* The question that speaks for the flow: the one to its address. */
static const struct fact *question(const struct flows *fs, const struct fact *f)
{
	const struct val *asked = val_get(&f->fields, "asked");

	if (!asked || asked->kind != VAL_LIST)
		return NULL;
	for (const struct val_item *it = asked->items.first; it;
	     it = it->next) {
		const struct fact *q = fact_at(fs, &it->v);

		if (q && slice_eq(val_get_text(&q->fields, "address"),
		                  val_get_text(&f->fields, "address")))
			return q;
	}
	return asked->items.first ? fact_at(fs, &asked->items.first->v) : NULL;
}

static bool is_heavy(struct slice cls)
{
	static const char *const names[] = {"sip", "rtp", "stun", "webrtc",
	                                    "licence"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(cls, names[i]))
			return true;
	}
	return false;
}

static bool is_by_server(const struct flow *flow)
{
	struct slice who = flow->stop ? val_get_text(&flow->stop->fields, "who")
	                              : (struct slice){0};
	struct slice offender = val_get_text(&flow->fact->fields, "offender");

	/* what the question did not hear, its trace did */
	if (flow->end == FLOW_SILENT && flow->stop)
		return slice_eq_str(who, "server") &&
		       slice_eq_str(val_get_text(&flow->stop->fields, "basis"),
		                    "icmp-refusal");
	if (flow->end != FLOW_REFUSED && flow->end != FLOW_CUT)
		return false;
	if (offender.n > 0)
		return slice_eq(offender, flow->address);
	return slice_eq_str(who, "server");
}

static void read_flow(struct flows *fs, const struct fact *f)
{
	struct flow *flow = &fs->all[fs->n++];
	const struct slice target = val_get_text(&f->fields, "target");

	flow->fact = f;
	flow->end = end_of(f);
	flow->is_udp =
		slice_eq_str(val_get_text(&f->fields, "transport"), "udp");
	flow->is_mixed = val_get(&f->fields, "is_mixed") != NULL;
	flow->port = val_get_int(&f->fields, "dst_port", 0);
	flow->last = val_get_int(&f->fields, "port_last", flow->port);
	flow->cls = val_get_text(&f->fields, "class");
	flow->host = val_get_text(&f->fields, "host");
	flow->address = val_get_text(&f->fields, "address");
	flow->error = val_get_text(&f->fields, "error");
	flow->is_heavy = is_heavy(flow->cls);
	flow->ask = question(fs, f);
	flow->stop = fact_at(fs, val_get(&f->fields, "stops"));
	if (flow->ask && val_get(&flow->ask->fields, "accepted")) {
		flow->stop =
			fact_at(fs, val_get(&flow->ask->fields, "accepted"));
		flow->is_accepted = flow->stop != NULL;
	}
	flow->cert = certificate(fs, flow);
	flow->name = named(fs, "name.resolved", target.n ? target : flow->host);
	if (flow->stop)
		flow->segment = segment_read(
			val_get_text(&flow->stop->fields, "segment"));
	flow->is_by_server = is_by_server(flow);
	fs->n_asked += flow->end != FLOW_UNKNOWN;
	fs->n_reached += flow->end == FLOW_REACHED;
	fs->n_failed += flow_is_open(flow);
}

int flows_read(struct flows *out, struct report *r)
{
	struct flows fs = {.report = r};

	fs.facts = arena_alloc(&r->arena,
	                       (r->n_facts + 1) * sizeof(struct fact *));
	fs.all = arena_alloc(&r->arena, (r->n_facts + 1) * sizeof(*fs.all));
	if (!fs.facts || !fs.all) {
		r->no_memory = true;
		return ENOMEM;
	}
	for (const struct fact *f = r->facts; f; f = f->next)
		fs.facts[f->index] = f;
	for (const struct fact *f = r->facts; f; f = f->next) {
		if (strcmp(f->id, "flow.reached") == 0)
			read_flow(&fs, f);
	}
	*out = fs;
	return 0;
}

bool flow_is_open(const struct flow *f)
{
	return f->end > FLOW_REACHED && !f->finding;
}

bool flow_is_lost(const struct flow *f)
{
	return f->end == FLOW_SILENT || f->end == FLOW_REFUSED ||
	       f->end == FLOW_CUT;
}

bool flow_is_limited(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->fact->state == FACT_UNKNOWN &&
	       slice_eq_str(val_get_text(&f->fact->fields, "result"),
	                    "limited");
}

int64_t flows_wait_s(const struct flows *fs)
{
	int64_t most_s = 1;

	for (size_t i = 0; i < fs->n; i++) {
		const struct val *d = flow_detail(&fs->all[i]);
		int64_t wait_s = d ? val_get_int(d, "wait_s", 0) : 0;

		most_s = wait_s > most_s ? wait_s : most_s;
	}
	return most_s;
}

const struct val *flow_detail(const struct flow *f)
{
	const struct val *d =
		f->ask ? val_get(&f->ask->fields, "detail") : NULL;

	return d && d->kind == VAL_MAP ? d : NULL;
}

bool flow_has_fault(const struct flow *f, const char *fault)
{
	const struct val *faults =
		f->cert ? val_get(&f->cert->fields, "faults") : NULL;

	if (!faults || faults->kind != VAL_LIST)
		return false;
	for (const struct val_item *it = faults->items.first; it;
	     it = it->next) {
		if (it->v.kind == VAL_TEXT && slice_eq_str(it->v.s, fault))
			return true;
	}
	return false;
}

bool flow_is_lossy(const struct flow *f)
{
	return val_get(&f->fact->fields, "is_lossy") != NULL;
}

bool flow_has_stopped_twin(const struct flows *fs, const struct flow *f)
{
	int64_t hop = f->stop ? val_get_int(&f->stop->fields, "hop_max", 0) : 0;

	if (!f->is_udp || f->end != FLOW_SILENT || hop == 0)
		return false;
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];

		if (g->is_by_server && !g->is_udp && g->stop &&
		    g->port == f->port && slice_eq(g->address, f->address) &&
		    hop >= val_get_int(&g->stop->fields, "hop_max", 0))
			return true;
	}
	return false;
}
