/* SPDX-License-Identifier: ISC */
#include "net/steer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/steer_priv.h"

static bool is_sound(const struct net_steer_conf *conf)
{
	if (conf->n_ranges == 0 || conf->n_ranges > NET_STEER_RANGES_MAX ||
	    conf->n_holes > NET_STEER_HOLES_MAX)
		return false;
	for (size_t i = 0; i < conf->n_ranges; i++) {
		const struct net_steer_range *r = &conf->ranges[i];

		if (r->at.family == ADDR_NONE || !r->first ||
		    r->first > r->last || r->fd < 0)
			return false;
	}
	return true;
}

int net_steer_open(struct net_steer **sp, enum net_steer_way way,
                   const struct net_steer_conf *conf)
{
	struct net_steer *s;
	int err;

	if (!is_sound(conf))
		return EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ENOMEM;
	s->prog_fd = s->map_fd = s->link_fd = -1;
	if (way == NET_STEER_SK_LOOKUP)
		err = net_steer_lookup(s, conf);
	else
		err = net_steer_tproxy(s, conf);
	if (err)
		net_steer_close(s);
	else
		*sp = s;
	return err;
}

void net_steer_close(struct net_steer *s)
{
	if (!s)
		return;
	if (s->link_fd >= 0)
		(void)close(s->link_fd);
	if (s->prog_fd >= 0)
		(void)close(s->prog_fd);
	if (s->map_fd >= 0)
		(void)close(s->map_fd);
	net_steer_tproxy_close(s);
	free(s);
}

const char *net_steer_way_name(enum net_steer_way way)
{
	return way == NET_STEER_SK_LOOKUP ? "sk_lookup" : "tproxy";
}
