/* SPDX-License-Identifier: ISC */
/*
 * Design: text to tree (with places), tree against the table of the format,
 * table to structs by libcyaml, and last what only the values can tell:
 * addresses, port ranges, references. The next step begins only when the one
 * before found no fault, so each may lean on what was checked.
 */
#include "profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "profile/schema.h"
#include "profile/service.h"
#include "tree/tree.h"

enum {
	DSCP_MAX = 63,
	LABEL_MAX_BYTES = 63, /* RFC 1035, section 2.3.4 */
};

static const char format_id[] = "prumo/profile/1";

struct profile_priv {
	struct arena arena;
};

/* A read in progress. */
struct load {
	struct profile *p;
	struct arena *arena; /* of the profile */
	const struct tree_node *root;
	struct diag *dg;
	struct slice text;
	const uint8_t *line; /* where the line of the last place starts */
	const uint8_t *seen; /* the last place */
	unsigned line_no;
};

/* Places are asked for in the order of the text, so this stays linear. */
static struct profile_place place_of(struct load *ld, const struct tree_node *n)
{
	if (!n || !n->at.p)
		return (struct profile_place){0};
	if (n->at.p < ld->seen) {
		ld->seen = ld->line = ld->text.p;
		ld->line_no = 1;
	}
	for (; ld->seen < n->at.p; ld->seen++) {
		if (*ld->seen == '\n') {
			ld->line_no++;
			ld->line = ld->seen + 1;
		}
	}
	return (struct profile_place){ld->line_no,
	                              (unsigned)(n->at.p - ld->line) + 1};
}

static const struct tree_node *items(const struct tree_node *list)
{
	return list ? list->first : NULL;
}

static bool is_id(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static void check_id(struct load *ld, const struct tree_node *map,
                     const char *key)
{
	const struct tree_node *n = tree_get(map, key);

	if (n && !is_id((const char *)n->text.p))
		diag_add(ld->dg, DIAG_ERROR, n->at,
		         _("'%s' may only have the characters a-z, 0-9 and "
		           "'-'"),
		         (const char *)n->text.p);
}

static bool is_label(struct slice s)
{
	if (s.n == 0 || s.n > LABEL_MAX_BYTES || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '-' &&
		    !(c == '_' && i == 0))
			return false;
	}
	return true;
}

/* At least two labels; the last has a letter, so that a broken address is
 * not taken for a name. */
static bool is_host_name(struct slice s)
{
	struct slice label = {0};
	size_t n_labels = 0, dot;
	uint64_t v;

	while (s.n) {
		dot = slice_find(s, slice_str("."));
		label = slice_sub(s, 0, dot);
		if (!is_label(label))
			return false;
		n_labels++;
		if (dot == SIZE_MAX)
			break;
		s = slice_sub(s, dot + 1, s.n);
	}
	return n_labels >= 2 && text_u64(&v, label, UINT64_MAX) != 0;
}

static void take_host(struct load *ld, struct profile_row *row,
                      const struct tree_node *n)
{
	struct slice s = slice_str(row->host);
	struct profile_service unused;

	row->host_place = place_of(ld, n);
	if (addr_parse(&row->addr, s) == 0)
		return;
	if (!is_host_name(s)) {
		diag_add(ld->dg, DIAG_ERROR, n->at,
		         _("'%s' is neither an address nor a host name"),
		         row->host);
		return;
	}
	row->is_srv = row->host[0] == '_';
	if (row->is_srv && !profile_service_read(&unused, row->host))
		diag_add(ld->dg, DIAG_ERROR, n->at,
		         _("'%s' names no service; expected "
		           "_sip._udp.example.com"),
		         row->host);
}

/* "5060" or "10000-65535". */
static bool parse_ports(struct profile_ports *ports, struct slice s)
{
	size_t dash = slice_find(s, slice_str("-"));
	uint64_t first, last;

	if (text_u64(&first, slice_trim(slice_sub(s, 0, dash)), UINT16_MAX))
		return false;
	last = first;
	if (dash != SIZE_MAX &&
	    text_u64(&last, slice_trim(slice_sub(s, dash + 1, s.n)),
	             UINT16_MAX))
		return false;
	if (first == 0 || first > last)
		return false;
	ports->first = (uint16_t)first;
	ports->last = (uint16_t)last;
	return true;
}

static int take_ports(struct load *ld, struct profile_row *row,
                      const struct tree_node *list)
{
	const struct tree_node *n = items(list);

	row->ports = arena_alloc(ld->arena, row->n_ports * sizeof(*row->ports));
	if (!row->ports)
		return ENOMEM;
	for (size_t i = 0; i < row->n_ports && n; i++, n = n->next) {
		if (!parse_ports(&row->ports[i], n->text))
			diag_add(ld->dg, DIAG_ERROR, n->at,
			         _("'%s' is not a port or a range of ports; "
			           "expected 5060 or 10000-20000"),
			         (const char *)n->text.p);
		row->ports[i].place = place_of(ld, n);
	}
	return 0;
}

static int take_addresses(struct load *ld, struct profile_row *row,
                          const struct tree_node *list)
{
	const struct tree_node *n;

	if (!list || row->n_addresses == 0)
		return 0;
	if (row->addr.family != ADDR_NONE)
		diag_add(ld->dg, DIAG_ERROR, list->at,
		         _("'addresses' is for host names; '%s' is none"),
		         row->host);
	row->addresses =
		arena_alloc(ld->arena, row->n_addresses * sizeof(struct addr));
	if (!row->addresses)
		return ENOMEM;
	n = items(list);
	for (size_t i = 0; i < row->n_addresses && n; i++, n = n->next) {
		if (addr_parse(&row->addresses[i],
		               slice_str(row->address_texts[i])))
			diag_add(ld->dg, DIAG_ERROR, n->at,
			         _("'%s' is not an IP address"),
			         row->address_texts[i]);
	}
	return 0;
}

static bool has_table(const struct profile *p, const char *id)
{
	for (size_t i = 0; i < p->n_tables; i++) {
		if (strcmp(p->tables[i].id, id) == 0)
			return true;
	}
	return false;
}

/* The record's name has said how the service is reached. */
static void check_service(struct load *ld, const struct profile_row *row,
                          const struct tree_node *transports)
{
	struct profile_service s;

	if (row->is_srv && profile_service_read(&s, row->host) &&
	    row->transports & ~profile_service_transports(&s))
		diag_add(ld->dg, DIAG_ERROR, transports->at,
		         _("'%s' is not reached by all of these transports"),
		         row->host);
}

static int take_row(struct load *ld, struct profile_row *row,
                    const struct tree_node *n)
{
	const struct tree_node *table = tree_get(n, "table");
	int err;

	row->place = place_of(ld, n);
	if (!has_table(ld->p, row->table))
		diag_add(ld->dg, DIAG_ERROR, table->at,
		         _("there is no table '%s' in 'tables'"), row->table);
	check_id(ld, n, "service");
	take_host(ld, row, tree_get(n, "host"));
	check_service(ld, row, tree_get(n, "transports"));
	row->transports_place = place_of(ld, tree_get(n, "transports"));
	row->direction_place = place_of(ld, tree_get(n, "direction"));
	err = take_addresses(ld, row, tree_get(n, "addresses"));
	return err ? err : take_ports(ld, row, tree_get(n, "ports"));
}

static int compare_rows(const void *a, const void *b)
{
	const struct profile_row *x = *(const struct profile_row *const *)a;
	const struct profile_row *y = *(const struct profile_row *const *)b;
	int c = strcmp(x->table, y->table);

	if (c)
		return c;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Sorted, since a hostile profile has as many rows as it may. */
static int check_row_numbers(struct load *ld)
{
	const struct profile *p = ld->p;
	const struct profile_row **sorted;

	if (p->n_rows < 2)
		return 0;
	sorted = calloc(p->n_rows, sizeof(const struct profile_row *));
	if (!sorted)
		return ENOMEM;
	for (size_t i = 0; i < p->n_rows; i++)
		sorted[i] = &p->rows[i];
	qsort(sorted, p->n_rows, sizeof(const struct profile_row *),
	      compare_rows);
	for (size_t i = 1; i < p->n_rows; i++) {
		const struct profile_row *a = sorted[i - 1], *b = sorted[i];

		if (a->row == b->row && strcmp(a->table, b->table) == 0)
			diag_add_at(ld->dg, DIAG_ERROR, b->place.line,
			            b->place.column,
			            _("row %u of the table '%s' was already "
			              "given, in line %u"),
			            b->row, b->table, a->place.line);
	}
	free(sorted);
	return 0;
}

static int take_rows(struct load *ld)
{
	const struct tree_node *n;
	int err = 0;

	n = items(tree_get(ld->root, "rows"));
	for (size_t i = 0; i < ld->p->n_rows && n && !err; i++, n = n->next)
		err = take_row(ld, &ld->p->rows[i], n);
	return err ? err : check_row_numbers(ld);
}

static void take_timers(struct load *ld, const struct tree_node *req)
{
	struct profile_requirements *q = &ld->p->requirements;
	const struct tree_node *n = items(tree_get(req, "timers"));

	for (size_t i = 0; i < q->n_timers && n; i++, n = n->next) {
		struct profile_timer *t = &q->timers[i];

		t->place = place_of(ld, n);
		if (!t->min_s && !t->max_s)
			diag_add(ld->dg, DIAG_ERROR, n->at,
			         _("a timer needs 'min_s', 'max_s' or both"));
		else if (t->max_s && t->min_s > t->max_s)
			diag_add(ld->dg, DIAG_ERROR, n->at,
			         _("'min_s' is above 'max_s'"));
	}
}

static void check_dscp(struct load *ld, const struct tree_node *n,
                       unsigned value)
{
	if (n && value > DSCP_MAX)
		diag_add(ld->dg, DIAG_ERROR, n->at,
		         _("%u is not a DSCP value; expected 0 to %d"), value,
		         DSCP_MAX);
}

static void take_requirements(struct load *ld)
{
	const struct profile_requirements *q = &ld->p->requirements;
	const struct tree_node *req, *n;

	req = tree_get(ld->root, "requirements");
	take_timers(ld, req);
	check_dscp(ld, tree_get(req, "dscp_media"), q->dscp_media);
	check_dscp(ld, tree_get(req, "dscp_signalling"), q->dscp_signalling);
	n = items(tree_get(req, "web_ports"));
	for (size_t i = 0; i < q->n_web_ports && n; i++, n = n->next) {
		if (q->web_ports[i] == 0 || q->web_ports[i] > UINT16_MAX)
			diag_add(ld->dg, DIAG_ERROR, n->at,
			         _("%u is not a port; expected 1 to 65535"),
			         q->web_ports[i]);
	}
}

static void take_settings(struct load *ld)
{
	const struct tree_node *n;

	n = items(tree_get(ld->root, "settings"));
	for (size_t i = 0; i < ld->p->n_settings && n; i++, n = n->next) {
		struct profile_setting *s = &ld->p->settings[i];

		s->place = place_of(ld, n);
		s->command_place = place_of(ld, tree_get(n, "command"));
		check_id(ld, n, "vendor");
		check_id(ld, n, "setting");
	}
}

static void check_header(struct load *ld)
{
	const struct tree_node *n = tree_get(ld->root, "schema");

	if (strcmp(ld->p->schema, format_id) != 0)
		diag_add(ld->dg, DIAG_ERROR, n->at,
		         _("'%s' is not a format that is known here; expected "
		           "%s"),
		         ld->p->schema, format_id);
	check_id(ld, ld->root, "id");
	n = items(tree_get(ld->root, "tables"));
	for (; n; n = n->next)
		check_id(ld, n, "id");
}

static int resolve(struct load *ld)
{
	size_t before = ld->dg->n_errors;
	int err;

	check_header(ld);
	err = take_rows(ld);
	if (err)
		return err;
	take_requirements(ld);
	take_settings(ld);
	return ld->dg->n_errors > before ? EBADMSG : 0;
}

static int priv_alloc(struct profile *p)
{
	p->priv = calloc(1, sizeof(*p->priv));
	if (!p->priv)
		return ENOMEM;
	arena_init(&p->priv->arena);
	return 0;
}

static int load(struct load *ld, struct arena *tree)
{
	int err;

	err = tree_read(&ld->root, tree, ld->text, ld->dg);
	if (err)
		return err;
	err = profile_schema_check(ld->root, ld->dg);
	if (err)
		return err;
	err = profile_schema_fill(&ld->p, ld->text, ld->dg);
	if (err)
		return err;
	err = priv_alloc(ld->p);
	if (err)
		return err;
	ld->arena = &ld->p->priv->arena;
	return resolve(ld);
}

int profile_load(struct profile **pp, struct slice text, struct diag *dg)
{
	struct load ld = {.dg = dg,
	                  .text = text,
	                  .line = text.p,
	                  .seen = text.p,
	                  .line_no = 1};
	struct arena tree;
	int err;

	if (text.n > PROFILE_MAX_BYTES) {
		diag_add(dg, DIAG_ERROR, (struct slice){0},
		         _("the file has %zu bytes; at most %d are allowed"),
		         text.n, PROFILE_MAX_BYTES);
		return EBADMSG;
	}
	arena_init(&tree);
	err = load(&ld, &tree);
	arena_fini(&tree);
	if (err)
		profile_free(ld.p);
	else
		*pp = ld.p;
	return err;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	if (p->priv) {
		arena_fini(&p->priv->arena);
		free(p->priv);
	}
	profile_schema_free(p);
}

bool profile_flow_next(struct profile_flow *flow, const struct profile *p,
                       struct profile_iter *it)
{
	while (it->row < p->n_rows) {
		const struct profile_row *row = &p->rows[it->row];

		for (; it->port < row->n_ports; it->port++) {
			if (!it->transport_bit)
				it->transport_bit = PROFILE_UDP;
			while (it->transport_bit <= PROFILE_TLS) {
				unsigned bit = it->transport_bit;

				it->transport_bit <<= 1;
				if (!(row->transports & bit))
					continue;
				flow->row = row;
				flow->transport = (enum profile_transport)bit;
				flow->ports = row->ports[it->port];
				return true;
			}
			it->transport_bit = 0;
		}
		it->port = 0;
		it->row++;
	}
	return false;
}

size_t profile_n_flows(const struct profile *p)
{
	struct profile_iter it = {0};
	struct profile_flow flow;
	size_t n = 0;

	while (profile_flow_next(&flow, p, &it))
		n++;
	return n;
}
