/* SPDX-License-Identifier: ISC */
/*
 * What the rule model says of packets: for the comparison with the kernel.
 *
 * Lines on standard input:
 *   rules N    N bytes of configuration follow
 *   set ID V   the running kernel's value of a default (a sysctl)
 *   forward|output IN OUT SRC DST PROTO SPORT DPORT new|reply
 *              a packet; "-" stands for no interface
 *   go         answer all packets since the last one, in their order
 * An answer is a line "pass|fail|unknown LINE HELPER UDP_IDLE_S".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/audit.h"
#include "firewall/dialect.h"
#include "firewall/linux.h"
#include "firewall/space.h"

enum {
	MAX_QUESTIONS = 4096,
};

struct question {
	char path[16], in[16], out[16], src[64], dst[64], dir[8];
	unsigned proto, sport, dport;
	bool is_done;
};

struct session {
	struct wr text;
	struct fw_rules rules;
	struct diag dg;
	struct arena arena;
	struct question *q;
	char (*answers)[96];
	size_t n;
};

static const char *zone(const char *s)
{
	return strcmp(s, "-") == 0 ? NULL : s;
}

static bool is_together(const struct question *a, const struct question *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->in, b->in) == 0 &&
	       strcmp(a->out, b->out) == 0 && strcmp(a->src, b->src) == 0;
}

static int add_flow(struct fw_flow *f, struct arena *a,
                    const struct question *q)
{
	struct fw_ip lo, hi;
	struct fw_service *s;

	*f = (struct fw_flow){.id = "packet"};
	if (fw_ip_parse(&lo, &hi, slice_str(q->dst)) ||
	    !fw_addrs_add_range(a, &f->dst, lo, hi))
		return EBADMSG;
	s = fw_services_add(a, &f->services, (int)q->proto, (uint16_t)q->dport,
	                    (uint16_t)q->dport);
	if (!s)
		return ENOMEM;
	s->sport_lo = s->sport_hi = (uint16_t)q->sport;
	return 0;
}

static void put_answer(char out[96], const struct fw_answer *an, bool is_reply)
{
	static const char *const names[] = {"pass", "fail", "unknown"};
	const struct fw_judgement *j = is_reply ? &an->back : &an->out;
	const char *helper = "-";

	if (an->alg == FW_ON)
		helper = "sip";
	else if (an->alg != FW_OFF)
		helper = "?";
	(void)snprintf(out, 96, "%s %u %s %lld", names[j->verdict],
	               j->parts && j->parts->rule ? j->parts->rule->line : 0,
	               helper, (long long)an->udp_idle_s);
}

/* All questions of one place in one space, as an audit asks. */
static int answer_group(struct session *s, size_t first)
{
	const struct question *q = &s->q[first];
	struct fw_question all = {
		.place = {.path = strcmp(q->path, "output") == 0
	                                  ? FW_PATH_OUTPUT
	                                  : FW_PATH_FORWARD,
	                  .in = zone(q->in),
	                  .out = zone(q->out)}};
	struct fw_answer *answers;
	struct fw_flow *flows;
	struct fw_ip lo, hi;
	struct arena a;
	size_t k = 0;
	int err;

	arena_init(&a);
	flows = arena_alloc(&a, s->n * sizeof(*flows));
	err = flows ? 0 : ENOMEM;
	if (!err && (fw_ip_parse(&lo, &hi, slice_str(q->src)) ||
	             !fw_addrs_add_range(&a, &all.place.src, lo, hi)))
		err = EBADMSG;
	for (size_t i = first; i < s->n && !err; i++) {
		if (!s->q[i].is_done && is_together(&s->q[i], q))
			err = add_flow(&flows[all.n_flows++], &a, &s->q[i]);
	}
	all.flows = flows;
	if (!err)
		err = fw_answer_all(&answers, &a, &s->rules, &all);
	for (size_t i = first; i < s->n && !err; i++) {
		if (s->q[i].is_done || !is_together(&s->q[i], &s->q[first]))
			continue;
		put_answer(s->answers[i], &answers[k++],
		           strcmp(s->q[i].dir, "reply") == 0);
		s->q[i].is_done = i != first;
	}
	s->q[first].is_done = true;
	arena_fini(&a);
	return err;
}

static int answer_all(struct session *s)
{
	int err = 0;

	for (size_t i = 0; i < s->n && !err; i++) {
		if (!s->q[i].is_done)
			err = answer_group(s, i);
	}
	for (size_t i = 0; i < s->n && !err; i++)
		(void)puts(s->answers[i]);
	(void)fflush(stdout);
	s->n = 0;
	return err;
}

static void forget(struct session *s)
{
	fw_rules_fini(&s->rules);
	arena_fini(&s->arena);
	wr_fini(&s->text);
	s->text = wr_init_heap();
	arena_init(&s->arena);
	fw_rules_init(&s->rules);
}

static int read_rules(struct session *s, size_t n)
{
	const struct fw_dialect *d;
	uint8_t buf[4096];
	int err;

	forget(s);
	while (n > 0) {
		const size_t most = n < sizeof(buf) ? n : sizeof(buf);
		const size_t got = fread(buf, 1, most, stdin);

		if (got == 0)
			return EBADMSG;
		wr_put(&s->text, (struct slice){buf, got});
		n -= got;
	}
	d = fw_dialect_recognise(wr_slice(&s->text));
	if (s->text.bad || !d)
		return EBADMSG;
	diag_init(&s->dg, &s->arena, "rules", wr_slice(&s->text));
	err = d->parse(&s->rules, wr_slice(&s->text), &s->dg);
	for (const struct diag_item *it = s->dg.first; it; it = it->next)
		(void)fprintf(stderr, "%u:%u: %s\n", it->line, it->column,
		              it->message);
	return err;
}

static int take_line(struct session *s, const char *line)
{
	struct question *q = &s->q[s->n];
	unsigned long long n;
	char id[64];

	if (sscanf(line, "rules %llu", &n) == 1)
		return read_rules(s, (size_t)n);
	if (sscanf(line, "set %63s %llu", id, &n) == 2)
		return fw_linux_measured(&s->rules, id, (int64_t)n);
	if (strcmp(line, "go\n") == 0)
		return answer_all(s);
	*q = (struct question){0};
	if (s->n + 1 == MAX_QUESTIONS ||
	    sscanf(line, "%15s %15s %15s %63s %63s %u %u %u %7s", q->path,
	           q->in, q->out, q->src, q->dst, &q->proto, &q->sport,
	           &q->dport, q->dir) != 9)
		return EBADMSG;
	s->n++;
	return 0;
}

int main(void)
{
	struct session s = {.text = wr_init_heap()};
	char line[512];
	int err = 0;

	s.q = calloc(MAX_QUESTIONS, sizeof(*s.q));
	s.answers = calloc(MAX_QUESTIONS, sizeof(*s.answers));
	arena_init(&s.arena);
	fw_rules_init(&s.rules);
	if (!s.q || !s.answers)
		err = ENOMEM;
	while (!err && fgets(line, sizeof(line), stdin))
		err = take_line(&s, line);
	fw_rules_fini(&s.rules);
	arena_fini(&s.arena);
	wr_fini(&s.text);
	free(s.q);
	free(s.answers);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
