/* SPDX-License-Identifier: ISC */
#include "probe/reach.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	PIN_MS = 1000,
	PIN_UNHEARD_MS = 300, /* where nobody has answered anything yet */
};

void reach_pin_take(struct reach *r, struct slice hex)
{
	struct wr w = wr_init(r->pin, sizeof(r->pin));

	if (!r->has_pin)
		r->has_pin =
			text_hex_read(&w, hex) == 0 && w.n == sizeof(r->pin);
}

void reach_pin_doubt(struct reach *r, int64_t now_ns)
{
	r->is_pin_doubtful |=
		r->rtt_ns == 0 &&
		now_ns - r->start_ns >= PIN_UNHEARD_MS * NS_PER_MS;
}

int64_t reach_pin_due_ns(const struct reach *r)
{
	return r->pin_ask && !r->is_pin_doubtful
	               ? r->start_ns + PIN_UNHEARD_MS * NS_PER_MS
	               : 0;
}

static void on_pin(void *arg, const struct ask_result *res)
{
	const struct val *cert = val_get(&res->fields, "certificate");
	struct reach *r = arg;

	if (cert)
		reach_pin_take(r, val_get_text(cert, "sha256"));
	ask_free(r->pin_ask);
	r->pin_ask = NULL;
	reach_wake(r);
}

int reach_pin_find(struct reach *r)
{
	const struct probe_conf *conf = r->run->conf;

	for (const struct fact *f = r->report->facts; f; f = f->next) {
		if (strcmp(f->id, "edge.certificate") == 0 &&
		    f->value.kind == VAL_TEXT)
			reach_pin_take(r, f->value.s);
	}
	if (r->has_pin || conf->edge.family == ADDR_NONE)
		return 0;
	r->pin_target = (struct ask_target){
		.host = addr_ip_text(&conf->edge, r->pin_host),
		.addr = conf->edge,
		.via = ASK_TLS,
	};
	r->pin_target.addr.port = r->pin_target.port_last = conf->ports.control;
	r->pin_conf.patience_ns = PIN_MS * NS_PER_MS;
	return ask_start(&r->pin_ask, reach_ops_of(r, PLAN_TLS), &r->pin_target,
	                 &r->pin_conf, r->report, on_pin, r);
}
