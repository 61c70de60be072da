/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "probe/srv.h"

static void check(const struct srv_list *l)
{
	if (l->n_targets > SRV_TARGETS_MAX || l->n_names > SRV_NAMES_MAX ||
	    (l->is_refused && l->n_targets > 0))
		abort();
	for (size_t i = 0; i < l->n_targets; i++) {
		if (l->targets[i].port == 0 || l->targets[i].host[0] == '\0' ||
		    strlen(l->targets[i].host) >= NET_DNS_NAME_BYTES)
			abort();
	}
	for (size_t i = 0; i < l->n_names; i++) {
		if (l->names[i][0] == '\0')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum net_dns_type types[] = {NET_DNS_SRV, NET_DNS_NAPTR};
	struct srv_list all = {.n_targets = 0};
	struct net_dns_msg m;
	struct report r;

	if (net_dns_decode(&m, (struct slice){data, size}))
		return 0;
	report_init(&r);
	for (size_t i = 0; i < 2; i++) {
		struct srv_list l = {.n_targets = 0};
		struct val records = srv_records(&r, &m, types[i]);

		if (records.items.n > SRV_RECORDS_MAX)
			abort();
		srv_take(&l, &r, &m, types[i], "SIP+D2U");
		check(&l);
		srv_join(&all, &l);
		check(&all);
	}
	report_fini(&r);
	net_dns_msg_fini(&m);
	return 0;
}
