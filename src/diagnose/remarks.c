/* SPDX-License-Identifier: ISC */
/*
 * Design: a table of remarks, each true of a fact or not; one finding for each
 * that is true of any, with their hosts. A rule sees one fact alone. What makes
 * flows fail is a cause (causes.c) and not repeated here.
 */
#include "diagnose/remarks.h"

#include <string.h>

#include "base/i18n.h"
#include "diagnose/remedies.h"

enum {
	SLOW_MS = 1000, /* a phone asks again after one to five seconds */
	NAMES_SHOWN = 8,
};

static const struct val *list_of(const struct val *map, const char *key)
{
	static const struct val none = {.kind = VAL_LIST};
	const struct val *v = map ? val_get(map, key) : NULL;

	return v && v->kind == VAL_LIST ? v : &none;
}

static bool is_true(const struct val *map, const char *key)
{
	const struct val *v = map ? val_get(map, key) : NULL;

	return v && v->kind == VAL_BOOL && v->b;
}

static const struct val *detail_of(const struct fact *f)
{
	const struct val *d = val_get(&f->fields, "detail");

	return d && d->kind == VAL_MAP ? d : NULL;
}

static bool is_resolved(const struct fact *f)
{
	return slice_eq_str(val_get_text(&f->fields, "result"), "resolved");
}

static bool has_text(const struct val *list, struct slice text)
{
	for (const struct val_item *it = list->items.first; it; it = it->next) {
		if (it->v.kind == VAL_TEXT && slice_eq(it->v.s, text))
			return true;
	}
	return false;
}

static bool needs_tcp(const struct fact *f)
{
	const struct val *lookups = list_of(&f->fields, "lookups");

	for (const struct val_item *it = lookups->items.first; it;
	     it = it->next) {
		if (is_true(&it->v, "is_tcp") && !val_get(&it->v, "error"))
			return true;
	}
	return false;
}

/* The server that programs ask first is slow, or silent while another speaks */
static bool is_slow(const struct fact *f)
{
	const struct val_item *first =
		list_of(&f->fields, "lookups")->items.first;
	const struct val *took = first ? val_get(&first->v, "took_ms") : NULL;

	return is_resolved(f) && !needs_tcp(f) && took &&
	       took->kind == VAL_REAL &&
	       (took->d >= SLOW_MS || val_get(&first->v, "error"));
}

/* Too long for a datagram, and the rest could not be fetched. */
static bool is_cut(const struct fact *f)
{
	const struct val *lookups = list_of(&f->fields, "lookups");

	for (const struct val_item *it = lookups->items.first; it;
	     it = it->next) {
		if (is_true(&it->v, "is_truncated") && val_get(&it->v, "error"))
			return true;
	}
	return false;
}

static bool is_search_accident(const struct fact *f)
{
	const struct val *d = detail_of(f);

	return !is_resolved(f) && d && val_get(d, "found_by_search");
}

static bool is_inventing(const struct fact *f)
{
	return is_true(detail_of(f), "is_inventing");
}

static bool is_foreign(const struct fact *f)
{
	return list_of(&f->fields, "foreign")->items.n > 0;
}

/* Programs that know service records alone find nothing. */
static bool has_no_record(const struct fact *f)
{
	return slice_eq_str(val_get_text(&f->fields, "result"), "fallback");
}

static bool has_other_port(const struct fact *f)
{
	return list_of(&f->fields, "unlisted_ports")->items.n > 0;
}

/* Programs here ask nobody, and go elsewhere. */
static bool is_overridden(const struct fact *f)
{
	const struct val *d = detail_of(f);
	const struct val *hosts = list_of(d, "hosts_file");

	for (const struct val_item *it = hosts->items.first; it;
	     it = it->next) {
		if (it->v.kind == VAL_TEXT &&
		    !has_text(list_of(&f->fields, "addresses"), it->v.s))
			return true;
	}
	return false;
}

/* Trusted here, and not the one that the profile knows. */
static bool is_issued_elsewhere(const struct fact *f)
{
	return f->state == FACT_PASS && is_true(&f->fields, "is_other_issuer");
}

/* The server speaks, and does not take the user's own account. */
static bool is_login_refused(const struct fact *f)
{
	const struct val *d = detail_of(f);

	return d && slice_eq_str(val_get_text(d, "auth"), "refused");
}

/* An allocation was had, and what was sent through it reached neither the relay
 * itself nor this computer. */
static bool is_relay_silent(const struct fact *f)
{
	const struct val *d = detail_of(f);

	return d && slice_eq_str(val_get_text(d, "relay_echo"), "silent") &&
	       slice_eq_str(val_get_text(d, "relay_peer"), "client");
}

static const struct rule {
	const char *fact; /* its id */
	const char *id;
	enum finding_severity severity;
	enum segment segment;
	enum trouble trouble;
	bool (*is_shown)(const struct fact *f);
	const char *title; /* %1$s: names or hosts, each once */
	const char *detail;
} rules[] = {
	{"name.resolved", "name.slow", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_NAMES, is_slow,
         N_("The name server is slow, or the first one is silent: %1$s."),
         N_("Each registration and each call may wait for it for seconds.")},
	{"name.resolved", "name.only-tcp", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_NAMES | TROUBLE_PORT, needs_tcp,
         N_("The name server answers by TCP and not by UDP: %1$s."),
         N_("Phones ask for names by UDP (port 53), and do not find them "
            "here.")},
	{"name.resolved", "name.cut-short", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_NAMES | TROUBLE_PORT, is_cut,
         N_("The name server's answer is too long for UDP, and TCP does not "
            "pass: %1$s."),
         N_("Addresses are missing, or none is found.")},
	{"name.resolved", "name.search-list", FINDING_WARN, SEGMENT_DEVICE,
         TROUBLE_NAMES, is_search_accident,
         N_("%1$s does not exist, but this network's own domain has a name "
            "that programs take instead."),
         N_("The search list adds a domain to names that are not found, and "
            "so they lead to another computer.")},
	{"name.resolved", "name.invented", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_NAMES, is_inventing,
         N_("The name server gives addresses even to names that nobody "
            "has."),
         N_("Networks with a login page, and carriers that show "
            "advertisements, do so. A phone that should try its next server "
            "calls a stranger instead.")},
	{"name.resolved", "name.hosts-file", FINDING_WARN, SEGMENT_DEVICE,
         TROUBLE_HOSTS, is_overridden,
         N_("This computer's hosts file sends %1$s elsewhere than the name "
            "server does."),
         N_("Programs of this computer use that address; phones do not. The "
            "test asked the name server's.")},
	{"name.resolved", "name.unexpected-address", FINDING_WARN,
         SEGMENT_UNKNOWN, TROUBLE_NAMES, is_foreign,
         N_("%1$s leads to an address that the profile does not list."),
         N_("The provider has moved it and rules by address are out of date, "
            "or the name server does not tell the truth.")},
	{"name.service", "name.no-record", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_NAMES, has_no_record,
         N_("The name server has no service record %1$s; the domain's own "
            "address was asked."),
         N_("Most phones do the same. The provider has taken the record away, "
            "or the name server of this network does not pass such records "
            "on: then phones miss its other servers and ports.")},
	{"name.service", "name.unexpected-port", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_NAMES, has_other_port,
         N_("%1$s leads to a port that the profile does not list."),
         N_("Firewall rules that follow the profile do not let it through. "
            "The provider has moved the service, or the name server does not "
            "tell the truth.")},
	{"tls.certificate", "tls.other-issuer", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_TLS, is_issued_elsewhere,
         N_("The certificate of %1$s is good for this computer, but another "
            "than the profile's issuer has signed it."),
         N_("A firewall that inspects TLS does so, and phones, which do not "
            "know it, refuse the connection; or the provider has changed its "
            "issuer.")},
	{"sip.registered", "account.sip-refused", FINDING_WARN,
         SEGMENT_PROVIDER, TROUBLE_SERVER, is_login_refused,
         N_("%1$s does not let the SIP account of this test register."),
         N_("The way there is open. The user, the password or the domain of "
            "the account is wrong, or the provider has closed it.")},
	{"turn.answer", "account.turn-refused", FINDING_WARN, SEGMENT_PROVIDER,
         TROUBLE_SERVER, is_login_refused,
         N_("%1$s does not take the TURN account of this test."),
         N_("The way there is open. The user or the password is wrong, or "
            "they have run out; what the relay lets through was not tested.")},
	{"turn.answer", "service.relay-silent", FINDING_WARN, SEGMENT_UNKNOWN,
         TROUBLE_SERVER, is_relay_silent,
         N_("%1$s grants a relay (TURN), but nothing comes through it."),
         N_("What was sent through the relay reached neither the relay itself "
            "nor this computer. Either the server's own firewall shuts the "
            "relay's ports, or it refuses itself as a partner and this network "
            "does not let UDP through from those ports. Calls that need the "
            "relay may have no voice.")},
};

/* A failure by a wrong address is told already. */
static bool is_told(const struct flows *fs, const struct fact *f)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *flow = &fs->all[i];

		if (flow->name == f && flow->finding &&
		    strcmp(flow->finding->id, "name.wrong-address") == 0)
			return true;
	}
	return false;
}

/* A name is its fact's scope; a question has a host. */
static struct slice host_of(const struct fact *f)
{
	struct slice host = val_get_text(&f->fields, "host");

	return host.n ? host : slice_str(f->scope);
}

static bool has_earlier(const struct flows *fs, const struct rule *rule,
                        size_t at)
{
	for (size_t i = 0; i < at; i++) {
		const struct fact *f = fs->facts[i];

		if (strcmp(f->id, rule->fact) == 0 && rule->is_shown(f) &&
		    slice_eq(host_of(f), host_of(fs->facts[at])))
			return true;
	}
	return false;
}

static const char *find_one(struct flows *fs, const struct rule *rule,
                            struct finding **fdp)
{
	struct report *r = fs->report;
	struct wr w = wr_init_heap();
	const char *text;
	size_t n = 0;

	for (size_t i = 0; i < r->n_facts; i++) {
		const struct fact *f = fs->facts[i];

		if (strcmp(f->id, rule->fact) != 0 || !rule->is_shown(f) ||
		    (rule->is_shown == is_foreign && is_told(fs, f)))
			continue;
		if (!*fdp)
			*fdp = report_finding(r, rule->id, rule->severity);
		finding_because(r, *fdp, f);
		if (has_earlier(fs, rule, i))
			continue;
		if (n++ < NAMES_SHOWN) {
			wr_str(&w, n > 1 ? ", " : "");
			wr_put(&w, host_of(f));
		}
	}
	wr_str(&w, n > NAMES_SHOWN ? ", ..." : "");
	r->no_memory |= w.bad;
	text = report_text(r, wr_slice(&w));
	wr_fini(&w);
	return text;
}

static bool loses_large(const struct fact *f)
{
	const struct val *d = val_get(&f->fields, "detail");
	const struct val *out = d ? val_get(d, "fragments_pass") : NULL;
	const struct val *back = d ? val_get(d, "fragments_back") : NULL;

	return strcmp(f->id, "path.mtu") == 0 &&
	       ((out && out->kind == VAL_BOOL && !out->b) ||
	        (back && back->kind == VAL_BOOL && !back->b));
}

static void find_large(struct flows *fs, const struct ladder *l)
{
	struct finding *fd = NULL;

	for (const struct fact *f = fs->report->facts; f; f = f->next) {
		if (!loses_large(f))
			continue;
		if (!fd)
			fd = report_finding(fs->report,
			                    "path.fragments-dropped",
			                    FINDING_WARN);
		finding_because(fs->report, fd, f);
	}
	if (!fd)
		return;
	fd->title.msgid = N_("Large UDP messages are lost: the network drops "
	                     "fragments.");
	fd->detail.msgid =
		N_("An INVITE with many codecs is larger than one packet. Such "
	           "calls fail, while registration and small calls work.");
	remedies_add(fs->report, fd, l, TROUBLE_SIZE, FINGERPRINT_UNKNOWN);
}

/* Then the line may be innocent. */
static void tell_busy(struct flows *fs, struct finding *fd, size_t n)
{
	fd->title = (struct words){
		N_("The line loses packets, or this computer was too busy: "
	           "%1$s flows answered only when they were asked again."),
		{report_fmt(fs->report, "%zu", n)}};
	fd->detail.msgid =
		N_("This computer was busy while it tested, and may have heard "
	           "the answers too late. Test again when it is at rest, "
	           "before anybody looks at the line.");
}

void remarks_find_lossy(struct flows *fs, const struct ladder *l)
{
	struct finding *fd = fs->report->findings;
	bool is_drowned;
	size_t n = 0;

	/* a full table has new flows wait for old ones to go */
	for (const struct finding *other = fd; other; other = other->next) {
		if (strcmp(other->id, "nat.table-full") == 0)
			return;
	}
	while (fd && strcmp(fd->id, "path.loses-packets") != 0)
		fd = fd->next;
	is_drowned = fd != NULL;

	for (size_t i = 0; i < fs->n; i++)
		n += flow_is_lossy(&fs->all[i]);
	for (size_t i = 0; i < fs->n && n > 0; i++) {
		if (!flow_is_lossy(&fs->all[i]))
			continue;
		if (!fd)
			fd = report_finding(fs->report, "path.loses-packets",
			                    FINDING_WARN);
		finding_because(fs->report, fd, fs->all[i].fact);
	}
	if (!fd || is_drowned)
		return;
	if (val_get(&fs->report->run, "late_ms")) {
		tell_busy(fs, fd, n);
		return;
	}
	fd->title = (struct words){
		N_("The line loses packets: %1$s flows answered only when they "
	           "were asked again."),
		{report_fmt(fs->report, "%zu", n)}};
	fd->detail.msgid = N_("Nothing is blocked there, but voice suffers "
	                      "from such losses.");
	remedies_add(fs->report, fd, l, TROUBLE_LINE, FINGERPRINT_UNKNOWN);
}

void remarks_find(struct flows *fs, const struct ladder *l)
{
	find_large(fs, l);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct finding *fd = NULL;
		const char *names = find_one(fs, &rules[i], &fd);

		if (!fd)
			continue;
		fd->title = (struct words){rules[i].title, {names}};
		fd->detail.msgid = rules[i].detail;
		fd->segment = rules[i].segment;
		remedies_add(fs->report, fd, l, rules[i].trouble,
		             FINGERPRINT_UNKNOWN);
	}
}

bool remarks_is_foreign(const struct flows *fs, const struct flow *f,
                        struct slice address)
{
	if (f->name && has_text(list_of(&f->name->fields, "foreign"), address))
		return true;
	for (size_t i = 0; i < fs->report->n_facts; i++) {
		const struct val *d = detail_of(fs->facts[i]);
		const struct val *invented = d ? val_get(d, "invented") : NULL;
		const struct val *records = list_of(invented, "records");

		for (const struct val_item *it = records->items.first; it;
		     it = it->next) {
			if (slice_eq(val_get_text(&it->v, "address"), address))
				return true;
		}
	}
	return false;
}
