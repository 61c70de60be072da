/* SPDX-License-Identifier: ISC */
/*
 * Design: a table, read from top to bottom; the first row that holds takes
 * the flows it explains, and no later row sees them. So the causes that make
 * others look like failures of their own stand first: a login page makes
 * certificates wrong, a wrong clock makes them expired, a dead name server
 * makes services unreachable. What is left at the end is blocked somewhere,
 * and falls apart by the place where it dies.
 *
 * A row claims no more than its flows show. Whether it holds is asked of all
 * flows at once (`holds`), which of them it explains of each one (`takes`).
 */
#include "diagnose/causes.h"
#include "diagnose/cause.h"

#include <string.h>

#include "base/addr.h"
#include "base/i18n.h"
#include "diagnose/issuer.h"
#include "diagnose/remarks.h"
#include "diagnose/remedies.h"
#include "diagnose/wallclock.h"
#include "diagnose/webproxy.h"

enum {
	NAMES_MIN = 3, /* so many with one address are no coincidence */
	OTHERS_MIN = 2,
	DROWNED_MIN = 5, /* flows that answered only at a second asking, ... */
	DROWNED_SHARE = 20, /* ... and one of so many that were reached */
};

static bool is_web(const struct flow *f)
{
	return !f->is_udp && f->port == f->last &&
	       (f->port == 80 || f->port == 443);
}

/* Login pages and strangers */

static bool is_portal(const struct flow *f, const char *how)
{
	const struct val *d = flow_detail(f);

	return d && slice_eq_str(val_get_text(d, "portal"), how);
}

static struct slice redirect_of(const struct flow *f)
{
	const struct val *d = flow_detail(f);

	return d ? val_get_text(d, "redirect_host") : (struct slice){0};
}

/* Another host's page sends to the very same stranger. */
static bool is_sent_alike(const struct flows *fs, const struct flow *f)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];

		if (is_portal(g, "likely") &&
		    !slice_eq(g->address, f->address) &&
		    slice_eq(redirect_of(g), redirect_of(f)))
			return true;
	}
	return false;
}

/* A service may send to a host of another site, to have its users log in: it
 * is a login page of the network where several do, or nothing else passes. */
static bool has_portal(const struct flows *fs)
{
	bool is_likely = false, is_alike = false, does_pass = false;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (is_portal(f, "sure"))
			return true;
		if (is_portal(f, "likely")) {
			is_likely = true;
			is_alike |= is_sent_alike(fs, f);
		}
		does_pass |= f->end == FLOW_REACHED && f->port != 80;
	}
	return is_likely && (is_alike || !does_pass);
}

static bool has_no_portal(const struct flows *fs)
{
	return !has_portal(fs);
}

/* Behind a login page nothing else can be believed. */
static bool takes_portal(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end != FLOW_LOCAL && f->end != FLOW_NO_ADDRESS;
}

/* This computer */

static bool takes_blocked_here(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_LOCAL && (slice_eq_str(f->error, "EPERM") ||
	                                slice_eq_str(f->error, "EACCES"));
}

/* It was answered, and the answers went no further than to this computer. */
static bool takes_dropped_here(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_LOCAL &&
	       val_get(&f->fact->fields, "is_dropped_here") != NULL;
}

static bool takes_no_network(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_LOCAL;
}

/* Names */

static bool name_is(const struct flow *f, const char *result)
{
	return f->name &&
	       slice_eq_str(val_get_text(&f->name->fields, "result"), result);
}

static bool takes_dead_resolver(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_NO_ADDRESS && name_is(f, "silent");
}

/* Its record says so. */
static bool takes_no_service(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return slice_eq_str(val_get_text(&f->fact->fields, "result"),
	                    "not-offered");
}

static bool takes_no_name(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_NO_ADDRESS;
}

static bool is_inside(struct slice text)
{
	struct addr a;

	return addr_parse(&a, text) == 0 &&
	       (addr_is_private(&a) || addr_is_loopback(&a));
}

/* Other names that were resolved to the same address and fail there too. */
static size_t n_alike(const struct flows *fs, const struct flow *f)
{
	size_t n = 0;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];
		bool is_new = g->name && g->name != f->name &&
		              name_is(g, "resolved") && flow_is_open(g) &&
		              slice_eq(g->address, f->address);

		for (size_t k = 0; is_new && k < i; k++)
			is_new = fs->all[k].name != g->name;
		n += is_new;
	}
	return n;
}

/* Nobody reaches a service there, whatever its name. */
static bool is_nobody(const struct flows *fs, struct slice address)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];

		if (slice_eq(g->address, address) &&
		    (g->end == FLOW_REACHED || !g->name))
			return false;
	}
	return true;
}

static bool takes_lie(const struct flows *fs, const struct flow *f)
{
	if (!name_is(f, "resolved") || f->address.n == 0)
		return false;
	if (is_inside(f->address) || remarks_is_foreign(fs, f, f->address))
		return true;
	return n_alike(fs, f) + 1 >= NAMES_MIN && is_nobody(fs, f->address);
}

static const char *tell_address(struct flows *fs, const struct flow *f)
{
	return report_text(fs->report, f->address);
}

/* The router's table */

static const struct fact *fact_of(const struct flows *fs, const char *id)
{
	for (const struct fact *f = fs->report->facts; f; f = f->next) {
		if (strcmp(f->id, id) == 0 && f->state == FACT_FAIL)
			return f;
	}
	return NULL;
}

/* So much is lost that silence proves nothing. */
static bool is_line_drowned(const struct flows *fs)
{
	size_t n = 0;

	for (size_t i = 0; i < fs->n; i++)
		n += flow_is_lossy(&fs->all[i]);
	return n >= DROWNED_MIN && n * DROWNED_SHARE >= fs->n_reached;
}

/* On a drowned line an old flow fails as well as a fresh one. */
static bool is_table_full(const struct flows *fs)
{
	const struct fact *limit = fact_of(fs, "nat.table");

	return limit && (val_get_int(&limit->fields, "going_on", 0) > 0 ||
	                 !is_line_drowned(fs));
}

/* A range that met the limit, and nothing that is blocked. */
static bool is_only_limited(const struct flow *f)
{
	const struct val *d = flow_detail(f);

	return f->end == FLOW_PARTLY && d && val_get(d, "table_limit") &&
	       val_get_int(d, "n_blocked", 0) == 0;
}

static bool takes_silence(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_SILENT || is_only_limited(f) ||
	       (f->end == FLOW_UNKNOWN && f->fact->state == FACT_UNKNOWN);
}

static const char *tell_limit(struct flows *fs, const struct flow *f)
{
	const struct fact *limit = fact_of(fs, "nat.table");

	UNUSED(f);
	if (!limit || limit->value.kind != VAL_INT)
		return "?";
	return report_fmt(fs->report, "%lld", (long long)limit->value.i);
}

/* Certificates */

static bool takes_wrong_clock(const struct flows *fs, const struct flow *f)
{
	int64_t ahead_s;

	if (f->end != FLOW_BAD_TLS || !f->cert)
		return false;
	if (wallclock_ahead(&ahead_s, fs) > 0)
		return wallclock_explains(fs, f);
	return (val_get(&f->cert->fields, "clock_behind_s") ||
	        val_get(&f->cert->fields, "clock_ahead_s"));
}

/* What servers say of the time decides. Without them: one certificate may
 * have expired; that all of different ages have, or are not valid yet, is the
 * clock's doing. */
static bool is_clock_wrong(const struct flows *fs)
{
	int64_t ahead_s;
	const struct flow *first = NULL;
	bool is_several = false;

	if (wallclock_ahead(&ahead_s, fs) > 0)
		return true; /* then each certificate for itself */
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (!f->cert)
			continue;
		if (!takes_wrong_clock(fs, f))
			return false;
		if (first &&
		    !slice_eq(val_get_text(&f->cert->fields, "sha256"),
		              val_get_text(&first->cert->fields, "sha256")))
			is_several = true;
		first = first ? first : f;
	}
	return is_several;
}

static bool takes_expired(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_BAD_TLS &&
	       (flow_has_fault(f, "expired") || flow_has_fault(f, "not-yet"));
}

static bool takes_wrong_name(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_BAD_TLS && flow_has_fault(f, "name") &&
	       !issuer_is_untrusted(f);
}

static bool takes_old_tls(const struct flows *fs, const struct flow *f)
{
	const struct val *d = flow_detail(f);

	UNUSED(fs);
	return f->end == FLOW_BAD_TLS && d && val_get(d, "is_old_tls");
}

static bool takes_bad_tls(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_BAD_TLS;
}

/* Paths */

static bool is_only_web(const struct flows *fs)
{
	bool has_udp = false, has_tcp = false, has_web = false;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (f->end == FLOW_REACHED && !is_web(f))
			return false;
		has_web |= f->end == FLOW_REACHED;
		has_udp |= f->is_udp && flow_is_lost(f);
		has_tcp |= !f->is_udp && !is_web(f) && flow_is_lost(f);
	}
	return has_web && has_udp && has_tcp;
}

static bool passes_web(const struct flows *fs, int64_t port)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (is_web(f) && f->port == port && f->end == FLOW_REACHED)
			return true;
	}
	return false;
}

/* Where one of the two ports is shut too, that is no cause of its own. */
static bool takes_not_web(const struct flows *fs, const struct flow *f)
{
	return flow_is_lost(f) && !f->is_by_server &&
	       !(is_web(f) && passes_web(fs, f->port));
}

static const char *tell_web(struct flows *fs, const struct flow *f)
{
	UNUSED(f);
	if (!passes_web(fs, 80))
		return "443";
	return passes_web(fs, 443) ? "80, 443" : "80";
}

static bool is_udp_shut(const struct flows *fs)
{
	size_t n_udp = 0, n_tcp = 0;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *f = &fs->all[i];

		if (f->is_udp && (f->end == FLOW_REACHED || f->is_by_server))
			return false;
		n_udp += f->is_udp && flow_is_lost(f);
		n_tcp += !f->is_udp && f->end == FLOW_REACHED;
	}
	return n_udp >= OTHERS_MIN && n_tcp > 0;
}

static bool takes_udp(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->is_udp && flow_is_lost(f);
}

static bool takes_ip6(const struct flows *fs, const struct flow *f)
{
	struct addr a;

	UNUSED(fs);
	return f->is_mixed && flow_is_lost(f) &&
	       addr_parse(&a, f->address) == 0 && a.family == ADDR_IP6;
}

/* Who refuses one port of an address refuses the other as well, where nothing
 * says otherwise. */
static bool takes_stopped(const struct flows *fs, const struct flow *f)
{
	bool is_open =
		(f->end == FLOW_REFUSED || f->end == FLOW_CUT) && f->stop &&
		slice_eq_str(val_get_text(&f->stop->fields, "who"), "unknown");

	for (size_t i = 0; i < fs->n && is_open; i++) {
		const struct flow *g = &fs->all[i];

		if (g->is_by_server && slice_eq(g->address, f->address))
			return true;
	}
	return f->is_by_server || flow_has_stopped_twin(fs, f);
}

static bool takes_range(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_PARTLY;
}

static bool gets_to_last_router(const struct flow *f)
{
	int64_t n_hops;

	if (!f->stop)
		return false;
	n_hops = val_get_int(&f->stop->fields, "hops", 0);
	return n_hops > 0 &&
	       val_get_int(&f->stop->fields, "hop_min", 0) >= n_hops;
}

/* The last router lets it through, and then it is refused: by whom, the TTL of
 * the refusal does not say. */
static bool takes_refused_late(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return (f->end == FLOW_REFUSED || f->end == FLOW_CUT) &&
	       gets_to_last_router(f) &&
	       slice_eq_str(val_get_text(&f->stop->fields, "who"), "unknown");
}

static int64_t stop_hop(const struct flow *f, const char *key)
{
	return val_get_int(&f->stop->fields, key, 0);
}

/* A box is known that blocks other flows, and may be the one. */
static bool is_box_there(const struct flows *fs, const struct flow *f)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];
		bool is_box =
			g->stop &&
			slice_eq_str(val_get_text(&g->stop->fields, "who"),
		                     "middlebox");

		if (is_box &&
		    (!f->stop ||
		     (stop_hop(g, "hop_min") <= stop_hop(f, "hop_max") &&
		      stop_hop(f, "hop_min") <= stop_hop(g, "hop_max"))))
			return true;
	}
	return false;
}

/* Nobody was heard further than where the refusal comes from. */
static bool takes_refused_somewhere(const struct flows *fs,
                                    const struct flow *f)
{
	if (f->end != FLOW_REFUSED || is_box_there(fs, f) ||
	    val_get_text(&f->fact->fields, "offender").n > 0)
		return false;
	return !f->stop ||
	       slice_eq_str(val_get_text(&f->stop->fields, "who"), "unknown");
}

/* The last router has it, and nobody at that address says a word. */
static bool takes_silent_host(const struct flows *fs, const struct flow *f)
{
	bool is_near = false;

	for (size_t i = 0; i < fs->n; i++) {
		const struct flow *g = &fs->all[i];

		if (!slice_eq(g->address, f->address))
			continue;
		if (g->end != FLOW_SILENT && g->end != FLOW_UNKNOWN)
			return false;
		is_near |= gets_to_last_router(g);
	}
	return f->end == FLOW_SILENT && is_near;
}

static bool is_partly_refused(const struct flow *f)
{
	const struct val *d = flow_detail(f);

	return f->end == FLOW_PARTLY && d && val_get_int(d, "refused", 0) > 0;
}

/* A refusal is an answer; silence is what a drowned line has for all. */
static bool takes_drowned(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return !f->is_by_server && !is_partly_refused(f) &&
	       (f->end == FLOW_SILENT || f->end == FLOW_PARTLY ||
	        f->end == FLOW_CUT);
}

static bool is_nothing_reached(const struct flows *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		if (fs->all[i].is_by_server)
			return false;
	}
	return fs->n_reached == 0 && fs->n_asked > 1;
}

static bool takes_lost(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return flow_is_lost(f);
}

static bool takes_other(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->end == FLOW_OTHER;
}

/* Nobody can tell, as there is no edge. */
static bool takes_no_means(const struct flows *fs, const struct flow *f)
{
	UNUSED(fs);
	return f->fact->state == FACT_UNKNOWN &&
	       slice_eq_str(val_get_text(&f->fact->fields, "result"),
	                    "no-means");
}

static const char *tell_wait(struct flows *fs, const struct flow *f)
{
	UNUSED(f);
	return report_fmt(fs->report, "%lld", (long long)flows_wait_s(fs));
}

/* What was to be tested, and was not. Who has the test stay at home is not
 * told that he did, unless something of the profile was at home. */
static bool takes_gap(const struct flows *fs, const struct flow *f)
{
	static const char *const reasons[] = {"no-name-server", "no-memory"};
	struct slice reason = val_get_text(&f->fact->fields, "reason");

	if (f->fact->state == FACT_UNKNOWN)
		return !takes_no_means(fs, f);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (slice_eq_str(reason, reasons[i]))
			return true;
	}
	return slice_eq_str(reason, "stay-home") && fs->n_asked > 0;
}

#define FAIL    FINDING_FAIL
#define WARN    FINDING_WARN
#define NOWHERE SEGMENT_UNKNOWN

static const struct cause causes[] = {
	{"path.captive-portal", FAIL, FAIL, SEGMENT_LAN, TROUBLE_PORTAL, 0,
         has_portal, takes_portal,
         N_("This network wants a login before it lets anything through."),
         N_("Web pages are answered by a login page instead of their own "
            "server. Until somebody logs in, phones cannot register."),
         NULL},
	{"device.firewall", WARN, FAIL, SEGMENT_DEVICE, TROUBLE_DEVICE, 0, NULL,
         takes_blocked_here,
         N_("This computer itself does not let out %1$s (%2$s of %3$s "
            "flows)."),
         N_("A firewall or security program of this computer refuses them "
            "before they reach the network. A desk phone in the same network "
            "may work; a softphone on this computer will not."),
         NULL},
	{"device.firewall", WARN, FAIL, SEGMENT_DEVICE, TROUBLE_DEVICE, 0, NULL,
         takes_dropped_here,
         N_("This computer itself drops what comes back of %1$s (%2$s of %3$s "
            "flows)."),
         N_("They are answered, and a firewall or security program of this "
            "computer drops the answers as they come in. A desk phone in the "
            "same network may work; a softphone on this computer will not."),
         NULL},
	{"device.no-network", WARN, FAIL, SEGMENT_DEVICE, TROUBLE_SILENCE, 0,
         NULL, takes_no_network,
         N_("This computer has no way to %2$s of %3$s flows."),
         N_("It has no route or no address for them."), NULL},
	{"name.resolver-dead", WARN, FAIL, NOWHERE, TROUBLE_NAMES, 0, NULL,
         takes_dead_resolver,
         N_("No name server answers: %4$s cannot be found."),
         N_("Addresses can be reached, names cannot. Phones that are set "
            "to names do not register."),
         NULL},
	{"name.not-offered", WARN, FAIL, SEGMENT_PROVIDER, TROUBLE_NAMES, 0,
         NULL, takes_no_service,
         N_("The service record of %4$s says that there is no such service."),
         N_("Its only target is the root, which means: not offered here. The "
            "provider has switched the service off, or the name server does "
            "not tell the truth."),
         NULL},
	{"name.not-found", WARN, FAIL, NOWHERE, TROUBLE_NAMES, 0, NULL,
         takes_no_name, N_("The name server knows no address for %4$s."),
         N_("Either the name server of this network is wrong or filters, or "
            "the provider has taken the name away."),
         NULL},
	{"name.wrong-address", WARN, FAIL, NOWHERE, TROUBLE_NAMES, 0, NULL,
         takes_lie,
         N_("The name server gives %5$s as the address of %4$s, and the "
            "service is not there."),
         N_("Networks that filter or want a login answer so. The names lead "
            "to somebody else's computer."),
         tell_address},
	{"nat.table-full", FAIL, FAIL, SEGMENT_ROUTER, TROUBLE_TABLE,
         CAUSE_TAKES_UNKNOWN, is_table_full, takes_silence,
         N_("The router's table of connections is full after about %5$s "
            "new ones."),
         N_("No new connection passes any more, whatever its port, while "
            "those that are open go on. The ports are not blocked: in a "
            "busy hour calls fail just so."),
         tell_limit},
	{"device.clock-wrong", WARN, FAIL, SEGMENT_DEVICE, TROUBLE_CLOCK, 0,
         is_clock_wrong, takes_wrong_clock,
         N_("The clock of this computer is wrong."),
         N_("Every certificate seems to have expired, or not to be valid "
            "yet. Encrypted connections fail by that."),
         NULL},
	{"tls.intercepted", WARN, FAIL, NOWHERE, TROUBLE_TLS, 0, NULL,
         issuer_takes_interception,
         N_("Something on the way opens the encryption of %1$s: all hosts "
            "show certificates of %5$s."),
         N_("A firewall that inspects TLS puts its own certificates in "
            "place of the servers'. Phones refuse them, or hand their "
            "passwords to that box."),
         issuer_tell},
	{"tls.expired", WARN, FAIL, SEGMENT_PROVIDER, TROUBLE_CERT, 0, NULL,
         takes_expired,
         N_("The certificate of %4$s (%1$s) is not valid at this time."),
         N_("Phones refuse the connection until the certificate is "
            "renewed."),
         NULL},
	{"tls.wrong-name", WARN, FAIL, SEGMENT_PROVIDER, TROUBLE_CERT, 0, NULL,
         takes_wrong_name,
         N_("The certificate of %4$s (%1$s) is made out to another name."),
         N_("Phones that check names refuse the connection."), NULL},
	{"tls.untrusted", WARN, WARN, NOWHERE, TROUBLE_CERT, 0, NULL,
         issuer_takes_untrusted,
         N_("The certificate of %4$s (%1$s) is signed by nobody that this "
            "computer knows."),
         N_("Either the server is meant to be so, and phones must be told "
            "to trust it, or somebody on the way has put it there."),
         NULL},
	{"path.tcp-proxy", WARN, FAIL, NOWHERE, TROUBLE_PROXY,
         CAUSE_BY_PLACE | CAUSE_TAKES_REACHED, NULL, webproxy_takes_stream,
         N_("A box on the way opens the connections to %1$s of %4$s itself, in "
            "the servers' stead (%2$s flows)."),
         N_("They open at a hop where what goes to the same server by UDP is "
            "still on its way. Such a proxy may change, hold or end what it "
            "passes on, and hides whether the server is there."),
         NULL},
	{"path.only-web", FAIL, FAIL, NOWHERE, TROUBLE_PORT | TROUBLE_UDP, 0,
         is_only_web, takes_not_web,
         N_("The network lets only web pages through (TCP to %5$s): %2$s of "
            "%3$s flows are blocked."),
         N_("Nothing else passes. That is how guest networks and strict "
            "firewalls are set up."),
         tell_web},
	{"path.udp-blocked", FAIL, FAIL, NOWHERE, TROUBLE_UDP, 0, is_udp_shut,
         takes_udp, N_("The network lets no UDP through (%2$s of %3$s flows)."),
         N_("Most phones register by UDP, and the voice itself always needs "
            "it."),
         NULL},
	{"path.loses-packets", FAIL, FAIL, NOWHERE, TROUBLE_LINE, 0,
         is_line_drowned, takes_drowned,
         N_("The line loses so much that %2$s of %3$s flows got no answer."),
         N_("Many others answered only when they were asked again, so nothing "
            "shows that anything is blocked. Voice does not get through such "
            "a line: it is overloaded, or faulty."),
         NULL},
	{"path.ip6-broken", WARN, WARN, NOWHERE, TROUBLE_IP6, 0, NULL,
         takes_ip6, N_("IPv6 does not work to %4$s, where IPv4 does."),
         N_("Programs that try IPv6 first wait for it in vain before each "
            "connection."),
         NULL},
	{"service.stopped", WARN, FAIL, SEGMENT_PROVIDER, TROUBLE_SERVER, 0,
         NULL, takes_stopped, N_("The server itself refuses %1$s of %4$s."),
         N_("The way there is open: the refusal came from the server. The "
            "service is not running, or not on that port."),
         NULL},
	{"service.refused", WARN, FAIL, SEGMENT_PROVIDER, TROUBLE_SERVER, 0,
         NULL, takes_refused_late,
         N_("%1$s of %4$s is refused by the server, or by a box right before "
            "it."),
         N_("The way there is open up to the last router. Most often the "
            "service is not running, or not on that port."),
         NULL},
	{"service.refused", WARN, FAIL, NOWHERE, TROUBLE_SERVER | TROUBLE_PORT,
         CAUSE_BY_PLACE, NULL, takes_refused_somewhere,
         N_("%1$s of %4$s is refused, by the server or by a box on the way: "
            "which of them is not known."),
         N_("Nothing else answers there that it could be compared with. "
            "Either the service is not running, or a firewall refuses it in "
            "its stead."),
         NULL},
	{"path.range-blocked", WARN, FAIL, NOWHERE, TROUBLE_RANGE,
         CAUSE_BY_PLACE | CAUSE_HAS_SPANS, NULL, takes_range,
         N_("A part of the ports for voice is blocked: %5$s."),
         N_("Calls whose media port falls into that part have no voice; "
            "others work. That looks like a fault that comes and goes."),
         NULL},
	{"service.silent", WARN, WARN, SEGMENT_PROVIDER, TROUBLE_SERVER, 0,
         NULL, takes_silent_host,
         N_("%4$s answers nothing at all, though the path to it is open up "
            "to its last router."),
         N_("The server may be down, or a filter stands right before it."),
         NULL},
	{"path.no-way", FAIL, FAIL, NOWHERE, TROUBLE_SILENCE, 0,
         is_nothing_reached, takes_lost,
         N_("None of the services of the profile can be reached (%2$s of "
            "%3$s flows)."),
         N_("Either this computer has no connection to the Internet, or the "
            "network, or a firewall of this computer, lets nothing "
            "through."),
         NULL},
	{"path.ports-blocked", WARN, FAIL, NOWHERE, TROUBLE_PORT,
         CAUSE_BY_PLACE, NULL, takes_lost,
         N_("The network blocks %1$s (%2$s of %3$s flows), while others "
            "pass."),
         N_("What needs these ports does not work here."), NULL},
	{"service.other", WARN, FAIL, NOWHERE, TROUBLE_SERVER, 0, NULL,
         takes_other,
         N_("Something else than the service answers at %1$s of %4$s."),
         N_("Either a box on the way answers in the server's stead, or the "
            "provider has put another service there."),
         NULL},
	{"tls.too-old", WARN, FAIL, NOWHERE, TROUBLE_SERVER, 0, NULL,
         takes_old_tls,
         N_("%1$s of %4$s speaks no TLS that is still safe: only such as is "
            "older than 1.2."),
         N_("Phones and browsers of today refuse the connection. Either the "
            "server is old, or a box on the way ends the encryption in its "
            "stead."),
         NULL},
	{"tls.failed", WARN, FAIL, NOWHERE, TROUBLE_TLS, CAUSE_BY_PLACE, NULL,
         takes_bad_tls, N_("Encryption fails with %1$s of %4$s."),
         N_("The connection opens and TLS does not begin. A box that reads "
            "TLS, or a server that does not speak it there, is the cause."),
         NULL},
	{"edge.limited", WARN, WARN, SEGMENT_PROVIDER, TROUBLE_LIMITED,
         CAUSE_TAKES_UNKNOWN | CAUSE_IS_GAP, has_no_portal, flow_is_limited,
         N_("The edge limits this address: wait %5$s s, then check "
            "again (%2$s flows were not answered)."),
         N_("It has been asked too often from one address, by this computer "
            "or by others behind the same router. Nothing shows that anything "
            "is blocked."),
         tell_wait},
	{"check.incomplete", WARN, WARN, NOWHERE, TROUBLE_GAP,
         CAUSE_TAKES_UNKNOWN | CAUSE_IS_GAP, has_no_portal, takes_gap,
         N_("The test is incomplete: %2$s flows of the profile were not tested "
            "(%1$s of %4$s)."),
         N_("Nobody knows whether they pass. What was tested says nothing of "
            "them."),
         NULL},
	{"check.needs-edge", WARN, WARN, NOWHERE, TROUBLE_UNSURE,
         CAUSE_TAKES_UNKNOWN, has_no_portal, takes_no_means,
         N_("Whether %1$s of %4$s passes could not be told without an edge "
            "(%2$s flows)."),
         N_("Nothing answers there, and so nobody can tell closed from "
            "blocked. That is no proof that it passes."),
         NULL},
};

void causes_find(struct flows *fs, const struct ladder *l)
{
	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		if (!causes[i].holds || causes[i].holds(fs))
			cause_find(fs, &causes[i], l);
	}
	webproxy_find(fs, l);
	remarks_find(fs, l);
	wallclock_find(fs, l);
	remarks_find_lossy(fs, l);
}
