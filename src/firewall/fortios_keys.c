/* SPDX-License-Identifier: ISC */
/*
 * Design: what a key of a policy means for a packet is data. A key that
 * narrows the policy, or that hands packets to something which may block
 * them, makes its verdict unknown; so does one that is not in this table,
 * since a newer FortiOS may narrow by it. Only what surely leaves the verdict
 * alone does so in silence: Fortinet's CLI reference, `config firewall
 * policy`, 5.0 to 7.6. The objects that policies name have tables of their
 * own, from the chapters of theirs.
 *
 * Profiles that look into web, mail or files are among these: calls are
 * neither. Application control is not: fw_forti_apps_block() reads it.
 */
#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/fortios_read.h"

enum effect {
	LEAVES,  /* or is read elsewhere */
	NARROWS, /* unless it is switched off */
};

/* A name may end in a star: all that begin so. */
struct key {
	const char *name;
	enum effect effect;
};

/* All are sorted. */
static const struct key policy_keys[] = {
	{"action", LEAVES},
	{"anti-replay", LEAVES},
	{"app-category", NARROWS},
	{"app-group", NARROWS},
	{"app-monitor", LEAVES},
	{"application", NARROWS},
	{"application-charts", LEAVES},
	{"application-list", LEAVES},
	{"auth-cert", LEAVES},
	{"auth-method", LEAVES},
	{"auth-path", LEAVES},
	{"auth-portal", NARROWS},
	{"auth-redirect-addr", LEAVES},
	{"auto-asic-offload", LEAVES},
	{"av-profile", LEAVES},
	{"bandwidth", LEAVES},
	{"block-notification", LEAVES},
	{"captive-portal-exempt", LEAVES},
	{"capture-packet", LEAVES},
	{"casb-profile", LEAVES},
	{"cgn-*", LEAVES},
	{"cifs-profile", LEAVES},
	{"client-reputation*", LEAVES},
	{"comments", LEAVES},
	{"custom-log-fields", LEAVES},
	{"decrypted-traffic-mirror", LEAVES},
	{"deep-inspection-options", LEAVES},
	{"delay-tcp-npu-session", LEAVES},
	{"devices", NARROWS},
	{"diameter-filter-profile", LEAVES},
	{"diffserv-copy", LEAVES},
	{"diffserv-forward", LEAVES},
	{"diffserv-reverse", LEAVES},
	{"diffservcode-forward", LEAVES},
	{"diffservcode-rev", LEAVES},
	{"disclaimer", NARROWS},
	{"dlp-profile", LEAVES},
	{"dlp-sensor", LEAVES},
	{"dnsfilter-profile", LEAVES},
	{"dponly", LEAVES},
	{"dsri", LEAVES},
	{"dstaddr", LEAVES},
	{"dstaddr-negate", LEAVES},
	{"dstaddr6", LEAVES},
	{"dstaddr6-negate", NARROWS},
	{"dstintf", LEAVES},
	{"dstintf-negate", LEAVES},
	{"dynamic-profile*", LEAVES},
	{"dynamic-shaping", LEAVES},
	{"eif-*", LEAVES},
	{"email-collect", NARROWS},
	{"emailfilter-profile", LEAVES},
	{"endpoint-check", NARROWS},
	{"endpoint-compliance", NARROWS},
	{"failed-connection", LEAVES},
	{"fall-through-unauthenticated", LEAVES},
	{"fec", LEAVES},
	{"file-filter-profile", LEAVES},
	{"firewall-session-dirty", LEAVES},
	{"fixedport", LEAVES},
	{"forticlient-compliance*", NARROWS},
	{"fsso", LEAVES},
	{"fsso-agent-for-ntlm", LEAVES},
	{"fsso-groups", NARROWS},
	{"geo-location", LEAVES},
	{"geoip-anycast", NARROWS},
	{"geoip-match", LEAVES},
	{"global-label", LEAVES},
	{"groups", NARROWS},
	{"gtp-profile", LEAVES},
	{"http-policy-redirect", NARROWS},
	{"icap-profile", LEAVES},
	{"identity-based", NARROWS},
	{"identity-based-route", LEAVES},
	{"identity-from", LEAVES},
	{"inbound", LEAVES},
	{"inspection-mode", LEAVES},
	{"internet-service*", LEAVES},
	{"ip-based", LEAVES},
	{"ip-version-type", LEAVES},
	{"ippool", LEAVES},
	{"ips-sensor", LEAVES},
	{"ips-voip-filter", LEAVES},
	{"isolator-profile", LEAVES},
	{"label", LEAVES},
	{"learning-mode", LEAVES},
	{"log-http-transaction", LEAVES},
	{"log-unmatched-traffic", LEAVES},
	{"logtraffic", LEAVES},
	{"logtraffic-app", LEAVES},
	{"logtraffic-start", LEAVES},
	{"match-vip", LEAVES},
	{"match-vip-only", NARROWS},
	{"mms-profile", LEAVES},
	{"name", LEAVES},
	{"nat", LEAVES},
	{"nat46", NARROWS},
	{"nat64", NARROWS},
	{"natinbound", LEAVES},
	{"natip", LEAVES},
	{"natoutbound", LEAVES},
	{"network-service-dynamic", NARROWS},
	{"network-service-src-dynamic", NARROWS},
	{"np-acceleration", LEAVES},
	{"ntlm", NARROWS},
	{"ntlm-enabled-browsers", LEAVES},
	{"ntlm-guest", LEAVES},
	{"outbound", LEAVES},
	{"passive-wan-health-measurement", LEAVES},
	{"pcp-*", LEAVES},
	{"per-ip-shaper", LEAVES},
	{"permit-any-host", LEAVES},
	{"permit-stun-host", LEAVES},
	{"pfcp-profile", LEAVES},
	{"policy-behaviour-type", LEAVES},
	{"policy-expiry", NARROWS},
	{"policy-expiry-date", LEAVES},
	{"policy-expiry-date-utc", LEAVES},
	{"policy-offload", LEAVES},
	{"policyid", LEAVES},
	{"poolname", LEAVES},
	{"poolname6", LEAVES},
	{"port-preserve", LEAVES},
	{"port-random", LEAVES},
	{"profile-group", LEAVES},
	{"profile-protocol-options", LEAVES},
	{"profile-type", LEAVES},
	{"radius-ip-auth-bypass", LEAVES},
	{"radius-mac-auth-bypass", LEAVES},
	{"redirect-url", LEAVES},
	{"replacemsg-*", LEAVES},
	{"reputation-direction", LEAVES},
	{"reputation-direction6", LEAVES},
	{"reputation-minimum", NARROWS},
	{"reputation-minimum6", NARROWS},
	{"require-tfa", NARROWS},
	{"rsso", LEAVES},
	{"rtp-addr", LEAVES},
	{"rtp-nat", NARROWS},
	{"scan-botnet-connections", LEAVES},
	{"schedule", LEAVES},
	{"schedule-timeout", LEAVES},
	{"sctp-filter-profile", LEAVES},
	{"send-deny-packet", LEAVES},
	{"service", LEAVES},
	{"service-negate", LEAVES},
	{"session-ttl", LEAVES},
	{"sessions", LEAVES},
	{"sgt", LEAVES},
	{"sgt-check", NARROWS},
	{"spamfilter-profile", LEAVES},
	{"src-vendor-mac", NARROWS},
	{"srcaddr", LEAVES},
	{"srcaddr-negate", LEAVES},
	{"srcaddr6", LEAVES},
	{"srcaddr6-negate", NARROWS},
	{"srcintf", LEAVES},
	{"srcintf-negate", LEAVES},
	{"ssh-filter-profile", LEAVES},
	{"ssh-policy-redirect", LEAVES},
	{"ssl-mirror", LEAVES},
	{"ssl-mirror-intf", LEAVES},
	{"ssl-ssh-profile", LEAVES},
	{"sslvpn-*", LEAVES},
	{"status", LEAVES},
	{"tags", LEAVES},
	{"tcp-mss-receiver", LEAVES},
	{"tcp-mss-sender", LEAVES},
	{"tcp-reset", LEAVES},
	{"tcp-session-without-syn", LEAVES},
	{"telemetry-profile", LEAVES},
	{"timeout-send-rst", LEAVES},
	{"tos", LEAVES},
	{"tos-mask", NARROWS},
	{"tos-negate", LEAVES},
	{"traffic-shaper", LEAVES},
	{"traffic-shaper-reverse", LEAVES},
	{"transaction-based", LEAVES},
	{"url-category", NARROWS},
	{"users", NARROWS},
	{"utm-inspection-mode", LEAVES},
	{"utm-status", LEAVES},
	{"uuid", LEAVES},
	{"uuid-idx", LEAVES},
	{"videofilter-profile", LEAVES},
	{"virtual-patch-profile", LEAVES},
	{"vlan-cos-fwd", LEAVES},
	{"vlan-cos-rev", LEAVES},
	{"vlan-filter", NARROWS},
	{"voip-profile", LEAVES},
	{"vpntunnel", LEAVES},
	{"waf-profile", LEAVES},
	{"wanopt*", LEAVES},
	{"wccp", LEAVES},
	{"web-auth-cookie", LEAVES},
	{"webcache", LEAVES},
	{"webcache-https", LEAVES},
	{"webfilter-profile", LEAVES},
	{"webproxy-forward-server", LEAVES},
	{"webproxy-profile", LEAVES},
	{"wsso", LEAVES},
	{"ztna-device-ownership", NARROWS},
	{"ztna-ems-tag", NARROWS},
	{"ztna-ems-tag-negate", LEAVES},
	{"ztna-ems-tag-secondary", NARROWS},
	{"ztna-geo-tag", NARROWS},
	{"ztna-policy-redirect", NARROWS},
	{"ztna-status", NARROWS},
	{"ztna-tags-match-logic", LEAVES},
};

/* What a dynamic address holds is asked by its type. */
static const struct key address_keys[] = {
	{"addr-type", LEAVES},
	{"agent-id", LEAVES},
	{"allow-routing", LEAVES},
	{"associated-interface", LEAVES},
	{"cache-ttl", LEAVES},
	{"clearpass-spt", LEAVES},
	{"color", LEAVES},
	{"comment", LEAVES},
	{"comments", LEAVES},
	{"country", LEAVES},
	{"dirty", LEAVES},
	{"display-interface", LEAVES},
	{"end-ip", LEAVES},
	{"end-mac", LEAVES},
	{"epg-name", LEAVES},
	{"fabric-object", LEAVES},
	{"filter", LEAVES},
	{"fqdn", LEAVES},
	{"fsso-group", LEAVES},
	{"global-object", LEAVES},
	{"host", LEAVES},
	{"host-type", LEAVES},
	{"hw-model", LEAVES},
	{"hw-vendor", LEAVES},
	{"interface", LEAVES},
	{"ip6", LEAVES},
	{"list", LEAVES},
	{"macaddr", LEAVES},
	{"name", LEAVES},
	{"node-ip-only", LEAVES},
	{"obj-id", LEAVES},
	{"obj-tag", LEAVES},
	{"obj-type", LEAVES},
	{"organization", LEAVES},
	{"os", LEAVES},
	{"passive-fqdn-learning", LEAVES},
	{"policy-group", LEAVES},
	{"route-tag", LEAVES},
	{"sdn", LEAVES},
	{"sdn-addr-type", LEAVES},
	{"sdn-tag", LEAVES},
	{"sso-attribute-value", LEAVES},
	{"start-ip", LEAVES},
	{"start-mac", LEAVES},
	{"sub-type", LEAVES},
	{"subnet", LEAVES},
	{"subnet-name", LEAVES},
	{"subnet-segment", LEAVES},
	{"sw-version", LEAVES},
	{"tag-detection-level", LEAVES},
	{"tag-type", LEAVES},
	{"tagging", LEAVES},
	{"tags", LEAVES},
	{"template", LEAVES},
	{"tenant", LEAVES},
	{"type", LEAVES},
	{"url", LEAVES},
	{"uuid", LEAVES},
	{"visibility", LEAVES},
	{"wildcard", LEAVES},
	{"wildcard-fqdn", LEAVES},
};

static const struct key group_keys[] = {
	{"allow-routing", LEAVES},  {"category", LEAVES},
	{"color", LEAVES},          {"comment", LEAVES},
	{"comments", LEAVES},       {"exclude", LEAVES},
	{"exclude-member", LEAVES}, {"fabric-object", LEAVES},
	{"global-object", LEAVES},  {"member", LEAVES},
	{"name", LEAVES},           {"tagging", LEAVES},
	{"tags", LEAVES},           {"type", LEAVES},
	{"uuid", LEAVES},           {"visibility", LEAVES},
};

static const struct key service_keys[] = {
	{"app-category", LEAVES},
	{"app-service-type", LEAVES},
	{"application", LEAVES},
	{"category", LEAVES},
	{"check-reset-range", LEAVES},
	{"color", LEAVES},
	{"comment", LEAVES},
	{"explicit-proxy", NARROWS},
	{"fabric-object", LEAVES},
	{"fqdn", LEAVES},
	{"global-object", LEAVES},
	{"helper", LEAVES},
	{"icmpcode", LEAVES},
	{"icmptype", LEAVES},
	{"iprange", LEAVES},
	{"name", LEAVES},
	{"protocol", LEAVES},
	{"protocol-number", LEAVES},
	{"proxy", NARROWS},
	{"sctp-portrange", LEAVES},
	{"session-ttl", LEAVES},
	{"tcp-halfclose-timer", LEAVES},
	{"tcp-halfopen-timer", LEAVES},
	{"tcp-portrange", LEAVES},
	{"tcp-rst-timer", LEAVES},
	{"tcp-timewait-timer", LEAVES},
	{"udp-idle-timer", LEAVES},
	{"udp-portrange", LEAVES},
	{"udplite-portrange", LEAVES},
	{"uuid", LEAVES},
	{"visibility", LEAVES},
};

static const struct key service_group_keys[] = {
	{"color", LEAVES},
	{"comment", LEAVES},
	{"explicit-proxy", NARROWS},
	{"fabric-object", LEAVES},
	{"global-object", LEAVES},
	{"member", LEAVES},
	{"name", LEAVES},
	{"proxy", NARROWS},
	{"uuid", LEAVES},
};

static const struct {
	const struct key *keys;
	size_t n;
} tables[] = {
	[FW_FORTI_POLICY] = {policy_keys, ARRAY_LEN(policy_keys)},
	[FW_FORTI_ADDRESS] = {address_keys, ARRAY_LEN(address_keys)},
	[FW_FORTI_ADDRGRP] = {group_keys, ARRAY_LEN(group_keys)},
	[FW_FORTI_SERVICE] = {service_keys, ARRAY_LEN(service_keys)},
	[FW_FORTI_SERVICE_GROUP] = {service_group_keys,
                                    ARRAY_LEN(service_group_keys)},
};

static int compare(struct slice name, const char *row)
{
	const size_t n = strlen(row);
	const bool is_head = row[n - 1] == '*';
	const size_t n_row = is_head ? n - 1 : n;
	const size_t n_both = name.n < n_row ? name.n : n_row;
	const int d = n_both ? memcmp(name.p, row, n_both) : 0;

	if (d || name.n < n_row)
		return d ? d : -1;
	return !is_head && name.n > n_row;
}

enum {
	MAX_ROWS = 256,
};

static_assert(ARRAY_LEN(policy_keys) < MAX_ROWS, "the longest table");

/* @return the row of a key, or MAX_ROWS. */
static size_t row_of(enum fw_forti_table table, struct slice name)
{
	const struct key *keys = tables[table].keys;
	size_t lo = 0, hi = tables[table].n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const int d = compare(name, keys[mid].name);

		if (d == 0)
			return mid;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return MAX_ROWS;
}

/* What full-configuration writes for a switch that is not used. */
bool fw_forti_is_unused(struct slice values)
{
	const struct slice v = slice_trim(values);

	return v.n == 0 || slice_eq_str(v, "disable") || slice_eq_str(v, "0") ||
	       slice_eq_str(v, "0x00") || slice_eq_str(v, "0.0.0.0") ||
	       slice_eq_str(v, "\"\"") || slice_eq_str(v, "''");
}

/* Of several `set` of one name the last holds. */
static const struct fw_forti_node *narrowing(enum fw_forti_table table,
                                             const struct fw_forti_node *e)
{
	const struct fw_forti_node *found = NULL;
	bool is_seen[MAX_ROWS] = {false};

	for (const struct fw_forti_node *n = e->last; n; n = n->prev) {
		const size_t row = row_of(table, n->key);

		if (row == MAX_ROWS || is_seen[row] ||
		    tables[table].keys[row].effect != NARROWS)
			continue;
		is_seen[row] = n->kind != FW_FORTI_APPEND;
		if (n->kind != FW_FORTI_UNSET && !fw_forti_is_unused(n->rest))
			found = n;
	}
	return found;
}

const struct fw_forti_node *fw_forti_doubt_of(struct fw_forti_ctx *c,
                                              enum fw_forti_table table,
                                              const struct fw_forti_node *e)
{
	const struct fw_forti_node *doubt = narrowing(table, e);

	for (const struct fw_forti_node *n = e->first; n; n = n->next) {
		if (n->kind == FW_FORTI_CONFIG || n->kind == FW_FORTI_EDIT ||
		    row_of(table, n->key) < MAX_ROWS)
			continue;
		fw_forti_check(c, fw_kept_add(c->rules, n->line, n->raw));
		diag_add(c->dg, DIAG_WARN, n->raw, "%s",
		         table == FW_FORTI_POLICY
		                 ? _("Not a key of a policy that is known; "
		                     "kept as it is.")
		                 : _("Not a key of such an object that is "
		                     "known; kept as it is."));
		if (!doubt && n->kind != FW_FORTI_UNSET &&
		    !fw_forti_is_unused(n->rest))
			doubt = n;
	}
	return doubt;
}
