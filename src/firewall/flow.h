/* SPDX-License-Identifier: ISC */
/** What calls need from a firewall: the profile's rows, ready for set
 *  algebra; and the place on the firewall where they pass. */
#pragma once

#include "firewall/rule.h"

/** One row: phones behind the firewall open it towards the provider. */
struct fw_flow {
	const char *id;      /**< the profile's row: stable, for scopes */
	const char *name;    /**< host or address as the profile writes it */
	const char *title;   /**< for comments in a configuration; or NULL */
	struct fw_addrs dst; /**< ranges and names */
	struct fw_services services; /**< TCP and UDP only */
	bool is_sip;                 /**< an ALG must leave it alone */
	int64_t min_udp_idle_s;      /**< FW_IDLE_UNSET: no demand */
	int64_t min_tcp_idle_s;
	const char *label; /**< for people of any language; NULL: the id */
};

enum fw_path {
	FW_PATH_FORWARD, /**< the box is a router */
	FW_PATH_OUTPUT,  /**< the box itself makes the calls */
	FW_PATH_INPUT,   /**< answers to the box itself; no place has it */
};

/** Where the flows enter and leave. */
struct fw_place {
	enum fw_path path;
	const char *in;      /**< LAN interface or zone; NULL: any */
	const char *out;     /**< WAN; NULL: any */
	struct fw_addrs src; /**< where phones are; empty: any */
};

/** Addresses of a name at the time of asking; the firewall may see others,
 *  so what rests on it is said. */
struct fw_host {
	const char *name;
	struct fw_addrs addrs; /**< ranges only */
};
