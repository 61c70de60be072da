/* SPDX-License-Identifier: ISC */
#include "cli/check_plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "cli/check.h"
#include "net/dns.h"
#include "net/guard.h"

enum {
	KB = 1000,
};

static void take_dns(struct probe_conf *conf, const struct addr *a)
{
	if (conf->n_dns < PROBE_MAX_DNS && net_guard_allows(a))
		conf->dns[conf->n_dns++] = *a;
}

void check_plan_dns(struct probe_conf *conf, const struct check_opts *o)
{
	struct net_dns_conf sys = {.n_servers = 0};

	for (size_t i = 0; i < o->n_dns; i++)
		take_dns(conf, &o->dns[i]);
	/* one on loopback would ask outside in our stead */
	if (o->n_dns > 0 || net_guard_is_on() ||
	    net_dns_conf_load(&sys, "/etc/resolv.conf"))
		return;
	for (size_t i = 0; i < sys.n_servers; i++)
		take_dns(conf, &sys.servers[i]);
}

static bool is_test(const char *word)
{
	for (const struct probe_ops *const *ops = probes; *ops; ops++) {
		if (strcmp((*ops)->name, word) == 0)
			return true;
	}
	return false;
}

enum cli_status check_plan_words(const struct check_opts *o,
                                 const struct profile *p)
{
	for (size_t i = 0; i < o->n_only + o->n_skip; i++) {
		const char *word =
			i < o->n_only ? o->only[i] : o->skip[i - o->n_only];

		if (!is_test(word) && !plan_word_is_known(p, word))
			return cli_usage_error(
				&cli_check,
				_("nothing of the profile or of the tests is "
			          "called '%s'; see --list-checks"),
				word);
	}
	return CLI_READY;
}

int check_plan_alloc(struct plan **pp, const struct check_opts *o,
                     const struct probe_conf *conf, const struct profile *p)
{
	const struct ask_account *ac = &conf->account;
	struct plan_conf pc = {
		.maps = o->maps,
		.n_maps = o->n_maps,
		.aliases = o->aliases,
		.n_aliases = o->n_aliases,
		.family = o->family,
		.only = o->only,
		.n_only = o->n_only,
		.skip = o->skip,
		.n_skip = o->n_skip,
		.may_resolve = conf->n_dns > 0,
		.has_extras = !o->is_quick &&
	                      (o->is_full || ac->sip_user || ac->turn_user),
		.may_go = net_guard_allows,
	};

	return plan_alloc(pp, p, &pc);
}

static void list_question(const struct plan *p, size_t i)
{
	const struct plan_question *q = plan_question(p, i);
	const struct plan_way *way = &q->service->ways[0];
	char to[ADDR_TEXT_BYTES], range[sizeof("-65535")] = "";

	if (q->last != q->addr.port)
		(void)snprintf(range, sizeof(range), "-%u", q->last);
	(void)printf("%s/%s %s%s %s\n", plan_kind_name(way->kind),
	             ask_via_name(way->via), addr_text(&q->addr, to), range,
	             q->host);
}

void check_plan_list(const struct plan *p, const struct probe_conf *conf)
{
	for (const struct probe_ops *const *ops = probes; *ops; ops++)
		(void)printf("%-16s %s\n", (*ops)->name, _((*ops)->summary));
	for (size_t i = 0; i < plan_n_names(p); i++) {
		const struct plan_name *name = plan_name(p, i);

		if (name->is_wanted && !name->is_given && conf->n_dns > 0)
			(void)printf("dns/udp %s\n", name->host);
	}
	for (size_t i = 0; i < plan_n_srvs(p); i++) {
		const struct plan_srv *srv = plan_srv(p, i);

		if (srv->is_wanted && !srv->is_given && conf->n_dns > 0)
			(void)printf("srv/udp %s\n", srv->host);
	}
	for (size_t i = 0; i < plan_n_questions(p); i++)
		list_question(p, i);
	check_plan_announce(stdout, p, &conf->effort);
}

void check_plan_announce(FILE *to, const struct plan *p,
                         const struct plan_effort *e)
{
	struct plan_cost open, most;

	plan_costs(&open, &most, p, e);
	(void)fprintf(to,
	              _("%u questions for %zu flows: about %" PRId64
	                " s, %u connections, %u packets and %" PRIu64
	                " kB if all answer, at most %" PRId64
	                " s, %u connections, %u packets and "
	                "%" PRIu64 " kB whatever happens. Counted is what this "
	                "computer sends; the SIP test comes on top.\n"),
	              open.n_questions, plan_n_flows(p),
	              (open.time_ns + NS_PER_S / 2) / NS_PER_S, open.n_flows,
	              open.n_packets, open.n_bytes / KB + 1,
	              (most.time_ns + NS_PER_S - 1) / NS_PER_S, most.n_flows,
	              most.n_packets, most.n_bytes / KB + 1);
}
