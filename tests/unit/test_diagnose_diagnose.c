/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "oom.h"

/*
 * A case is a list of facts, one a line:
 *
 *   TRANSPORT PORT ROLE METHOD VARIANT RESULT [DIRECTION [FIELD=CLASS...]]
 *   fact ID STATE [KEY=VALUE...]
 *
 * with "-" for what is absent, and FIELD_o for "SDP o=".
 */

static enum fact_state state_of(const char *name)
{
	for (int s = FACT_PASS; s <= FACT_SKIPPED; s++) {
		if (strcmp(fact_state_name((enum fact_state)s), name) == 0)
			return (enum fact_state)s;
	}
	fail_msg("no state: %s", name);
	return FACT_PASS;
}

static const char *word(struct report *r, char **at)
{
	char *w = strsep(at, " ");

	return w ? report_text(r, slice_str(w)) : NULL;
}

static void put(struct report *r, struct fact *f, const char *key,
                const char *text)
{
	if (text && strcmp(text, "-") != 0)
		(void)fact_field(r, f, key, val_text(text));
}

/* "Via=address-rewritten"; the values are those of a rewriting. */
static void put_edit(struct report *r, struct val *edits, const char *spec)
{
	struct val *e =
		val_put(&r->arena, &r->no_memory, edits, NULL, val_map());
	const char *cls = strrchr(spec, '=');
	struct slice field = {(const uint8_t *)spec, (size_t)(cls - spec)};
	const char *name = report_text(r, field);
	const char *before = "192.168.1.33:5060", *after = "203.0.113.2:5060";

	if (strcmp(name, "SDP_o") == 0) {
		name = "SDP o=";
		before = "- 1 1 IN IP4 198.51.100.77";
		after = "- 1 1 IN IP4 203.0.113.2";
	} else if (strcmp(name, "SDP_c") == 0) {
		name = "SDP c=";
		before = "IN IP4 192.168.1.33";
		after = "IN IP4 203.0.113.2";
	}
	(void)val_put(&r->arena, &r->no_memory, e, "field", val_text(name));
	(void)val_put(&r->arena, &r->no_memory, e, "before", val_text(before));
	(void)val_put(&r->arena, &r->no_memory, e, "after", val_text(after));
	(void)val_put(&r->arena, &r->no_memory, e, "class", val_text(cls + 1));
}

static void add_other(struct report *r, char *rest)
{
	const char *id = word(r, &rest);
	struct fact *f = report_fact(r, id, state_of(word(r, &rest)), NULL);
	const char *w;

	while ((w = word(r, &rest))) {
		const char *eq = strchr(w, '=');
		struct slice key = {(const uint8_t *)w, (size_t)(eq - w)};
		bool is_number = strspn(eq + 1, "0123456789") == strlen(eq + 1);
		struct val v = val_text(eq + 1);

		if (is_number)
			v = val_int(atoi(eq + 1));
		if (slice_eq_str(key, "value"))
			f->value = v;
		else
			(void)fact_field(r, f, report_text(r, key), v);
	}
}

static void add_shot(struct report *r, const char *transport, char *rest)
{
	int port = atoi(word(r, &rest));
	const char *role = word(r, &rest), *method = word(r, &rest);
	const char *variant = word(r, &rest), *result = word(r, &rest);
	const char *direction = word(r, &rest), *edit;
	struct fact *f = report_fact(r, "alg.ladder", FACT_FAIL, NULL);
	struct val *edits;

	put(r, f, "transport", transport);
	(void)fact_field(r, f, "dst_port", val_int(port));
	put(r, f, "role", role);
	put(r, f, "method", method);
	put(r, f, "variant", variant);
	put(r, f, "result", result);
	put(r, f, "direction", direction ? direction : "out");
	edits = fact_field(r, f, "edits", val_list());
	while ((edit = word(r, &rest)))
		put_edit(r, edits, edit);
}

static void build(struct report *r, const char *facts)
{
	char *all = strdup(facts), *at = all, *line;

	assert_non_null(all);
	report_init(r);
	while ((line = strsep(&at, "\n"))) {
		const char *first = word(r, &line);

		if (!line)
			continue;
		if (strcmp(first, "fact") == 0)
			add_other(r, line);
		else
			add_shot(r, first, line);
	}
	free(all);
}

/* "alg.rewrites-sip:fail:router path.sip-port-blocked:warn:unknown" */
static void findings_text(const struct report *r, char *buf, size_t n)
{
	struct wr w = wr_init(buf, n);

	for (const struct finding *fd = r->findings; fd; fd = fd->next)
		wr_fmt(&w, "%s%s:%s:%s", w.n > 0 ? " " : "", fd->id,
		       finding_severity_name(fd->severity),
		       segment_name(fd->segment));
	wr_u8(&w, 0);
	assert_false(w.bad);
}

#define CONTROL "udp 5062 control INVITE - clean\n"

static void test_rules(void **state)
{
	static const struct {
		const char *why;
		const char *facts;
		const char *want;
	} cases[] = {
		{"nothing asked", "", ""},
		{"all clean", "udp 5060 sip INVITE - clean\n" CONTROL, ""},
		{"all skipped", "udp 5060 sip INVITE - skipped\n", ""},

		{"rewriting",
	         "udp 5060 sip INVITE - edited out Via=address-rewritten\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"rewriting beside the main port",
	         "udp 5060 sip INVITE - clean\n"
	         "udp 5080 sip-alt INVITE - edited out Via=address-rewritten\n",
	         "alg.rewrites-sip:warn:unknown"},
		{"an edit of a class from tomorrow is a rewriting",
	         "udp 5060 sip INVITE - edited out Via=turned-blue\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"corruption outweighs rewriting",
	         "udp 5060 sip INVITE - edited out Via=address-rewritten "
	         "Content-Length=length-wrong\n",
	         "alg.corrupts-sip:fail:unknown"},
		{"an adapted length is no corruption",
	         "udp 5060 sip INVITE - edited out "
	         "Content-Length=length-updated\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"a proxy",
	         "udp 5060 sip INVITE - edited out Via=via-added "
	         "Max-Forwards=hop-count-changed\n",
	         "alg.acts-as-proxy:fail:unknown"},
		{"order alone makes no proxy",
	         "udp 5060 sip INVITE - edited out Contact=header-reordered\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"the Via in a server's answer",
	         "fact alg.via-reflection fail result=edited\n",
	         "alg.rewrites-sip:fail:unknown"},

		{"an ALG that keeps to the old session",
	         "udp 5060 sip OPTIONS - edited out Via=address-rewritten\n"
	         "udp 5060 sip INVITE - clean\n"
	         "udp 5060 sip OPTIONS new-session clean\n"
	         "udp 5060 sip OPTIONS again edited out Via=via-added\n",
	         "alg.stale-session:fail:unknown"},
		{"an ALG that touches new sessions, too",
	         "udp 5060 sip OPTIONS - edited out Via=address-rewritten\n"
	         "udp 5060 sip OPTIONS new-session edited out "
	         "Via=address-rewritten\n"
	         "udp 5060 sip OPTIONS again edited out "
	         "Via=address-rewritten\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"an ALG that was turned off meanwhile",
	         "udp 5060 sip OPTIONS - edited out Via=address-rewritten\n"
	         "udp 5060 sip OPTIONS new-session clean\n"
	         "udp 5060 sip OPTIONS again clean\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"an ALG whose second try was lost",
	         "udp 5060 sip OPTIONS - edited out Via=address-rewritten\n"
	         "udp 5060 sip OPTIONS new-session clean\n"
	         "udp 5060 sip OPTIONS again lossy\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"one message of three touched in a new session, too",
	         "udp 5060 sip OPTIONS - edited out Via=address-rewritten\n"
	         "udp 5060 sip OPTIONS new-session clean\n"
	         "udp 5060 sip OPTIONS again edited out "
	         "Via=address-rewritten\n"
	         "udp 5060 sip INVITE - edited out Via=address-rewritten\n"
	         "udp 5060 sip INVITE new-session edited out "
	         "Via=address-rewritten\n"
	         "udp 5060 sip INVITE again edited out "
	         "Via=address-rewritten\n",
	         "alg.rewrites-sip:fail:unknown"},
		{"a dead session",
	         "udp 5060 sip OPTIONS - request-dropped\n"
	         "udp 5060 sip INVITE - request-dropped\n"
	         "udp 5060 sip INVITE low-rtp-port request-dropped\n"
	         "udp 5060 sip INVITE short no-answer\n"
	         "udp 5060 sip OPTIONS new-session clean\n"
	         "udp 5060 sip INVITE new-session clean\n"
	         "udp 10443 control INVITE low-rtp-port clean\n" CONTROL,
	         "path.stale-session:fail:unknown"},
		{"a session whose answers are lost",
	         "udp 5060 sip OPTIONS - answer-dropped\n"
	         "udp 5060 sip INVITE - answer-dropped\n"
	         "udp 5060 sip OPTIONS new-session clean\n"
	         "udp 5060 sip INVITE new-session clean\n" CONTROL,
	         "path.stale-session:fail:unknown"},
		{"an old session that loses two messages of three",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip REGISTER - request-dropped\n"
	         "udp 5060 sip INVITE - request-dropped\n"
	         "udp 5060 sip REGISTER new-session clean\n"
	         "udp 5060 sip INVITE new-session clean\n" CONTROL,
	         "alg.stale-session:fail:unknown"},
		{"one message that a new session lets through is not enough",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE - request-dropped\n"
	         "udp 5060 sip INVITE new-session clean\n" CONTROL,
	         "alg.drops-sip:fail:unknown"},
		{"new sessions are lost, too",
	         "udp 5060 sip CRLF - clean\n"
	         "udp 5060 sip INVITE - request-dropped\n"
	         "udp 5060 sip INVITE new-session request-dropped\n" CONTROL,
	         "alg.drops-sip:fail:unknown"},
		{"a drop with its twin",
	         "udp 5060 sip CRLF - clean\n"
	         "udp 5060 sip INVITE - request-dropped\n" CONTROL,
	         "alg.drops-sip:fail:unknown"},
		{"a drop without a twin",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE - request-dropped\n"
	         "udp 5062 control INVITE - request-dropped\n"
	         "udp 5062 control OPTIONS - clean\n",
	         "path.drops-messages:fail:unknown"},
		{"a twin of another variant",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE low-rtp-port request-dropped\n" CONTROL,
	         "path.drops-messages:warn:unknown"},
		{"answers dropped",
	         "udp 5060 sip INVITE - answer-dropped\n" CONTROL,
	         "alg.drops-answers:fail:unknown"},
		{"answers dropped by this computer itself",
	         "udp 5060 sip INVITE - answer-dropped\n" CONTROL
	         "fact flow.reached fail transport=udp dst_port=5060 class=sip "
	         "result=local is_dropped_here=1\n",
	         "device.firewall:fail:device alg.unknown:warn:unknown"},
		{"answers dropped everywhere",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE - answer-dropped\n",
	         "path.drops-messages:fail:unknown"},
		{"answers dropped from every port",
	         "udp 5060 sip INVITE - answer-dropped\n"
	         "udp 5080 sip-alt INVITE - answer-dropped\n"
	         "udp 5062 control INVITE - answer-dropped\n",
	         "path.drops-messages:fail:unknown"},
		{"only an INVITE that no phone sends is dropped",
	         "udp 5060 sip INVITE - clean\n"
	         "udp 5060 sip INVITE low-rtp-port request-dropped\n"
	         "udp 5062 control INVITE low-rtp-port clean\n",
	         "alg.drops-sip:warn:unknown"},
		{"pinhole, and an INVITE that no phone sends is dropped",
	         "udp 5060 sip INVITE - clean\n"
	         "udp 5060 sip INVITE low-rtp-port request-dropped\n"
	         "udp 5062 control INVITE low-rtp-port clean\n"
	         "fact alg.pinhole warn result=open\n",
	         "alg.opens-pinholes:warn:unknown"},
		{"inbound edited",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE - edited in Contact=address-rewritten\n",
	         "alg.edits-inbound:fail:unknown"},
		{"inbound dropped, its twin arrived",
	         "udp 5060 sip INVITE - clean\n"
	         "udp 5060 sip INVITE - request-dropped in\n",
	         "alg.drops-sip:fail:unknown"},
		{"inbound lost with its twin",
	         "udp 5060 sip INVITE - clean\n"
	         "udp 5060 sip INVITE - no-answer in\n",
	         ""},
		{"a STUN port is nobody's phone",
	         "udp 5060 sip INVITE - clean\n"
	         "udp 3478 stun STUN - no-answer\n",
	         ""},
		{"inbound clean",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE - clean in\n",
	         ""},
		{"pinhole only",
	         "udp 5060 sip INVITE - clean\n"
	         "fact alg.pinhole warn result=open\n",
	         "alg.opens-pinholes:warn:unknown"},
		{"open to the registrar only",
	         "udp 5060 sip INVITE - clean\n"
	         "fact alg.pinhole warn result=open-to-registrar\n",
	         "alg.opens-pinholes:warn:unknown"},
		{"no pinhole",
	         "udp 5060 sip INVITE - clean\n"
	         "fact alg.pinhole pass result=closed\n",
	         ""},
		{"timer only",
	         "udp 5060 sip INVITE - clean\n"
	         "fact alg.timer warn result=longer-on-sip\n",
	         "alg.stretches-timer:note:unknown"},
		{"same timer",
	         "udp 5060 sip INVITE - clean\n"
	         "fact alg.timer pass result=same\n",
	         ""},
		{"one cause for all symptoms",
	         "udp 5060 sip INVITE - edited out Via=address-rewritten\n"
	         "udp 5060 sip INVITE - edited in Contact=address-rewritten\n"
	         "udp 5060 sip INVITE low-rtp-port request-dropped\n"
	         "udp 5062 control INVITE low-rtp-port clean\n"
	         "fact alg.pinhole warn result=open\n"
	         "fact alg.timer warn result=longer-on-sip\n",
	         "alg.rewrites-sip:fail:unknown"},

		{"main port blocked",
	         "udp 5060 sip OPTIONS - blocked\n"
	         "udp 5060 sip CRLF - request-dropped\n"
	         "udp 5062 control OPTIONS - clean\n",
	         "path.sip-port-blocked:fail:unknown"},
		{"one lost message blocks no port",
	         "udp 5060 sip MESSAGE x no-answer\n"
	         "udp 5060 sip OPTIONS - clean\n" CONTROL,
	         "path.drops-messages:warn:unknown"},
		{"a message lost unlike its twin, and no report",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE - no-answer\n" CONTROL,
	         "alg.drops-sip:fail:unknown"},
		{"the same, with a form that no call needs",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip INVITE low-rtp-port no-answer\n"
	         "udp 5062 control INVITE low-rtp-port clean\n",
	         "alg.drops-sip:warn:unknown"},
		{"a message lost everywhere",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5060 sip REGISTER - no-answer\n"
	         "udp 5062 control REGISTER - no-answer\n",
	         "path.drops-messages:fail:unknown"},
		{"another transport of the main port passes",
	         "udp 5060 sip OPTIONS - clean\n"
	         "tcp 5060 sip OPTIONS - blocked\n",
	         "path.sip-port-blocked:warn:unknown"},
		{"the control port is nobody's phone",
	         "udp 5060 sip OPTIONS - clean\n"
	         "udp 5062 control OPTIONS - blocked\n",
	         ""},
		{"UDP blocked",
	         "udp 5060 sip OPTIONS - no-answer\n"
	         "udp 5062 control OPTIONS - no-answer\n"
	         "tcp 5060 sip OPTIONS - clean\n",
	         "path.udp-blocked:fail:unknown"},
		{"UDP blocked, and a TCP port",
	         "udp 5060 sip OPTIONS - no-answer\n"
	         "tls 5061 tls OPTIONS - blocked\n"
	         "tcp 5060 sip OPTIONS - clean\n",
	         "path.udp-blocked:fail:unknown "
	         "path.sip-port-blocked:warn:unknown"},
		{"server up, nothing passes",
	         "udp 5060 sip OPTIONS - no-answer\n"
	         "tcp 5060 sip OPTIONS - refused\n"
	         "fact edge.control pass\n",
	         "path.unreachable:fail:unknown"},
		{"silence",
	         "udp 5060 sip OPTIONS - no-answer\n"
	         "tcp 5060 sip OPTIONS - no-answer\n"
	         "fact edge.control fail\n",
	         "edge.unreachable:note:unknown"},
		{"the edge alone is silent", "fact edge.hello unknown\n",
	         "edge.unreachable:note:unknown"},

		{"nothing decided",
	         "udp 5060 sip OPTIONS - unknown\n"
	         "fact alg.via-reflection pass result=same\n",
	         "alg.unknown:warn:unknown"},
		{"a same Via acquits nobody",
	         "fact alg.via-reflection pass result=same\n",
	         "alg.unknown:warn:unknown"},
		{"a keep-alive acquits nobody",
	         "udp 5060 sip CRLF - clean\n"
	         "udp 5060 sip INVITE - unknown\n",
	         "alg.unknown:warn:unknown"},
		{"TCP does not speak for UDP",
	         "udp 5060 sip INVITE - unknown\n"
	         "tcp 5060 sip INVITE - clean\n",
	         "alg.unknown:warn:unknown"},
		{"the ladder says more than the Via",
	         "udp 5060 sip INVITE - clean\n"
	         "fact alg.via-reflection pass result=same\n",
	         ""},
		{"decided by one clean message",
	         "udp 5060 sip OPTIONS - unknown\n"
	         "udp 5060 sip INVITE - clean\n",
	         ""},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report r;
		char got[256];

		build(&r, cases[i].facts);
		assert_int_equal(diagnose_run(&r), 0);
		findings_text(&r, got, sizeof(got));
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].why, got,
			         cases[i].want);
		report_fini(&r);
	}
}

static void test_segment_follows_the_hop(void **state)
{
	static const struct {
		const char *location;
		enum segment segment;
		enum act act;
	} cases[] = {
		{"fact alg.location fail hop=1 address=203.0.113.1\n",
	         SEGMENT_ROUTER, ACT_CUSTOMER},
		{"fact alg.location fail hop_min=0 hop_max=1\n",
	         SEGMENT_UNKNOWN, ACT_CUSTOMER},
		{"fact alg.location fail hop_min=1 hop_max=3\n",
	         SEGMENT_UNKNOWN, ACT_CUSTOMER},
		{"fact alg.location fail hop=2 address=10.0.0.1\n", SEGMENT_LAN,
	         ACT_CUSTOMER},
		{"fact alg.location fail hop=2 address=100.64.0.1\n",
	         SEGMENT_CARRIER, ACT_CARRIER},
		{"fact alg.location fail hop=3 address=203.0.113.1\n",
	         SEGMENT_CARRIER, ACT_CARRIER},
		{"fact alg.location fail hop=3\n", SEGMENT_UNKNOWN,
	         ACT_CUSTOMER},
		{"fact path.hops pass value=4\n"
	         "fact alg.location fail hop=4 address=203.0.113.1\n",
	         SEGMENT_PROVIDER, ACT_PROVIDER},
		{"fact alg.location unknown hop=1\n", SEGMENT_UNKNOWN,
	         ACT_CUSTOMER},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report r;
		char facts[256];

		(void)snprintf(facts, sizeof(facts),
		               "udp 5060 sip INVITE - edited out "
		               "Via=address-rewritten\n%s",
		               cases[i].location);
		build(&r, facts);
		assert_int_equal(diagnose_run(&r), 0);
		assert_int_equal(r.findings->segment, cases[i].segment);
		assert_int_equal(r.findings->act, cases[i].act);
		report_fini(&r);
	}
}

#define EDITED "udp 5060 sip INVITE - edited out "

static void test_fingerprint(void **state)
{
	static const struct {
		const char *why, *facts, *name, *confidence;
	} cases[] = {
		{"netfilter",
	         EDITED "SDP_o=address-rewritten SDP_c=address-rewritten\n"
	                "udp 5060 sip INVITE via-no-port edited out "
	                "Via=port-added\n" CONTROL,
	         "linux-netfilter", "high"},
		{"split TCP left alone",
	         "tcp 5060 sip INVITE - edited out Via=address-rewritten\n"
	         "tcp 5060 sip INVITE split clean\n"
	         "udp 5080 sip-alt INVITE - clean\n",
	         "linux-netfilter", "low"},
		{"Via and Contact alone tell nothing",
	         EDITED "Via=address-rewritten Contact=address-rewritten\n",
	         "unknown", "none"},
		{"netfilter never touches Call-ID",
	         EDITED "SDP_o=address-rewritten SDP_c=address-rewritten "
	                "Call-ID=address-rewritten\n",
	         "quicksec-juniper", "low"},
		{"Call-ID and Route",
	         EDITED "Call-ID=address-rewritten Route=address-rewritten\n",
	         "quicksec-juniper", "medium"},
		{"a proxy",
	         EDITED "Via=via-added Max-Forwards=hop-count-changed\n",
	         "proxy", "high"},
		{"its own Record-Route is no rewriting",
	         EDITED "Record-Route=record-route-added Via=via-added\n",
	         "proxy", "medium"},
		{"search and replace",
	         EDITED "X-Prumo-Addr=address-rewritten "
	                "Authorization=address-rewritten "
	                "Call-ID=address-rewritten\n",
	         "search-and-replace", "high"},
		{"a new value in an X- header is no replaced address",
	         EDITED "X-Prumo=value-changed\n", "unknown", "none"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct val *print;
		struct report r;

		build(&r, cases[i].facts);
		assert_int_equal(diagnose_run(&r), 0);
		print = val_get(&r.findings->evidence, "fingerprint");
		if (!slice_eq_str(val_get_text(print, "name"), cases[i].name) ||
		    !slice_eq_str(val_get_text(print, "confidence"),
		                  cases[i].confidence))
			fail_msg("%s: %s, %s", cases[i].why,
			         val_get_text(print, "name").p,
			         val_get_text(print, "confidence").p);
		report_fini(&r);
	}
}

static bool has_step(const struct finding *fd, const char *id)
{
	for (const struct remedy_step *s = fd->remedy; s; s = s->next) {
		if (strcmp(s->id, id) == 0)
			return true;
	}
	return false;
}

static void test_ways_round_only_when_measured(void **state)
{
	static const struct {
		const char *facts;
		bool tls, alt, tcp;
	} cases[] = {
		{EDITED "Via=address-rewritten\n", false, false, false},
		{EDITED "Via=address-rewritten\n"
	                "tls 5061 tls OPTIONS - clean\n",
	         true, false, false},
		{EDITED "Via=address-rewritten\n"
	                "tls 5061 tls CRLF - clean\n",
	         false, false, false},
		{EDITED "Via=address-rewritten\n"
	                "tls 5061 tls OPTIONS - unknown\n"
	                "udp 5080 sip-alt INVITE - clean\n",
	         false, true, false},
		{EDITED "Via=address-rewritten\n"
	                "udp 5080 sip-alt OPTIONS - clean\n"
	                "udp 5080 sip-alt INVITE - edited out "
	                "Via=address-rewritten\n"
	                "tcp 5060 sip INVITE - clean\n",
	         false, false, true},
		{EDITED "Via=address-rewritten\n"
	                "udp 5080 sip-alt OPTIONS - clean\n"
	                "udp 5080 sip-alt INVITE - request-dropped\n",
	         false, false, false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct finding *fd;
		struct report r;

		build(&r, cases[i].facts);
		assert_int_equal(diagnose_run(&r), 0);
		fd = r.findings;
		assert_int_equal(has_step(fd, "use-tls"), cases[i].tls);
		assert_int_equal(has_step(fd, "use-alternative-port"),
		                 cases[i].alt);
		assert_int_equal(has_step(fd, "use-tcp"), cases[i].tcp);
		assert_int_equal(has_step(fd, "restart-phone"),
		                 cases[i].tls || cases[i].alt || cases[i].tcp);
		assert_true(has_step(fd, "alg-off"));
		report_fini(&r);
	}
}

static void test_nobody_is_sent_to_the_wrong_box(void **state)
{
	const struct finding *fd;
	struct report r;

	UNUSED(state);
	build(&r, EDITED "Via=address-rewritten\n"
	                 "fact alg.location fail hop=3 address=203.0.113.9\n");
	assert_int_equal(diagnose_run(&r), 0);
	fd = r.findings;
	assert_true(has_step(fd, "call-carrier-with-box"));
	assert_false(has_step(fd, "alg-off"));
	report_fini(&r);
}

#define DROPPED                                   \
	"udp 5060 sip OPTIONS - clean\n"          \
	"udp 5060 sip INVITE - request-dropped\n" \
	"udp 10443 control INVITE - clean\n"

static void test_both_of_a_pair_are_named(void **state)
{
	static const struct {
		const char *location;
		bool is_named;
	} cases[] = {
		{"fact alg.location fail hop_min=1 hop_max=2 "
	         "last_address=192.0.2.1 next_address=203.0.113.1\n",
	         true},
		{"fact alg.location fail hop=1 hop_min=1 hop_max=1 "
	         "address=192.0.2.1\n",
	         false},
		{"fact alg.location fail hop_min=1 hop_max=3 "
	         "last_address=192.0.2.1 next_address=203.0.113.1\n",
	         false},
		{"fact alg.location fail hop_min=0 hop_max=1 "
	         "next_address=192.0.2.1\n",
	         false},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char facts[512];
		struct report r;

		(void)snprintf(facts, sizeof(facts), DROPPED "%s",
		               cases[i].location);
		build(&r, facts);
		assert_int_equal(diagnose_run(&r), 0);
		assert_string_equal(r.findings->id, "alg.drops-sip");
		assert_int_equal(has_step(r.findings, "one-of-two"),
		                 cases[i].is_named);
		report_fini(&r);
	}
}

static void test_a_limit_of_rate_explains_what_is_lost(void **state)
{
	struct report r;

	UNUSED(state);
	build(&r, "udp 5060 sip OPTIONS - clean\n"
	          "udp 5060 sip OPTIONS public-address no-answer\n"
	          "udp 5060 sip OPTIONS burst request-dropped\n"
	          "udp 10443 control OPTIONS burst clean\n");
	assert_int_equal(diagnose_run(&r), 0);
	assert_string_equal(r.findings->id, "alg.drops-sip");
	assert_null(r.findings->next);
	report_fini(&r);
}

static void test_a_moved_binding_is_a_fault(void **state)
{
	struct report r;

	UNUSED(state);
	build(&r, "udp 5060 sip OPTIONS - clean\n"
	          "fact alg.binding fail result=moved\n");
	assert_int_equal(diagnose_run(&r), 0);
	assert_string_equal(r.findings->id, "alg.moves-binding");
	assert_int_equal(r.findings->severity, FINDING_FAIL);
	report_fini(&r);
}

static void test_a_lost_twin_is_a_remark(void **state)
{
	struct report r;

	UNUSED(state);
	build(&r, "udp 5060 sip OPTIONS - clean\n"
	          "fact path.twins warn result=second-lost\n");
	assert_int_equal(diagnose_run(&r), 0);
	assert_string_equal(r.findings->id, "path.loses-twins");
	assert_int_equal(r.findings->severity, FINDING_WARN);
	report_fini(&r);
}

static bool has_remedy(const struct finding *fd, const char *id)
{
	unsigned n = 0;

	for (const struct remedy_step *s = fd->remedy; s; s = s->next)
		n += strcmp(s->id, id) == 0;
	assert_true(n < 2);
	return n == 1;
}

static void test_an_old_session_is_to_be_cleared(void **state)
{
	const struct val *also;
	struct report r;

	UNUSED(state);
	build(&r, "udp 5060 sip OPTIONS - edited out Via=address-rewritten\n"
	          "udp 5060 sip OPTIONS new-session clean\n"
	          "udp 5060 sip OPTIONS again edited out "
	          "Via=address-rewritten\n");
	assert_int_equal(diagnose_run(&r), 0);
	also = val_get(&r.findings->evidence, "also");
	assert_non_null(also);
	assert_int_equal(also->items.n, 1);
	assert_true(slice_eq_str(also->items.first->v.s, "alg.rewrites-sip"));
	assert_int_equal(r.findings->facts.items.n, 3);
	assert_true(has_remedy(r.findings, "clear-sessions"));
	assert_true(has_remedy(r.findings, "new-session"));
	assert_true(has_remedy(r.findings, "alg-off"));
	assert_true(has_remedy(r.findings, "measure-again"));
	report_fini(&r);

	/* no ALG is accused of a dead session, nor recognised by it */
	build(&r, "udp 5060 sip OPTIONS - request-dropped\n"
	          "udp 5060 sip INVITE - request-dropped\n"
	          "udp 5060 sip INVITE low-rtp-port request-dropped\n"
	          "udp 5060 sip OPTIONS new-session clean\n"
	          "udp 5060 sip INVITE new-session clean\n"
	          "udp 10443 control INVITE low-rtp-port clean\n" CONTROL);
	assert_int_equal(diagnose_run(&r), 0);
	assert_null(r.findings->next);
	assert_null(val_get(&r.findings->evidence, "also"));
	assert_null(val_get(&r.findings->evidence, "fingerprint"));
	assert_true(has_remedy(r.findings, "clear-sessions"));
	assert_true(has_remedy(r.findings, "measure-again"));
	assert_false(has_remedy(r.findings, "alg-off"));
	report_fini(&r);
}

static void test_directions_are_kept_apart(void **state)
{
	const struct val *out, *in;
	struct report r;

	UNUSED(state);
	build(&r, EDITED "Via=address-rewritten\n"
	                 "udp 5060 sip INVITE - edited in "
	                 "To=address-rewritten\n");
	assert_int_equal(diagnose_run(&r), 0);
	out = val_get(&r.findings->evidence, "edits");
	in = val_get(&r.findings->evidence, "inbound_edits");
	assert_non_null(out);
	assert_non_null(in);
	assert_int_equal(out->items.n, 1);
	assert_int_equal(in->items.n, 1);
	assert_true(
		slice_eq_str(val_get_text(&in->items.first->v, "field"), "To"));
	report_fini(&r);
}

static void test_survives_no_memory(void **state)
{
	int err = ENOMEM;

	UNUSED(state);
	for (unsigned long n = 0; err; n++) {
		struct report r;

		build(&r, EDITED "Via=address-rewritten SDP_c=port-added\n"
		                 "tls 5061 tls OPTIONS - clean\n"
		                 "udp 5080 sip-alt OPTIONS - blocked\n"
		                 "fact alg.location fail hop=1 "
		                 "address=192.168.1.1\n");
		oom_after(n);
		err = diagnose_run(&r);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || err == ENOMEM);
		assert_int_equal(r.no_memory, err != 0);
		report_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_segment_follows_the_hop),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_ways_round_only_when_measured),
		cmocka_unit_test(test_nobody_is_sent_to_the_wrong_box),
		cmocka_unit_test(test_both_of_a_pair_are_named),
		cmocka_unit_test(test_a_limit_of_rate_explains_what_is_lost),
		cmocka_unit_test(test_a_moved_binding_is_a_fault),
		cmocka_unit_test(test_a_lost_twin_is_a_remark),
		cmocka_unit_test(test_an_old_session_is_to_be_cleared),
		cmocka_unit_test(test_directions_are_kept_apart),
		cmocka_unit_test(test_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
