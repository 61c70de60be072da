/* SPDX-License-Identifier: ISC */
/*
 * ask_one KIND VIA HOST ADDR PORT[-LAST] [key=value...]
 *
 * Puts one question and prints a report with one fact, "ask", whose value
 * says how it ended. ADDR "-": none. Keys: patience_ms, rtt_ms, flows, full,
 * flows_per_s, has_edge, pin (hexadecimal SHA-256), sip_user, sip_password,
 * sip_domain, turn_user, turn_password.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/loop.h"
#include "probe/asks.h"
#include "report/report.h"

enum {
	STATUS_USAGE = 64,
	STATUS_FAILED = 70,
	PATIENCE_MS = 3000,
	ARGS_MIN = 6,
	PIN_BYTES = 32,
};

static const struct ask_ops *const kinds[] = {
	/* clang-format off */
	&ask_dns,
	&ask_http,
	&ask_mtu,
	&ask_ntp,
	&ask_range,
	&ask_sip_options,
	&ask_sip_register,
	&ask_stun,
	&ask_tcp,
	&ask_tls,
	&ask_turn,
	&ask_xmpp,
	&ask_xmpp_bosh,
	&ask_xmpp_ws,
	/* clang-format on */
};

static const enum ask_via vias[] = {ASK_UDP, ASK_TCP, ASK_TLS, ASK_WS, ASK_WSS};

struct one {
	const struct ask_ops *ops;
	struct ask_target target;
	struct ask_conf conf;
	unsigned flows;
	uint8_t pin[PIN_BYTES];
	struct report report;
};

static void fail(const char *why, const char *what)
{
	(void)fprintf(stderr, "ask_one: %s: %s\n", why, what);
	exit(STATUS_USAGE);
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t v;

	if (text_u64(&v, slice_str(text), max))
		fail("not a number", text);
	return v;
}

static void read_ports(struct one *o, char *text)
{
	char *last = strchr(text, '-');

	if (last)
		*last++ = '\0';
	o->target.addr.port = (uint16_t)number(text, UINT16_MAX);
	o->target.port_last = o->target.addr.port;
	if (last)
		o->target.port_last = (uint16_t)number(last, UINT16_MAX);
}

static void read_pin(struct one *o, const char *value)
{
	struct wr w = wr_init(o->pin, sizeof(o->pin));

	if (text_hex_read(&w, slice_str(value)) || w.n != sizeof(o->pin))
		fail("not a SHA-256", value);
	o->conf.pin = o->pin;
}

static void read_key(struct one *o, char *arg)
{
	struct ask_account *who = &o->conf.account;
	const struct {
		const char *key;
		const char **into;
	} texts[] = {
		{"sip_user", &who->sip_user},
		{"sip_password", &who->sip_password},
		{"sip_domain", &who->sip_domain},
		{"turn_user", &who->turn_user},
		{"turn_password", &who->turn_password},
	};
	char *value = strchr(arg, '=');

	if (!value)
		fail("not key=value", arg);
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(arg, texts[i].key) == 0) {
			*texts[i].into = value;
			return;
		}
	}
	if (strcmp(arg, "patience_ms") == 0) {
		o->conf.patience_ns =
			(int64_t)number(value, INT32_MAX) * NS_PER_MS;
	} else if (strcmp(arg, "rtt_ms") == 0) {
		o->conf.rtt_ns = (int64_t)number(value, INT32_MAX) * NS_PER_MS;
	} else if (strcmp(arg, "flows") == 0) {
		o->flows = (unsigned)number(value, INT32_MAX);
		o->conf.flows_left = &o->flows;
	} else if (strcmp(arg, "full") == 0) {
		o->conf.is_full_range = number(value, 1) == 1;
	} else if (strcmp(arg, "has_edge") == 0) {
		o->conf.has_edge = number(value, 1) == 1;
	} else if (strcmp(arg, "flows_per_s") == 0) {
		o->conf.flows_per_s = (unsigned)number(value, INT32_MAX);
	} else if (strcmp(arg, "pin") == 0) {
		read_pin(o, value);
	} else {
		fail("unknown key", arg);
	}
}

static void read_args(struct one *o, char **argv)
{
	bool has_via = false;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(argv[1], kinds[i]->name) == 0)
			o->ops = kinds[i];
	}
	if (!o->ops)
		fail("unknown kind", argv[1]);
	for (size_t i = 0; i < ARRAY_LEN(vias); i++) {
		if (strcmp(argv[2], ask_via_name(vias[i])) == 0) {
			o->target.via = vias[i];
			has_via = true;
		}
	}
	if (!has_via)
		fail("unknown transport", argv[2]);
	o->target.host = argv[3];
	if (strcmp(argv[4], "-") != 0 &&
	    addr_parse(&o->target.addr, slice_str(argv[4])))
		fail("not an address", argv[4]);
	read_ports(o, argv[5]);
	o->conf.patience_ns = PATIENCE_MS * NS_PER_MS;
	for (argv += ARGS_MIN; *argv; argv++)
		read_key(o, *argv);
}

static struct val *put(struct one *o, struct val *map, const char *key,
                       struct val v)
{
	return val_put(&o->report.arena, &o->report.no_memory, map, key, v);
}

static void on_done(void *arg, const struct ask_result *r)
{
	struct one *o = arg;
	struct fact *f = report_fact(&o->report, "ask", FACT_PASS, NULL);
	char buf[ADDR_TEXT_BYTES];

	f->value = val_map();
	put(o, &f->value, "end", val_text(ask_end_name(r->end)));
	put(o, &f->value, "layer", val_text(ask_layer_name(r->layer)));
	put(o, &f->value, "is_edge", val_bool(r->is_edge));
	put(o, &f->value, "rtt_ms",
	    val_real((double)r->rtt_ns / (double)NS_PER_MS));
	put(o, &f->value, "error",
	    val_text(r->error ? strerrorname_np(r->error) : NULL));
	put(o, &f->value, "offender",
	    val_text(report_text(&o->report,
	                         slice_str(addr_ip_text(&r->offender, buf)))));
	put(o, &f->value, "icmp_type", val_int(r->icmp_type));
	put(o, &f->value, "icmp_code", val_int(r->icmp_code));
	put(o, &f->value, "sent", val_int(r->n_sent));
	put(o, &f->value, "flows_left", val_int(o->flows));
	put(o, &f->value, "fields", r->fields);
	put(o, &f->value, "evidence", r->evidence);
	net_stop();
}

static int run(struct one *o)
{
	struct ask *a = NULL;
	struct wr out = wr_init_heap();
	int err;

	err = ask_start(&a, o->ops, &o->target, &o->conf, &o->report, on_done,
	                o);
	if (!err)
		err = net_run(NULL, NULL);
	ask_free(a);
	if (!err)
		err = report_write_json(&out, &o->report);
	if (!err && fwrite(out.p, 1, out.n, stdout) != out.n)
		err = 1;
	wr_fini(&out);
	return err;
}

int main(int argc, char **argv)
{
	struct one o = {0};
	int err;

	if (argc < ARGS_MIN)
		fail("usage", "KIND VIA HOST ADDR PORT[-LAST] [key=value...]");
	read_args(&o, argv);
	report_init(&o.report);
	if (net_open())
		return STATUS_FAILED;
	err = run(&o);
	net_close();
	report_fini(&o.report);
	return err ? STATUS_FAILED : 0;
}
