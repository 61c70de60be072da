/* SPDX-License-Identifier: ISC */
/*
 * Design: one flow per row of the provider's table, so that every rule and
 * every verdict can be found in the document again. Nothing is looked up
 * here: what a name stands for today is the user's to say, since a firewall
 * resolves it by itself and again tomorrow.
 */
#include "cli/flows.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"

struct making {
	struct cli_flows *out;
	const struct cli_cmd *cmd;
	const struct profile *profile;
	const struct cli_place *how;
	bool can_name;
};

static enum cli_status no_memory(const struct making *m)
{
	cli_complain(m->cmd, _("out of memory"));
	return CLI_INTERNAL;
}

/* The requirement is the smallest that the document asks for; more, such as
 * 12 h for one brand, is the user's explicit choice. */
static int64_t session_s(const struct profile *p, enum profile_timer_kind kind)
{
	int64_t least = FW_IDLE_UNSET;

	for (size_t i = 0; i < p->requirements.n_timers; i++) {
		const struct profile_timer *t = &p->requirements.timers[i];

		if (t->kind == kind && t->min_s > 0 &&
		    (least < 0 || t->min_s < least))
			least = t->min_s;
	}
	return least;
}

static enum cli_status add_host(struct making *m, const char *text)
{
	struct cli_flows *o = m->out;
	const char *eq = strchr(text, '=');
	struct fw_host *h = NULL;
	struct fw_ip lo, hi;
	char *name;

	if (!eq || eq == text || fw_ip_parse(&lo, &hi, slice_str(eq + 1)))
		return cli_usage_error(m->cmd, _("'%s' is not NAME=ADDRESS"),
		                       text);
	name = arena_dup(&o->arena, (struct slice){(const uint8_t *)text,
	                                           (size_t)(eq - text)});
	if (!name)
		return no_memory(m);
	for (size_t i = 0; i < o->n_hosts; i++) {
		if (strcmp(o->hosts[i].name, name) == 0)
			h = &o->hosts[i];
	}
	if (!h) {
		h = &o->hosts[o->n_hosts++];
		h->name = name;
	}
	if (!fw_addrs_add_range(&o->arena, &h->addrs, lo, hi))
		return no_memory(m);
	return CLI_READY;
}

static const struct fw_host *host_of(const struct making *m, const char *name)
{
	for (size_t i = 0; i < m->out->n_hosts; i++) {
		if (strcmp(m->out->hosts[i].name, name) == 0)
			return &m->out->hosts[i];
	}
	return NULL;
}

static int add_dst(struct making *m, struct fw_flow *f,
                   const struct profile_row *row)
{
	struct arena *a = &m->out->arena;
	const struct fw_host *h = m->can_name ? NULL : host_of(m, row->host);

	if (row->addr.family != ADDR_NONE) {
		const struct fw_ip ip = fw_ip_of(&row->addr);

		return fw_addrs_add_range(a, &f->dst, ip, ip) ? 0 : ENOMEM;
	}
	if (!h)
		return fw_addrs_add_name(a, &f->dst, FW_ADDR_NAME, row->host)
		               ? 0
		               : ENOMEM;
	for (const struct fw_addr *ad = h->addrs.first; ad; ad = ad->next) {
		if (!fw_addrs_add_range(a, &f->dst, ad->lo, ad->hi))
			return ENOMEM;
	}
	return 0;
}

static int add_services(struct making *m, struct fw_flow *f,
                        const struct profile_row *row)
{
	static const struct {
		unsigned transports;
		int proto;
	} protos[] = {
		{PROFILE_UDP, FW_PROTO_UDP},
		{PROFILE_TCP | PROFILE_TLS, FW_PROTO_TCP},
	};

	for (size_t i = 0; i < ARRAY_LEN(protos); i++) {
		if (!(row->transports & protos[i].transports))
			continue;
		for (size_t k = 0; k < row->n_ports; k++) {
			if (!fw_services_add(&m->out->arena, &f->services,
			                     protos[i].proto,
			                     row->ports[k].first,
			                     row->ports[k].last))
				return ENOMEM;
		}
	}
	return 0;
}

static int add_row(struct making *m, const struct profile_row *row)
{
	struct cli_flows *o = m->out;
	struct fw_flow *f = &o->flows[o->n_flows];
	int err;

	if (m->how->skips_names && !m->can_name &&
	    row->addr.family == ADDR_NONE && !host_of(m, row->host)) {
		o->n_skipped++;
		return 0;
	}
	*f = (struct fw_flow){
		.name = row->host,
		.is_sip = row->cls == PROFILE_SIP,
		.min_udp_idle_s = m->how->session_s,
		.min_tcp_idle_s =
			session_s(m->profile, PROFILE_TIMER_TCP_SESSION),
	};
	if (!f->min_udp_idle_s)
		f->min_udp_idle_s =
			session_s(m->profile, PROFILE_TIMER_UDP_SESSION);
	f->id = arena_fmt(&o->arena, "%s-%u", row->table, row->row);
	f->title = arena_fmt(&o->arena, "%s row %u: %s %s", row->table,
	                     row->row, profile_class_name(row->cls), row->host);
	f->label = arena_fmt(&o->arena, "%s %u: %s %s", row->table, row->row,
	                     profile_class_name(row->cls), row->host);
	if (!f->id || !f->title || !f->label)
		return ENOMEM;
	err = add_dst(m, f, row);
	if (!err)
		err = add_services(m, f, row);
	if (!err)
		o->rows[o->n_flows++] = row;
	return err;
}

static int set_place(struct making *m)
{
	const struct cli_place *how = m->how;
	struct fw_place *place = &m->out->place;
	struct fw_ip lo, hi;

	place->path = how->is_host ? FW_PATH_OUTPUT : FW_PATH_FORWARD;
	place->out = how->wan;
	if (!how->lan)
		return 0;
	if (fw_ip_parse(&lo, &hi, slice_str(how->lan))) {
		place->in = how->lan;
		return 0;
	}
	return fw_addrs_add_range(&m->out->arena, &place->src, lo, hi) ? 0
	                                                               : ENOMEM;
}

enum cli_status cli_flows_make(struct cli_flows *out, const struct cli_cmd *cmd,
                               const struct profile *p,
                               const struct cli_place *how, bool can_name)
{
	struct making m = {out, cmd, p, how, can_name};
	enum cli_status status = CLI_READY;
	struct arena *a = &out->arena;

	*out = (struct cli_flows){0};
	arena_init(a);
	out->flows = arena_alloc(a, (p->n_rows + 1) * sizeof(*out->flows));
	out->rows = arena_alloc(a, (p->n_rows + 1) * sizeof(const void *));
	out->hosts =
		arena_alloc(a, (how->n_resolved + 1) * sizeof(*out->hosts));
	if (!out->flows || !out->rows || !out->hosts || set_place(&m))
		return no_memory(&m);
	for (size_t i = 0; i < how->n_resolved && status == CLI_READY; i++)
		status = add_host(&m, how->resolved[i]);
	for (size_t i = 0; i < p->n_rows && status == CLI_READY; i++) {
		if (add_row(&m, &p->rows[i]))
			status = no_memory(&m);
	}
	return status;
}

void cli_flows_fini(struct cli_flows *f)
{
	arena_fini(&f->arena);
}

int cli_place_option(struct cli_place *how, int id)
{
	switch (id) {
	case CLI_OPT_LAN:
		how->lan = optarg;
		return 0;
	case CLI_OPT_WAN:
		how->wan = optarg;
		return 0;
	case CLI_OPT_HOST:
		how->is_host = true;
		return 0;
	case CLI_OPT_RESOLVE:
		if (how->n_resolved == CLI_MAX_HOSTS)
			return EBADMSG;
		how->resolved[how->n_resolved++] = optarg;
		return 0;
	default:
		return EINVAL;
	}
}
