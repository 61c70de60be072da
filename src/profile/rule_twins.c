/* SPDX-License-Identifier: ISC */
/*
 * Design: a service that is listed both by address and by name is the same
 * servers twice, so both lists should open the same ports. A customer whose
 * firewall takes names follows one list, the neighbour the other; where they
 * differ, one of the two has calls that fail. Ranges are compared as printed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "profile/rule.h"

/* A range of a service, and over what it is open on either side. */
struct span {
	const struct profile_row *row; /* where it was first seen */
	const struct profile_ports *ports;
	unsigned by_address, by_name; /* transports; TLS counts as TCP */
};

static bool is_by_name(const struct profile_row *row)
{
	return row->addr.family == ADDR_NONE;
}

static unsigned on_the_wire(unsigned transports)
{
	unsigned t = transports & (PROFILE_UDP | PROFILE_TCP);

	return transports & PROFILE_TLS ? t | PROFILE_TCP : t;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int c = strcmp(x->row->service, y->row->service);

	if (c)
		return c;
	if (x->ports->first != y->ports->first)
		return x->ports->first < y->ports->first ? -1 : 1;
	if (x->ports->last != y->ports->last)
		return x->ports->last < y->ports->last ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return 0;
}

static bool is_same_range(const struct span *a, const struct span *b)
{
	return strcmp(a->row->service, b->row->service) == 0 &&
	       a->ports->first == b->ports->first &&
	       a->ports->last == b->ports->last;
}

/* All ranges, sorted by service and port, each once. */
static size_t collect(const struct profile *p, struct span *spans)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < p->n_rows; i++) {
		const struct profile_row *row = &p->rows[i];
		unsigned wire = on_the_wire(row->transports);

		for (size_t k = 0; k < row->n_ports; k++) {
			struct span *s = &spans[n++];

			s->row = row;
			s->ports = &row->ports[k];
			if (is_by_name(row))
				s->by_name = wire;
			else
				s->by_address = wire;
		}
	}
	qsort(spans, n, sizeof(*spans), compare_spans);
	for (size_t i = 0; i < n; i++) {
		if (kept && is_same_range(&spans[kept - 1], &spans[i])) {
			spans[kept - 1].by_name |= spans[i].by_name;
			spans[kept - 1].by_address |= spans[i].by_address;
		} else {
			spans[kept++] = spans[i];
		}
	}
	return kept;
}

static const char *transports_text(unsigned transports)
{
	if (transports == (PROFILE_UDP | PROFILE_TCP))
		return "UDP, TCP";
	return transports == PROFILE_UDP ? "UDP" : "TCP";
}

/* The rows that open this range, on both sides. */
static void add_places(const struct lint *l, struct finding *fd,
                       const struct span *s, bool of_transports)
{
	for (size_t i = 0; i < l->p->n_rows; i++) {
		const struct profile_row *row = &l->p->rows[i];

		if (strcmp(row->service, s->row->service) != 0)
			continue;
		for (size_t k = 0; k < row->n_ports; k++) {
			const struct profile_ports *ports = &row->ports[k];

			if (ports->first != s->ports->first ||
			    ports->last != s->ports->last)
				continue;
			profile_rule_place(l, fd,
			                   of_transports ? row->transports_place
			                                 : ports->place,
			                   row->host);
		}
	}
}

static void add_transport(const struct lint *l, const struct span *s)
{
	const char *range = profile_ports_text(l, s->ports);
	const struct lint_fault fault = {
		.id = "profile.twin-transport",
		.severity = FINDING_WARN,
		.place = s->row->transports_place,
		.text = range,
		.title = {N_("The service '%1$s' needs %2$s over %3$s by "
	                     "address, but over %4$s by name."),
	                  {s->row->service, range,
	                   transports_text(s->by_address),
	                   transports_text(s->by_name)}},
		.detail =
			{.msgid = N_(
				 "Two customers that follow the document end up "
				 "with different firewalls.")},
		.suggestion = {.msgid =
	                               N_("Ask for the same transports in both "
	                                  "tables.")},
	};

	add_places(l, profile_rule_add(l, &fault), s, true);
}

/* Spans `from` to `to` are one service's; list what one side lacks. */
static void add_ports(const struct lint *l, const struct span *from,
                      const struct span *to, bool by_name)
{
	const struct span *first = NULL;
	struct wr w = wr_init_heap();
	struct lint_fault fault = {
		.id = "profile.twin-ports",
		.severity = FINDING_WARN,
	};
	struct finding *fd;

	for (const struct span *s = from; s < to; s++) {
		if (by_name ? s->by_name : s->by_address)
			continue;
		wr_fmt(&w, "%s%s", first ? ", " : "",
		       profile_ports_text(l, s->ports));
		first = first ? first : s;
	}
	if (!first) {
		wr_fini(&w);
		return;
	}
	l->r->no_memory |= w.bad;
	fault.place = first->ports->place;
	fault.text = report_text(l->r, wr_slice(&w));
	wr_fini(&w);
	fault.title = (struct words){
		by_name ? N_("The service '%1$s' needs the ports %2$s by "
	                     "address; no name of it has them.")
			: N_("The service '%1$s' needs the ports %2$s by name; "
	                     "no address of it has them."),
		{first->row->service, fault.text}};
	fault.detail = (struct words){
		.msgid =
			N_("Two customers that follow the document end up with "
	                   "different firewalls.")};
	fault.suggestion = (struct words){
		N_("List the ports %1$s in both tables, or in neither."),
		{fault.text}};
	fd = profile_rule_add(l, &fault);
	for (const struct span *s = from; s < to; s++) {
		if (!(by_name ? s->by_name : s->by_address))
			add_places(l, fd, s, false);
	}
}

static void check_service(const struct lint *l, const struct span *from,
                          const struct span *to)
{
	bool has_name = false, has_address = false;

	for (const struct span *s = from; s < to; s++) {
		has_name |= s->by_name != 0;
		has_address |= s->by_address != 0;
	}
	if (!has_name || !has_address)
		return;
	for (const struct span *s = from; s < to; s++) {
		if (s->by_name && s->by_address && s->by_name != s->by_address)
			add_transport(l, s);
	}
	add_ports(l, from, to, true);
	add_ports(l, from, to, false);
}

static size_t n_ranges(const struct profile *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_rows; i++)
		n += p->rows[i].n_ports;
	return n;
}

void profile_rule_twins(const struct lint *l)
{
	struct span *spans, *from, *end;

	spans = profile_rule_memory(l, n_ranges(l->p), sizeof(*spans));
	if (!spans)
		return;
	end = spans + collect(l->p, spans);
	for (from = spans; from < end;) {
		struct span *to = from;

		while (to < end &&
		       strcmp(to->row->service, from->row->service) == 0)
			to++;
		check_service(l, from, to);
		from = to;
	}
}

/* A range of a host over one transport. */
struct reach {
	const struct profile_row *row;
	struct profile_ports ports;
	unsigned transport;
};

static int compare_reaches(const void *a, const void *b)
{
	const struct reach *x = a, *y = b;
	int c = strcasecmp(x->row->host, y->row->host);

	if (c)
		return c;
	if (x->transport != y->transport)
		return x->transport < y->transport ? -1 : 1;
	if (x->ports.first != y->ports.first)
		return x->ports.first < y->ports.first ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool is_overlap(const struct reach *a, const struct reach *b)
{
	return strcasecmp(a->row->host, b->row->host) == 0 &&
	       a->transport == b->transport && b->ports.first <= a->ports.last;
}

static void add_overlap(const struct lint *l, const struct reach *a,
                        const struct reach *b)
{
	const char *range = profile_ports_text(l, &b->ports);
	const struct lint_fault fault = {
		.id = "profile.rows-overlap",
		.severity = FINDING_WARN,
		.place = b->ports.place,
		.text = range,
		.title = {N_("The ports %1$s of %2$s were already asked for in "
	                     "line %3$s."),
	                  {range, b->row->host,
	                   report_fmt(l->r, "%u", a->ports.place.line)}},
		.suggestion = {.msgid = N_(
				       "Keep one of the two, or give the two "
				       "purposes ports of their own.")},
	};
	struct finding *fd = profile_rule_add(l, &fault);

	profile_rule_place(l, fd, a->ports.place,
	                   profile_ports_text(l, &a->ports));
	profile_rule_place(l, fd, b->ports.place, range);
}

void profile_rule_overlap(const struct lint *l)
{
	struct profile_iter it = {0};
	struct profile_flow flow;
	const struct reach *widest = NULL;
	const struct profile_row *told = NULL;
	struct reach *rs;
	size_t n = 0;

	rs = profile_rule_memory(l, 2 * n_ranges(l->p), sizeof(*rs));
	if (!rs)
		return;
	while (profile_flow_next(&flow, l->p, &it)) {
		if (flow.transport == PROFILE_TLS &&
		    flow.row->transports & PROFILE_TCP)
			continue;
		rs[n++] = (struct reach){flow.row, flow.ports,
		                         on_the_wire(flow.transport)};
	}
	qsort(rs, n, sizeof(*rs), compare_reaches);
	for (size_t i = 0; i < n; i++) {
		if (widest && is_overlap(widest, &rs[i]) && told != rs[i].row) {
			add_overlap(l, widest, &rs[i]);
			told = rs[i].row; /* one a row is enough */
		}
		if (!widest || !is_overlap(widest, &rs[i]) ||
		    rs[i].ports.last > widest->ports.last)
			widest = &rs[i];
	}
}
