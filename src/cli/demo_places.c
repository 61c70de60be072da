/* SPDX-License-Identifier: ISC */
#include "cli/demo_places.h"

#include <errno.h>

/* 198.51.100.100 and on; below are the server's usual addresses. */
static const struct prefix first_place = {
	.net = {.family = ADDR_IP4, .ip = {198, 51, 100, 100}}, .n_bits = 32};

static bool can_move(const struct profile_row *row)
{
	return !row->is_srv && row->addr.family != ADDR_IP6;
}

/* Rows name a host again and again; its first row places it. */
static bool is_first_of_host(const struct profile *p, size_t row)
{
	const struct profile_row *r = &p->rows[row];

	for (size_t i = 0; i < row; i++) {
		if (slice_ieq(slice_str(p->rows[i].host), slice_str(r->host)))
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
			: arena_fmt(arena, "--resolve=%s:%s", row->host, text);
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
	int err = 0;

	*p = (struct cli_demo_places){.n = 0};
	for (size_t i = 0; i < profile->n_rows && !err; i++) {
		if (can_move(&profile->rows[i]) &&
		    is_first_of_host(profile, i) &&
		    p->n < CLI_DEMO_PLACES_MAX &&
		    spec->n_server_nets < LAB_MAX_NETS)
			err = place(p, spec, arena, &profile->rows[i]);
	}
	p->words[p->n] = arena_dup(arena, slice_str(path));
	if (!p->words[p->n])
		err = ENOMEM;
	return err;
}
