/* SPDX-License-Identifier: ISC */
/*
 * Words of configurations that are seen in use, one by one: each row is the
 * smallest text in which reading the word wrongly would change a verdict.
 */
#include "vyatta_box.h"

/* EdgeOS and UniFi USG: PPPoE over a VLAN, as fibre providers want it. */
static const char vif_pppoe[] =
	"set firewall name OUT default-action drop\n"
	"set firewall name OUT rule 1 action accept\n"
	"set firewall name OUT rule 1 protocol tcp\n"
	"set interfaces ethernet eth0 vif 600 pppoe 0 firewall out name OUT\n";
static const char vif_s[] =
	"set firewall name OUT default-action drop\n"
	"set interfaces ethernet eth0 vif-s 7 vif-c 8 firewall out name OUT\n";
static const char early[] = "set firewall name OUT default-action drop\n"
			    "set firewall interface eth0 out name OUT\n";
static const char raw[] =
	"set firewall ipv4 forward filter default-action accept\n"
	"set firewall ipv4 prerouting raw rule 1 action drop\n"
	"set firewall ipv4 prerouting raw rule 1 protocol udp\n";
static const char raw_jump[] =
	"set firewall ipv4 forward filter default-action accept\n"
	"set firewall ipv4 name A default-action drop\n"
	"set firewall ipv4 prerouting raw rule 1 action jump\n"
	"set firewall ipv4 prerouting raw rule 1 jump-target A\n";
/* Answers are let back by their state alone, which these have not. */
static const char stateful[] =
	"set firewall ipv4 forward filter default-action drop\n"
	"set firewall ipv4 forward filter rule 1 action accept\n"
	"set firewall ipv4 forward filter rule 1 state established\n"
	"set firewall ipv4 forward filter rule 2 action accept\n"
	"set firewall ipv4 forward filter rule 2 inbound-interface name eth1\n";
static const char ignored[] =
	"set system conntrack ignore ipv4 rule 1 protocol udp\n";
static const char ignored_old[] =
	"set system conntrack ignore rule 1 protocol udp\n"
	"set system conntrack ignore rule 1 inbound-interface eth1\n";
static const char notrack[] =
	"set firewall ipv4 prerouting raw rule 1 action notrack\n"
	"set firewall ipv4 prerouting raw rule 1 protocol udp\n";
static const char mask[] =
	"set firewall ipv4 forward filter rule 1 action drop\n"
	"set firewall ipv4 forward filter rule 1 destination address 0.0.0.1\n"
	"set firewall ipv4 forward filter rule 1 destination address-mask "
	"0.0.0.255\n";
static const char ports_included[] =
	"set firewall group port-group A port 99\n"
	"set firewall group port-group A include B\n"
	"set firewall group port-group B port 5060\n"
	"set firewall ipv4 forward filter rule 1 action drop\n"
	"set firewall ipv4 forward filter rule 1 protocol udp\n"
	"set firewall ipv4 forward filter rule 1 destination group port-group "
	"A\n";
static const char nets_included[] =
	"set firewall group network-group A include B\n"
	"set firewall group network-group B network 192.0.2.0/24\n"
	"set firewall ipv4 forward filter rule 1 action drop\n"
	"set firewall ipv4 forward filter rule 1 outbound-interface name "
	"eth0\n"
	"set firewall ipv4 forward filter rule 1 destination group "
	"network-group A\n";
static const char ifaces_included[] =
	"set firewall group interface-group A include B\n"
	"set firewall group interface-group B interface eth1\n"
	"set firewall ipv4 forward filter rule 1 action drop\n"
	"set firewall ipv4 forward filter rule 1 inbound-interface group A\n";
static const char goes_round[] =
	"set firewall group network-group A include B\n"
	"set firewall group network-group B include A\n"
	"set firewall ipv4 forward filter rule 1 action drop\n"
	"set firewall ipv4 forward filter rule 1 destination group "
	"network-group A\n";
static const char ports_missing[] =
	"set firewall group port-group A include B\n"
	"set firewall ipv4 forward filter rule 1 action drop\n"
	"set firewall ipv4 forward filter rule 1 protocol udp\n"
	"set firewall ipv4 forward filter rule 1 destination group port-group "
	"A\n";
/* One name, two groups: the rule's family says which. */
static const char twins[] =
	"set firewall group address-group A address 198.51.100.1\n"
	"set firewall group ipv6-address-group A address 2001:db8::1\n"
	"set firewall ipv6 forward filter rule 1 action drop\n"
	"set firewall ipv6 forward filter rule 1 outbound-interface name "
	"eth0\n"
	"set firewall ipv6 forward filter rule 1 destination group "
	"address-group A\n";
/* EdgeOS: guests do not get at the office, wherever else they go. */
static const char own_net[] =
	"set interfaces ethernet eth2 address 198.51.100.1/24\n"
	"set interfaces ethernet eth1 firewall in name GUEST\n"
	"set firewall name GUEST default-action accept\n"
	"set firewall name GUEST rule 1 action drop\n"
	"set firewall name GUEST rule 1 destination group network-group "
	"NETv4_eth2\n";
static const char own_dhcp[] =
	"set interfaces ethernet eth2 address dhcp\n"
	"set interfaces ethernet eth1 firewall in name GUEST\n"
	"set firewall name GUEST default-action accept\n"
	"set firewall name GUEST rule 1 action drop\n"
	"set firewall name GUEST rule 1 destination group network-group "
	"NETv4_eth2\n";
/* A redirect of names, and one of calls. */
static const char nat_dns[] =
	"set nat destination rule 1 inbound-interface name eth1\n"
	"set nat destination rule 1 protocol tcp_udp\n"
	"set nat destination rule 1 destination port 53\n"
	"set nat destination rule 1 translation address 198.51.100.9\n";
static const char nat_sip[] =
	"set nat destination rule 1 inbound-interface eth1\n"
	"set nat destination rule 1 protocol udp\n"
	"set nat destination rule 1 destination port 5060\n"
	"set nat destination rule 1 translation address 198.51.100.9\n";
static const char nat_any[] =
	"set nat destination rule 1 inbound-interface any\n"
	"set nat destination rule 1 protocol udp\n"
	"set nat destination rule 1 destination port 5060\n"
	"set nat destination rule 1 translation address 198.51.100.9\n";
static const char nat_edgeos[] =
	"set service nat rule 1 type destination\n"
	"set service nat rule 1 inbound-interface eth0\n"
	"set service nat rule 1 destination group address-group ADDRv4_eth0\n"
	"set service nat rule 1 protocol udp\n"
	"set service nat rule 1 inside-address address 198.51.100.5\n"
	"set service nat rule 5000 type masquerade\n"
	"set service nat rule 5000 outbound-interface eth0\n";
/* What routes may drop as well. */
static const char modify[] =
	"set firewall modify M rule 1 action accept\n"
	"set firewall modify M rule 1 protocol tcp\n"
	"set firewall modify M rule 2 action drop\n"
	"set firewall modify M rule 2 destination port 5060\n"
	"set firewall modify M rule 2 protocol tcp_udp\n"
	"set firewall modify M rule 3 action modify\n"
	"set firewall modify M rule 3 modify lb-group G\n"
	"set firewall modify N rule 1 action drop\n"
	"set interfaces ethernet eth1 firewall in modify M\n";
static const char route[] = "set policy route P interface eth1\n"
			    "set policy route P rule 1 set table 100\n"
			    "set policy route P rule 1 protocol tcp\n"
			    "set policy route P rule 2 action drop\n"
			    "set policy route P rule 2 protocol udp\n";
static const char route_old[] =
	"set policy ipv6-route P rule 2 action drop\n"
	"set policy ipv6-route P rule 2 protocol udp\n"
	"set interfaces ethernet eth1 policy ipv6-route P\n";
/* What comes from a zone without a set of its own goes through this. */
static const char zone_default[] =
	"set firewall ipv4 name OUT default-action drop\n"
	"set firewall ipv4 name OUT rule 1 action accept\n"
	"set firewall ipv4 name OUT rule 1 protocol tcp\n"
	"set firewall ipv4 name BACK default-action accept\n"
	"set firewall zone LAN member interface eth1\n"
	"set firewall zone LAN from WAN firewall name BACK\n"
	"set firewall zone WAN member interface eth0\n"
	"set firewall zone WAN default-firewall name OUT\n";

static const struct vy_row rows[] = {
	{"edgeos", {modify}, "eth1", "eth0", "192.0.2.1", 17, FW_FAIL, 3, 0},
	{"edgeos", {modify}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 0, 0},
	{"edgeos", {modify}, "eth2", "eth0", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos", {route}, "eth1", "eth0", "192.0.2.1", 17, FW_FAIL, 4, 0},
	{"vyos", {route}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 0, 0},
	{"vyos", {route}, "eth2", "eth0", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos", {route_old}, "eth1", "eth0", "2001:db8::1", 17, FW_FAIL, 1, 0},
	{"vyos", {route_old}, "eth1", "eth0", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos", {twins}, "eth1", "eth0", "2001:db8::1", 17, FW_FAIL, 3, 0},
	{"vyos", {twins}, "eth1", "eth0", "2001:db8::2", 17, FW_PASS, 0, 0},
	{"edgeos",
         {vif_pppoe},
         "eth1",
         "pppoe0",
         "192.0.2.1",
         17,
         FW_FAIL,
         1,
         0},
	{"edgeos",
         {vif_pppoe},
         "eth1",
         "pppoe0",
         "192.0.2.1",
         6,
         FW_PASS,
         2,
         0},
	{"edgeos",
         {vif_pppoe},
         "eth1",
         "eth0.600",
         "192.0.2.1",
         17,
         FW_PASS,
         0,
         0},
	{"vyos", {vif_s}, "eth1", "eth0.7.8", "192.0.2.1", 17, FW_FAIL, 1, 0},
	{"vyos", {vif_s}, "eth1", "eth0.7", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos", {early}, "eth1", "eth0", "192.0.2.1", 17, FW_FAIL, 1, 0},
	{"vyos", {raw}, "eth1", "eth0", "192.0.2.1", 17, FW_FAIL, 2, 0},
	{"vyos", {raw}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 0, 0},
	{"vyos", {raw_jump}, "eth1", "eth0", "192.0.2.1", 6, FW_FAIL, 2, 0},
	{"vyos", {stateful}, "eth1", "eth0", "192.0.2.1", 17, FW_PASS, 4, 0},
	{"vyos",
         {stateful, ignored},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         0,
         0},
	{"vyos",
         {stateful, ignored},
         "eth1",
         "eth0",
         "192.0.2.1",
         6,
         FW_PASS,
         4,
         0},
	{"vyos",
         {stateful, ignored_old},
         "eth2",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         0,
         0},
	{"vyos",
         {stateful, notrack},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         0,
         0},
	{"vyos", {mask}, "eth1", "eth0", "192.0.2.1", 17, FW_DONT_KNOW, 0, 0},
	{"vyos",
         {ports_included},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         4,
         0},
	{"vyos",
         {nets_included},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         3,
         0},
	{"vyos",
         {nets_included},
         "eth1",
         "eth0",
         "198.51.100.1",
         17,
         FW_PASS,
         0,
         0},
	{"vyos",
         {ifaces_included},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         3,
         0},
	{"vyos",
         {ifaces_included},
         "eth2",
         "eth0",
         "192.0.2.1",
         17,
         FW_PASS,
         0,
         0},
	{"vyos",
         {goes_round},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_DONT_KNOW,
         0,
         0},
	{"vyos",
         {ports_missing},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_DONT_KNOW,
         0,
         0},
	{"edgeos", {own_net}, "eth1", "eth0", "192.0.2.1", 17, FW_PASS, 3, 0},
	{"edgeos",
         {own_net},
         "eth1",
         "eth0",
         "198.51.100.9",
         17,
         FW_FAIL,
         4,
         0},
	{"edgeos",
         {own_dhcp},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_DONT_KNOW,
         0,
         0},
	{"vyos", {nat_dns}, "eth1", "eth0", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos",
         {nat_sip},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_DONT_KNOW,
         1,
         0},
	{"vyos", {nat_sip}, "eth2", "eth0", "192.0.2.1", 17, FW_PASS, 0, 0},
	{"vyos", {nat_sip}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 0, 0},
	{"vyos",
         {nat_any},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_DONT_KNOW,
         1,
         0},
	{"edgeos",
         {nat_edgeos},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_PASS,
         0,
         0},
	{"vyos",
         {zone_default},
         "eth1",
         "eth0",
         "192.0.2.1",
         17,
         FW_FAIL,
         1,
         0},
	{"vyos", {zone_default}, "eth1", "eth0", "192.0.2.1", 6, FW_PASS, 2, 0},
};

static void test_words_decide(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		vy_judge(&rows[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
