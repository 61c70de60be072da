/* SPDX-License-Identifier: ISC */
/*
 * What the rule model says of packets: for the comparison with the kernel.
 *
 * usage: firewall_decide FILE < packets
 *
 * A packet is a line "forward|output IN OUT SRC DST PROTO SPORT DPORT STATE";
 * "-" stands for no interface. The answer is a line
 * "pass|fail|unknown LINE HELPER UDP_IDLE_S".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/dialect.h"
#include "firewall/space.h"

static int read_file(struct wr *w, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t buf[4096];
	size_t n;

	if (!f)
		return errno;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		wr_put(w, (struct slice){buf, n});
	(void)fclose(f);
	return w->bad ? ENOMEM : 0;
}

struct question {
	char path[16], in[16], out[16], src[64], dst[64];
	unsigned proto, sport, dport, state;
};

static const char *zone(const char *s)
{
	return strcmp(s, "-") == 0 ? NULL : s;
}

static int answer(const struct fw_rules *rules, const struct question *q)
{
	static const char *const names[] = {"pass", "fail", "unknown"};
	struct fw_place place = {.path = strcmp(q->path, "output") == 0
	                                         ? FW_PATH_OUTPUT
	                                         : FW_PATH_FORWARD,
	                         .in = zone(q->in),
	                         .out = zone(q->out)};
	struct fw_flow flow = {.id = "packet"};
	struct fw_service *s;
	struct fw_space *sp = NULL;
	struct fw_judgement j;
	struct fw_ip lo, hi;
	struct arena a;
	int err;

	arena_init(&a);
	if (fw_ip_parse(&lo, &hi, slice_str(q->src)) ||
	    !fw_addrs_add_range(&a, &place.src, lo, hi) ||
	    fw_ip_parse(&lo, &hi, slice_str(q->dst)) ||
	    !fw_addrs_add_range(&a, &flow.dst, lo, hi))
		return EBADMSG;
	s = fw_services_add(&a, &flow.services, (int)q->proto,
	                    (uint16_t)q->dport, (uint16_t)q->dport);
	if (!s)
		return ENOMEM;
	s->sport_lo = s->sport_hi = (uint16_t)q->sport;
	err = fw_space_alloc(&sp, rules, &flow, 1, &place, NULL, 0);
	if (!err)
		err = fw_space_judge(&j, &a, sp, 0,
		                     q->state == FW_STATE_NEW ? FW_ORIGINAL
		                                              : FW_REPLY);
	if (!err)
		(void)printf("%s %u %s %lld\n", names[j.verdict],
		             j.parts && j.parts->rule ? j.parts->rule->line : 0,
		             j.attrs.alg == FW_ON ? j.attrs.helper : "-",
		             (long long)(j.idle_rule ? j.attrs.udp_idle_s
		                                     : FW_IDLE_UNSET));
	fw_space_free(sp);
	arena_fini(&a);
	return err;
}

int main(int argc, char **argv)
{
	const struct fw_dialect *d;
	struct wr text = wr_init_heap();
	struct fw_rules rules;
	struct question q;
	struct arena arena;
	struct diag dg;
	int err;

	if (argc != 2 || read_file(&text, argv[1]))
		return EXIT_FAILURE;
	d = fw_dialect_recognise(wr_slice(&text));
	if (!d)
		return EXIT_FAILURE;
	arena_init(&arena);
	diag_init(&dg, &arena, argv[1], wr_slice(&text));
	fw_rules_init(&rules);
	err = d->parse(&rules, wr_slice(&text), &dg);
	for (const struct diag_item *it = dg.first; it; it = it->next)
		(void)fprintf(stderr, "%u:%u: %s\n", it->line, it->column,
		              it->message);
	while (!err && scanf("%15s %15s %15s %63s %63s %u %u %u %u", q.path,
	                     q.in, q.out, q.src, q.dst, &q.proto, &q.sport,
	                     &q.dport, &q.state) == 9)
		err = answer(&rules, &q);
	fw_rules_fini(&rules);
	arena_fini(&arena);
	wr_fini(&text);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
