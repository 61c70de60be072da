/* SPDX-License-Identifier: ISC */
/*
 * trace_one ADDR VIA PORT VIA PORT [key=value...]
 *
 * Follows the flow to the first port, with one to the second (0: none) for
 * comparison, and prints a report with one fact. VIA: udp, tcp. Keys:
 * rtt_ms, n_hops, patience_ms, src_port, payload; closed: nobody uses the
 * second port.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/loop.h"
#include "probe/trace.h"
#include "report/report.h"

enum {
	STATUS_USAGE = 64,
	STATUS_FAILED = 70,
	PATIENCE_MS = 5000,
	ARGS_MIN = 6,
};

struct one {
	struct trace_spec spec;
	struct report report;
};

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t v = 0;

	if (text_u64(&v, slice_str(text), max)) {
		(void)fprintf(stderr, "trace_one: not a number: %s\n", text);
		exit(STATUS_USAGE);
	}
	return v;
}

static void read_flow(struct trace_flow *f, const struct addr *to, char **argv)
{
	uint16_t port = (uint16_t)number(argv[1], UINT16_MAX);

	if (port == 0)
		return;
	f->is_tcp = strcmp(argv[0], "tcp") == 0;
	f->to = *to;
	f->to.port = port;
}

static void read_key(struct one *o, char *arg)
{
	char *value = strchr(arg, '=');

	if (!value)
		exit(STATUS_USAGE);
	*value++ = '\0';
	if (strcmp(arg, "rtt_ms") == 0)
		o->spec.rtt_ns = (int64_t)number(value, INT32_MAX) * NS_PER_MS;
	else if (strcmp(arg, "patience_ms") == 0)
		o->spec.patience_ns =
			(int64_t)number(value, INT32_MAX) * NS_PER_MS;
	else if (strcmp(arg, "n_hops") == 0)
		o->spec.n_hops = (unsigned)number(value, HOP_MAX);
	else if (strcmp(arg, "src_port") == 0)
		o->spec.flow.src_port = (uint16_t)number(value, UINT16_MAX);
	else if (strcmp(arg, "closed") == 0)
		o->spec.control.is_closed = true;
	else if (strcmp(arg, "payload") == 0)
		o->spec.flow.payload = slice_str(value);
	else
		exit(STATUS_USAGE);
}

static void on_done(void *arg, const struct trace_result *r)
{
	struct one *o = arg;
	struct fact *f = report_fact(&o->report, "trace", FACT_PASS, NULL);

	f->value = trace_val(&o->report.arena, &o->report.no_memory, r);
	(void)fact_field(&o->report, f, "sent", val_int(r->n_sent));
	net_stop();
}

static int run(struct one *o)
{
	struct trace *t = NULL;
	struct wr out = wr_init_heap();
	int err = trace_start(&t, &o->spec, on_done, o);

	if (!err)
		err = net_run(NULL, NULL);
	trace_free(t);
	if (!err)
		err = report_write_json(&out, &o->report);
	if (!err && fwrite(out.p, 1, out.n, stdout) != out.n)
		err = 1;
	wr_fini(&out);
	return err;
}

int main(int argc, char **argv)
{
	struct one o = {.spec.patience_ns = PATIENCE_MS * NS_PER_MS};
	struct addr to;
	int err;

	if (argc < ARGS_MIN || addr_parse(&to, slice_str(argv[1])))
		return STATUS_USAGE;
	read_flow(&o.spec.flow, &to, argv + 2);
	read_flow(&o.spec.control, &to, argv + 4);
	for (argv += ARGS_MIN; *argv; argv++)
		read_key(&o, *argv);
	report_init(&o.report);
	if (net_open())
		return STATUS_FAILED;
	err = run(&o);
	net_close();
	report_fini(&o.report);
	return err ? STATUS_FAILED : 0;
}
