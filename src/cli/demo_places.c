/* SPDX-License-Identifier: ISC */
#include "cli/demo_places.h"

#include <errno.h>

#include "profile/service.h"

/* 198.51.100.100 and on; below are the server's usual addresses. */
static const struct prefix first_place = {
	.net = {.family = ADDR_IP4, .ip = {198, 51, 100, 100}}, .n_bits = 32};

/* A service's host is its domain. */
static const char *host_of(const struct profile_row *row)
{
	struct profile_service s = {.domain = row->host};

	if (row->is_srv)
		(void)profile_service_read(&s, row->host);
	return s.domain;
}

/* Rows name a host again and again; its first row places it. */
static bool is_first_of_host(const struct profile *p, size_t row)
{
	const char *host = host_of(&p->rows[row]);

	for (size_t i = 0; i < row; i++) {
		if (slice_ieq(slice_str(host_of(&p->rows[i])), slice_str(host)))
			return false;
	}
	return true;
}

static int place(struct cli_demo_places *p, struct lab_spec *spec,
                 struct arena *arena, const struct profile_row *row)
{
	struct prefix to = first_place;
	char text[ADDR_TEXT_BYTES];

	to.net.ip[3] = (uint8_t)(to.net.ip[3] + p->n);
	(void)addr_ip_text(&to.net, text);
	p->words[p->n] =
		row->addr.family == ADDR_IP4
			? arena_fmt(arena, "--map=%s/32=%s/32", row->host, text)
			: arena_fmt(arena, "--resolve=%s:%s", host_of(row),
	                            text);
	if (!p->words[p->n])
		return ENOMEM;
	p->n++;
	spec->server_nets[spec->n_server_nets++] = to;
	return 0;
}

int cli_demo_places_make(struct cli_demo_places *p, struct lab_spec *spec,
                         struct arena *arena, const struct profile *profile,
                         const char *path)
{
	size_t last;
	int err = 0;

	*p = (struct cli_demo_places){.n = 0};
	for (size_t i = 0; i < profile->n_rows && !err; i++) {
		p->has_services |= profile->rows[i].is_srv;
		if (profile->rows[i].addr.family != ADDR_IP6 &&
		    is_first_of_host(profile, i) &&
		    p->n < CLI_DEMO_PLACES_MAX &&
		    spec->n_server_nets < LAB_MAX_NETS)
			err = place(p, spec, arena, &profile->rows[i]);
	}
	last = p->n;
	if (p->has_services)
		p->words[last++] = "--dns";
	p->words[last] = arena_dup(arena, slice_str(path));
	if (!p->words[last])
		err = ENOMEM;
	return err;
}
