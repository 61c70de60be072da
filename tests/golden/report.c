/* SPDX-License-Identifier: ISC */
/*
 * Write a known report: report.c [json|junit|text|ascii|verbose] [CASE]. Cases
 * are built from facts as the probes leave them; the findings come from
 * diagnose/.
 */
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "report/report.h"

struct edit {
	const char *field, *before, *after, *cls;
};

static const struct edit netfilter[] = {
	{"Via", "SIP/2.0/UDP 192.168.1.33:5060;branch=z9hG4bKaB",
         "SIP/2.0/UDP 203.0.113.2:5060;branch=z9hG4bKaB", "address-rewritten"},
	{"Contact", "<sip:u@192.168.1.33:5060>", "<sip:u@203.0.113.2:5060>",
         "address-rewritten"},
	{"SDP o=", "- 1 1 IN IP4 198.51.100.77", "- 1 1 IN IP4 203.0.113.2",
         "address-rewritten"},
	{"SDP c=", "IN IP4 192.168.1.33", "IN IP4 203.0.113.2",
         "address-rewritten"},
	{NULL, NULL, NULL, NULL},
};

static void field(struct report *r, struct fact *f, const char *key,
                  const char *text)
{
	if (text)
		(void)fact_field(r, f, key, val_text(text));
}

static struct fact *shot(struct report *r, const char *transport, int port,
                         const char *role, const char *method,
                         const char *variant, const char *result,
                         const struct edit *edits)
{
	enum fact_state state = FACT_FAIL;
	struct fact *f;
	struct val *list;
	char scope[64];

	(void)snprintf(scope, sizeof(scope), "%s/%d/%s", transport, port,
	               method);
	if (strcmp(result, "clean") == 0)
		state = FACT_PASS;
	else if (strcmp(result, "unknown") == 0)
		state = FACT_UNKNOWN;
	f = report_fact(r, "alg.ladder", state, scope);
	field(r, f, "transport", transport);
	(void)fact_field(r, f, "dst_port", val_int(port));
	field(r, f, "role", role);
	field(r, f, "method", method);
	field(r, f, "variant", variant);
	field(r, f, "direction", "out");
	field(r, f, "result", result);
	list = fact_field(r, f, "edits", val_list());
	for (; edits && edits->field; edits++) {
		struct val *e = val_put(&r->arena, &r->no_memory, list, NULL,
		                        val_map());

		(void)val_put(&r->arena, &r->no_memory, e, "field",
		              val_text(edits->field));
		(void)val_put(&r->arena, &r->no_memory, e, "before",
		              val_bytes(slice_str(edits->before)));
		(void)val_put(&r->arena, &r->no_memory, e, "after",
		              val_bytes(slice_str(edits->after)));
		(void)val_put(&r->arena, &r->no_memory, e, "class",
		              val_text(edits->cls));
	}
	return f;
}

static void case_alg(struct report *r)
{
	struct fact *f;

	shot(r, "udp", 5060, "sip", "OPTIONS", NULL, "edited", netfilter);
	shot(r, "udp", 5060, "sip", "REGISTER", NULL, "edited", netfilter);
	shot(r, "udp", 5060, "sip", "INVITE", NULL, "edited", netfilter);
	shot(r, "udp", 5060, "sip", "CRLF", NULL, "clean", NULL);
	shot(r, "udp", 5060, "sip", "INVITE", "low-rtp-port", "request-dropped",
	     NULL);
	shot(r, "udp", 5062, "control", "INVITE", NULL, "clean", NULL);
	shot(r, "udp", 5062, "control", "INVITE", "low-rtp-port", "clean",
	     NULL);
	shot(r, "udp", 5080, "sip-alt", "REGISTER", NULL, "clean", NULL);
	shot(r, "udp", 5080, "sip-alt", "INVITE", NULL, "clean", NULL);
	shot(r, "tls", 5061, "tls", "REGISTER", NULL, "clean", NULL);
	f = report_fact(r, "alg.location", FACT_FAIL, "udp/5060");
	f->value = val_int(1);
	f->unit = "hop";
	(void)fact_field(r, f, "hop", val_int(1));
	field(r, f, "address", "192.168.1.1");
	field(r, f, "basis", "quote");
	(void)fact_evidence(r, f, "at", val_int(61));
	f = report_fact(r, "alg.pinhole", FACT_WARN, NULL);
	field(r, f, "result", "open");
	f = report_fact(r, "nat.mapping", FACT_PASS, NULL);
	field(r, f, "result", "address");
	field(r, f, "local", "192.168.1.33:5060");
	field(r, f, "observed", "203.0.113.2:5060");
}

static void case_clean(struct report *r)
{
	shot(r, "udp", 5060, "sip", "REGISTER", NULL, "clean", NULL);
	shot(r, "udp", 5080, "sip-alt", "REGISTER", NULL, "clean", NULL);
}

static void case_hostile(struct report *r)
{
	static const struct edit edits[] = {
		{"X-\x1b[2J", "caf\xc3\xa9\x00", "\xff\x9b\xe2\x80\xae\"\\\r\n",
	         "value-changed"},
		{"Subject", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "  two  ",
	         "a-class-of-tomorrow"},
		{NULL, NULL, NULL, NULL},
	};
	struct fact *f;

	shot(r, "udp", 5060, "sip", "OPTIONS", NULL, "edited", edits);
	f = report_fact(r, "rtp.loss", FACT_PASS, "\x1b]0;title\x07");
	f->value = val_real(0.25);
	f->unit = "%";
}

static void case_carrier(struct report *r)
{
	struct fact *f;

	shot(r, "udp", 5060, "sip", "REGISTER", NULL, "edited", netfilter);
	shot(r, "udp", 5062, "control", "REGISTER", NULL, "clean", NULL);
	shot(r, "tls", 5061, "tls", "REGISTER", NULL, "blocked", NULL);
	f = report_fact(r, "alg.location", FACT_FAIL, "udp/5060");
	f->value = val_int(3);
	f->unit = "hop";
	(void)fact_field(r, f, "hop", val_int(3));
	field(r, f, "address", "203.0.113.9");
	field(r, f, "basis", "quote");
	f = report_fact(r, "alg.timer", FACT_UNKNOWN, NULL);
	f->why.msgid = "The control port did not answer.";
}

static void case_empty(struct report *r)
{
	r->is_tested = false;
}

static const struct {
	const char *name;
	void (*build)(struct report *r);
} cases[] = {
	{"alg", case_alg},         {"clean", case_clean},
	{"hostile", case_hostile}, {"empty", case_empty},
	{"carrier", case_carrier},
};

int main(int argc, char *argv[])
{
	struct report_style st = {.width = 76};
	struct wr w = wr_init_heap();
	struct report r;
	int err = 1;

	(void)setlocale(LC_ALL, "");
	(void)bindtextdomain("prumo", getenv("PRUMO_LOCALEDIR"));
	(void)bind_textdomain_codeset("prumo", "UTF-8");
	(void)textdomain("prumo");
	if (argc != 3)
		return 64;
	report_init(&r);
	(void)val_put(&r.arena, &r.no_memory, &r.profile, "id",
	              val_text("cloudphone-pro"));
	(void)val_put(&r.arena, &r.no_memory, &r.profile, "version",
	              val_text("2026.11"));
	r.is_tested = true;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (strcmp(argv[2], cases[i].name) == 0) {
			cases[i].build(&r);
			err = diagnose_run(&r);
		}
	}
	st.is_utf8 = strcmp(argv[1], "ascii") != 0;
	st.is_verbose = strcmp(argv[1], "verbose") == 0;
	if (!err && strcmp(argv[1], "json") == 0)
		err = report_write_json(&w, &r);
	else if (!err && strcmp(argv[1], "junit") == 0)
		err = report_write_junit(&w, &r);
	else if (!err)
		err = report_write_text(&w, &r, &st);
	if (!err && fwrite(w.p, 1, w.n, stdout) != w.n)
		err = 1;
	wr_fini(&w);
	report_fini(&r);
	return err ? 70 : 0;
}
