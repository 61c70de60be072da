/* SPDX-License-Identifier: ISC */
#include "probe/srv.h"

#include <stdlib.h>
#include <string.h>

static int by_turn(const void *va, const void *vb)
{
	const struct net_dns_record *a =
		*(const struct net_dns_record *const *)va;
	const struct net_dns_record *b =
		*(const struct net_dns_record *const *)vb;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->preference != b->preference) {
		const bool is_less = a->preference < b->preference;

		return is_less == (a->type == NET_DNS_NAPTR) ? -1 : 1;
	}
	return a < b ? -1 : a > b; /* as they came */
}

size_t srv_order(const struct net_dns_record **out, size_t max,
                 const struct net_dns_msg *m, enum net_dns_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_records && n < max; i++) {
		if (!m->records[i].is_additional)
			out[n++] = &m->records[i];
	}
	if (n > 0 && (type == NET_DNS_SRV || type == NET_DNS_NAPTR))
		/* pointers are meant: NOLINTNEXTLINE(bugprone-sizeof-*) */
		qsort(out, n, sizeof(out[0]), by_turn);
	return n;
}

static struct val *put(struct report *r, struct val *into, const char *key,
                       struct val v)
{
	return val_put(&r->arena, &r->no_memory, into, key, v);
}

/* From the network: whatever bytes a label has. */
static void put_raw(struct report *r, struct val *m, const char *key,
                    const char *s)
{
	(void)put(r, m, key, val_bytes(report_bytes(r, slice_str(s))));
}

static void put_address(struct report *r, struct val *m, const struct addr *a)
{
	char buf[ADDR_TEXT_BYTES];

	(void)put(r, m, "address",
	          val_text(report_text(r, slice_str(addr_ip_text(a, buf)))));
}

static void put_record(struct report *r, struct val *list,
                       const struct net_dns_record *rec)
{
	struct val *m = put(r, list, NULL, val_map());

	put_raw(r, m, "name", rec->name);
	(void)put(r, m, "ttl", val_int(rec->ttl_s));
	if (rec->addr.family != ADDR_NONE)
		put_address(r, m, &rec->addr);
	if (rec->type == NET_DNS_CNAME)
		put_raw(r, m, "target", rec->target);
	if (rec->type == NET_DNS_SRV) {
		(void)put(r, m, "priority", val_int(rec->order));
		(void)put(r, m, "weight", val_int(rec->preference));
		(void)put(r, m, "port", val_int(rec->port));
		put_raw(r, m, "target", rec->target);
	}
	if (rec->type == NET_DNS_NAPTR) {
		(void)put(r, m, "order", val_int(rec->order));
		(void)put(r, m, "preference", val_int(rec->preference));
		put_raw(r, m, "flags", rec->flags);
		put_raw(r, m, "services", rec->services);
		put_raw(r, m, "regexp", rec->regexp);
		put_raw(r, m, "replacement", rec->target);
	}
}

struct val srv_records(struct report *r, const struct net_dns_msg *m,
                       enum net_dns_type type)
{
	const struct net_dns_record *kept[SRV_RECORDS_MAX];
	size_t n = srv_order(kept, ARRAY_LEN(kept), m, type);
	struct val list = val_list();

	for (size_t i = 0; i < n; i++)
		put_record(r, &list, kept[i]);
	return list;
}

static void add_target(struct srv_list *l, const struct srv_target *t)
{
	for (size_t i = 0; i < l->n_targets; i++) {
		if (l->targets[i].port == t->port &&
		    slice_ieq(slice_str(l->targets[i].host),
		              slice_str(t->host)))
			return;
	}
	if (l->n_targets < SRV_TARGETS_MAX)
		l->targets[l->n_targets++] = *t;
	else
		l->n_more++;
}

static void add_name(struct srv_list *l, const char *name)
{
	for (size_t i = 0; i < l->n_names; i++) {
		if (slice_ieq(slice_str(l->names[i]), slice_str(name)))
			return;
	}
	if (l->n_names < SRV_NAMES_MAX)
		l->names[l->n_names++] = name;
}

/* What is no host name can be asked of nobody: a label with a NUL, or a dot
 * of its own, comes as something else than it was. */
static const char *host_of(struct report *r, const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		const char c = s[i];

		if (c != '-' && c != '_' && c != '.' &&
		    !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z'))
			return NULL;
	}
	return *s ? report_text(r, slice_str(s)) : NULL;
}

static void take_srv(struct srv_list *l, struct report *r,
                     const struct net_dns_record *rec, bool *is_root)
{
	struct srv_target t = {host_of(r, rec->target), rec->port, rec->order,
	                       rec->preference};

	*is_root |= rec->target[0] == '\0';
	if (t.host && t.port > 0)
		add_target(l, &t);
}

static void take_naptr(struct srv_list *l, struct report *r,
                       const struct net_dns_record *rec, const char *naptr)
{
	const char *name = NULL;

	if (naptr && slice_ieq(slice_str(rec->flags), slice_str("s")) &&
	    slice_ieq(slice_str(rec->services), slice_str(naptr)))
		name = host_of(r, rec->target);
	if (name)
		add_name(l, name);
}

void srv_take(struct srv_list *l, struct report *r, const struct net_dns_msg *m,
              enum net_dns_type type, const char *naptr)
{
	const struct net_dns_record *all[NET_DNS_RECORDS_MAX];
	size_t n = srv_order(all, ARRAY_LEN(all), m, type);
	bool is_root = false;

	for (size_t i = 0; i < n; i++) {
		if (all[i]->type != type)
			continue;
		if (type == NET_DNS_SRV)
			take_srv(l, r, all[i], &is_root);
		else if (type == NET_DNS_NAPTR)
			take_naptr(l, r, all[i], naptr);
	}
	l->is_refused = is_root && l->n_targets == 0;
}

void srv_join(struct srv_list *l, const struct srv_list *from)
{
	for (size_t i = 0; i < from->n_targets; i++)
		add_target(l, &from->targets[i]);
	l->n_more += from->n_more;
	l->is_refused =
		l->n_targets == 0 && (l->is_refused || from->is_refused);
}
