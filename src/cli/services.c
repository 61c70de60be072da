/* SPDX-License-Identifier: ISC */
#include "cli/services.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "profile/service.h"

enum {
	SERVICES_FIRST = 64,
	HOST_ADDRS_MAX = 256,
};

/* What is being translated, and with what. */
struct work {
	struct cli_services sv;
	size_t cap;
	const struct cli_places *places;
	const struct edge_server_conf *conf;
	struct addr host[HOST_ADDRS_MAX];
	size_t n_host;
};

int cli_places_map(struct cli_places *p, const char *text)
{
	int err;

	if (p->n_maps == CLI_MAPS_MAX)
		return E2BIG;
	err = profile_map_parse(&p->maps[p->n_maps], slice_str(text));
	if (!err)
		p->n_maps++;
	return err;
}

static int add_name(struct cli_places *p, struct slice name,
                    const struct addr *addr)
{
	char *copy;

	if (p->n_names == CLI_NAMES_MAX)
		return E2BIG;
	copy = strndup((const char *)name.p, name.n);
	if (!copy)
		return ENOMEM;
	p->names[p->n_names++] = (struct edge_name){copy, *addr};
	return 0;
}

int cli_places_resolve(struct cli_places *p, const char *text)
{
	struct profile_alias al;

	if (profile_alias_parse(&al, slice_str(text)) ||
	    al.name.n > EDGE_DNS_NAME_CHARS)
		return EBADMSG;
	return add_name(p, al.name, &al.addr);
}

/* Made by strdup(3), and not to be changed until here. */
static void free_text(const char *text)
{
	void *p;

	memcpy(&p, &text, sizeof(p));
	free(p);
}

void cli_places_fini(struct cli_places *p)
{
	while (p->n_names > 0)
		free_text(p->names[--p->n_names].name);
	while (p->n_srvs > 0) {
		free_text(p->srvs[--p->n_srvs].name);
		free_text(p->srvs[p->n_srvs].domain);
	}
}

/* The name that has addresses. */
static const char *name_of(const struct profile_row *row)
{
	struct profile_service s = {.domain = row->host};

	if (row->is_srv)
		(void)profile_service_read(&s, row->host);
	return s.domain;
}

static bool is_wildcard(const struct addr *a)
{
	static const struct addr any;

	return memcmp(a->ip, any.ip, sizeof(any.ip)) == 0;
}

/* Is it an address of this host, and one to listen on? */
static bool is_ours(const struct work *w, const struct addr *a)
{
	bool is_wanted = false, is_host = false;

	for (size_t i = 0; i < w->conf->n_at; i++) {
		const struct addr *at = &w->conf->at[i];

		is_wanted |= at->family == a->family &&
		             (is_wildcard(at) || addr_ip_eq(at, a));
	}
	for (size_t i = 0; i < w->n_host; i++)
		is_host |= addr_ip_eq(&w->host[i], a);
	return is_wanted && is_host;
}

static int list_host(struct work *w)
{
	struct ifaddrs *all;

	if (getifaddrs(&all))
		return errno;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct addr a = {0};

		if (i->ifa_addr)
			a = addr_from_sockaddr(i->ifa_addr);
		a.port = 0;
		if (a.family != ADDR_NONE && w->n_host < HOST_ADDRS_MAX)
			w->host[w->n_host++] = a;
	}
	freeifaddrs(all);
	return 0;
}

static unsigned speaks_for(enum profile_class cls)
{
	switch (cls) {
	case PROFILE_SIP:
		return EDGE_SIP;
	case PROFILE_RTP: /* of ICE */
	case PROFILE_STUN:
		return EDGE_STUN;
	case PROFILE_WEB:
	case PROFILE_WEBRTC:
	case PROFILE_LICENCE:
	case PROFILE_API:
	case PROFILE_PROVISIONING:
		return EDGE_HTTP;
	case PROFILE_CHAT:
		return EDGE_HTTP | EDGE_XMPP;
	case PROFILE_NTP:
		return EDGE_NTP;
	case PROFILE_DNS: /* only when it was asked for, by --dns */
	case PROFILE_N_CLASSES:
		break;
	}
	return 0;
}

static int add(struct work *w, const struct edge_service *v)
{
	struct cli_services *sv = &w->sv;

	for (size_t i = 0; i < sv->n; i++) {
		struct edge_service *other = &sv->at[i];

		if (addr_ip_eq(&other->at, &v->at) &&
		    other->is_tcp == v->is_tcp && other->first == v->first &&
		    other->last == v->last) {
			other->speaks |= v->speaks;
			return 0;
		}
	}
	if (sv->n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : SERVICES_FIRST;
		void *more = reallocarray(sv->at, cap, sizeof(*sv->at));

		if (!more)
			return ENOMEM;
		sv->at = more;
		w->cap = cap;
	}
	sv->at[sv->n++] = *v;
	return 0;
}

/* @param at  ADDR_NONE: everywhere */
static int add_row(struct work *w, const struct profile_row *row,
                   const struct addr *at)
{
	struct edge_service v = {.at = *at, .speaks = speaks_for(row->cls)};
	int err = 0;

	for (size_t i = 0; !err && i < row->n_ports; i++) {
		v.first = row->ports[i].first;
		v.last = row->ports[i].last;
		if (row->transports & PROFILE_UDP) {
			v.is_tcp = false;
			err = add(w, &v);
		}
		if (!err && row->transports & (PROFILE_TCP | PROFILE_TLS)) {
			v.is_tcp = true;
			err = add(w, &v);
		}
	}
	return err;
}

static int place_name(struct work *w, const struct profile_row *row)
{
	static const struct addr everywhere;
	bool is_placed = false, is_here = false;
	int err = 0;

	for (size_t i = 0; !err && i < w->places->n_names; i++) {
		const struct edge_name *n = &w->places->names[i];

		if (!slice_ieq(slice_str(n->name), slice_str(name_of(row))))
			continue;
		is_placed = true;
		if (!is_ours(w, &n->addr))
			continue;
		is_here = true;
		err = add_row(w, row, &n->addr);
	}
	if (!is_placed)
		return add_row(w, row, &everywhere);
	w->sv.n_rows_elsewhere += !is_here;
	return err;
}

static int place(struct work *w, const struct profile_row *row)
{
	static const struct addr everywhere;
	struct addr at = row->addr;
	bool is_mapped;

	if (row->addr.family == ADDR_NONE)
		return place_name(w, row);
	is_mapped = profile_map_apply(&at, w->places->maps, w->places->n_maps);
	if (is_ours(w, &at))
		return add_row(w, row, &at);
	if (!is_mapped)
		return add_row(w, row, &everywhere);
	w->sv.n_rows_elsewhere++;
	return 0;
}

int cli_services_make(struct cli_services *sv, const struct profile *profile,
                      const struct cli_places *places,
                      const struct edge_server_conf *conf)
{
	struct work w = {.places = places, .conf = conf};
	int err;

	err = list_host(&w);
	for (size_t i = 0; !err && i < profile->n_rows; i++)
		err = place(&w, &profile->rows[i]);
	if (err)
		cli_services_fini(&w.sv);
	else
		*sv = w.sv;
	return err;
}

void cli_services_fini(struct cli_services *sv)
{
	free(sv->at);
	*sv = (struct cli_services){0};
}

static bool has_name(const struct cli_places *p, const char *name)
{
	for (size_t i = 0; i < p->n_names; i++) {
		if (slice_ieq(slice_str(p->names[i].name), slice_str(name)))
			return true;
	}
	return false;
}

static int add_srv(struct cli_places *p, const struct profile_row *row,
                   const struct profile_service *s, uint16_t port)
{
	struct edge_srv *srv = &p->srvs[p->n_srvs];
	bool is_first = true;

	for (size_t i = 0; i < p->n_srvs; i++) {
		if (!slice_ieq(slice_str(p->srvs[i].name),
		               slice_str(row->host)))
			continue;
		if (p->srvs[i].port == port)
			return 0;
		is_first = false;
	}
	if (p->n_srvs == CLI_SRVS_MAX)
		return E2BIG;
	*srv = (struct edge_srv){
		.name = strdup(row->host),
		.domain = strdup(s->domain),
		.naptr = is_first ? profile_service_naptr(s) : NULL,
		.port = port,
	};
	p->n_srvs++;
	return srv->name && srv->domain ? 0 : ENOMEM;
}

static int add_srvs(struct cli_places *p, const struct profile_row *row)
{
	struct profile_service s;
	int err = 0;

	if (!row->is_srv || !profile_service_read(&s, row->host))
		return 0;
	for (size_t i = 0; !err && i < row->n_ports; i++)
		err = add_srv(p, row, &s, row->ports[i].first);
	return err;
}

int cli_services_name(struct cli_places *places, const struct profile *profile,
                      const struct edge_server_conf *conf)
{
	int err = 0;

	for (size_t i = 0; !err && i < profile->n_rows; i++) {
		const struct profile_row *row = &profile->rows[i];

		err = add_srvs(places, row);
		if (row->addr.family != ADDR_NONE ||
		    has_name(places, name_of(row)))
			continue;
		for (size_t k = 0; !err && k < conf->n_at; k++) {
			if (!is_wildcard(&conf->at[k]))
				err = add_name(places, slice_str(name_of(row)),
				               &conf->at[k]);
		}
	}
	return err;
}
