/* SPDX-License-Identifier: ISC */
/**
 * What a provider needs of a network: a profile, read from YAML.
 *
 * A profile is data: nothing here knows any provider. The format is in
 * prumo-profile(5) and in profiles/profile.schema.json.
 *
 * A row is a line of the provider's own table and is kept as printed. An
 * atomic flow is one destination, one transport and one port range as
 * printed: a row of a host, the ports 5060/5061/5080 and UDP & TCP makes
 * 1 x 3 x 2 = 6 flows. Neighbouring ports are not merged and rows that
 * repeat each other are not folded, so that the flows can be compared with
 * the document by counting.
 *
 * Safe on hostile text; fuzzed by fuzz/fuzz_profile_profile.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"

enum {
	PROFILE_MAX_BYTES = 1 << 20, /**< of text */
	PROFILE_MAX_ROWS = 4096,
	PROFILE_MAX_PORTS = 64,     /**< ranges in a row */
	PROFILE_MAX_ADDRESSES = 32, /**< of a name */
	PROFILE_MAX_ISSUERS = 16,   /**< of a host's certificates */
	PROFILE_MAX_NAME_BYTES = 255,
	PROFILE_MAX_TEXT_BYTES = 4096, /**< any other string */
};

/** Purpose of a flow; machine names by profile_class_name(). */
enum profile_class {
	PROFILE_SIP,
	PROFILE_RTP,
	PROFILE_STUN, /**< and TURN, which shares its ports */
	PROFILE_WEB,
	PROFILE_CHAT,
	PROFILE_WEBRTC,
	PROFILE_LICENCE,
	PROFILE_API,
	PROFILE_PROVISIONING,
	PROFILE_NTP,
	PROFILE_DNS,
	PROFILE_N_CLASSES,
};

enum profile_transport {
	PROFILE_UDP = 1,
	PROFILE_TCP = 2,
	PROFILE_TLS = 4, /**< over TCP */
};

enum profile_direction {
	PROFILE_BOTH,
	PROFILE_OUT, /**< from the customer */
	PROFILE_IN,
};

/** Where in the YAML text; both from 1, the column in bytes. 0: nowhere. */
struct profile_place {
	unsigned line, column;
};

struct profile_ports {
	uint16_t first, last; /**< first <= last, both from 1 */
	struct profile_place place;
};

struct profile_row {
	const char *table; /**< id of a struct profile_table */
	unsigned row;      /**< in that table, from 1 */
	const char *host;  /**< address or name as printed */
	struct addr addr;  /**< ADDR_NONE: `host` is a name */
	bool is_srv;       /**< the name starts with '_' */
	const char **address_texts;
	size_t n_addresses;     /**< 0: not said */
	struct addr *addresses; /**< `n_addresses`: the same; all that the name
	                             may lead to */
	unsigned transports;    /**< PROFILE_UDP... */
	enum profile_direction direction;
	const char *direction_printed; /**< NULL: not kept */
	const char *description;       /**< as printed */
	enum profile_class cls;
	const char *service; /**< rows of one service share it: [a-z0-9-]+ */
	const char *purpose; /**< one sentence; NULL: none */

	const char **port_texts; /**< "5060", "10000-65535" */
	size_t n_ports;
	struct profile_ports *ports; /**< `n_ports`: the same, as numbers */
	const char **issuers;        /**< who may sign its certificates */
	size_t n_issuers;            /**< 0: not said */
	struct profile_place place, host_place, transports_place;
	struct profile_place direction_place;
};

/** A table of the source document. */
struct profile_table {
	const char *id;    /**< [a-z0-9-]+ */
	const char *title; /**< NULL: none */
	const char *page;  /**< where in the document; NULL: not said */
};

struct profile_source {
	const char *title;
	const char *publisher, *url, *date, *language; /**< NULL: not said */
};

enum profile_timer_kind {
	PROFILE_TIMER_UDP_SESSION, /**< how long the firewall must keep it */
	PROFILE_TIMER_TCP_SESSION,
	PROFILE_TIMER_REGISTRATION, /**< between two REGISTERs */
	PROFILE_TIMER_KEEPALIVE,    /**< between two keep-alives */
	PROFILE_TIMER_MAPPING,      /**< what common routers really keep */
};

/** A time that the document states somewhere. */
struct profile_timer {
	enum profile_timer_kind kind;
	unsigned min_s, max_s; /**< 0: no such bound; not both */
	const char *text;      /**< the document's words */
	const char *stated;    /**< where it says so */
	struct profile_place place;
};

struct profile_codec {
	const char *name;    /**< "PCMA/8000", as in SDP */
	unsigned payload_ms; /**< packet time; 0: 20 */
	unsigned call_kbps;  /**< one way, at the IP layer; 0: not said */
};

/** The worst that still carries calls. 0: not said. */
struct profile_thresholds {
	unsigned rtt_ms, one_way_ms, jitter_ms;
	unsigned loss_ppm;
	unsigned setup_ms;
};

struct profile_antivirus {
	const char *path;  /**< NULL: none */
	bool allows_hosts; /**< every host of the rows is to be let through */
	const char *text, *stated;
};

struct profile_requirements {
	bool sip_alg_allowed;
	const char *sip_alg_text, *sip_alg_stated; /**< NULL: not said */
	struct profile_timer *timers;
	size_t n_timers;
	unsigned *web_ports;
	size_t n_web_ports;
	unsigned call_kbps; /**< each way, planning value; 0: not said */
	const char *bandwidth_text, *bandwidth_stated;
	struct profile_codec *codecs;
	size_t n_codecs;
	unsigned dscp_media, dscp_signalling; /**< 0..63; 0: not said */
	struct profile_thresholds thresholds;
	struct profile_antivirus *antivirus;
	size_t n_antivirus;
};

/** What a setting that the document asks for does to calls or to safety. */
enum profile_effect {
	PROFILE_EFFECT_OTHER,
	PROFILE_EFFECT_ALG_OFF,
	PROFILE_EFFECT_ALG_ON,
	PROFILE_EFFECT_WEAKENS, /**< takes a protection away */
	PROFILE_EFFECT_TIMER,
	PROFILE_EFFECT_OFFLOAD,
};

/** A setting of a firewall or router that the document asks for. */
struct profile_setting {
	const char *vendor;  /**< [a-z0-9-]+ */
	const char *setting; /**< [a-z0-9-]+: the same id in every place */
	const char *value;   /**< "on", "off", "43200" */
	enum profile_effect effect;
	const char *command; /**< as printed; NULL: none */
	const char **hosts;  /**< hosts that it is limited to */
	size_t n_hosts;      /**< 0: it is for all */
	const char *text, *stated;
	struct profile_place place, command_place;
};

struct profile_contact {
	const char *role, *name, *url, *email, *phone; /**< NULL: not said */
};

struct profile_priv;

/** All strings and lists belong to the profile. */
struct profile {
	const char *schema; /**< "prumo/profile/1" */
	const char *id;     /**< [a-z0-9-]+ */
	const char *name;
	const char *version; /**< of the document, as printed; NULL: none */
	struct profile_source source;
	struct profile_table *tables;
	size_t n_tables;
	struct profile_row *rows;
	size_t n_rows;
	struct profile_requirements requirements;
	struct profile_setting *settings;
	size_t n_settings;
	struct profile_contact *contacts;
	size_t n_contacts;
	struct profile_priv *priv;
};

/**
 * Read a profile.
 *
 * @param pp    Out; untouched unless 0 is returned. To profile_free().
 * @param text  YAML, UTF-8. Not needed afterwards.
 * @param dg    Faults are added; it must have been made for @p text.
 *
 * @return 0, or
 *         EBADMSG  at least one DIAG_ERROR was added
 *         ENOMEM
 */
WARN_UNUSED int profile_load(struct profile **pp, struct slice text,
                             struct diag *dg);

/** NULL is fine. */
void profile_free(struct profile *p);

/** One atomic flow. Borrows from the profile. */
struct profile_flow {
	const struct profile_row *row;
	enum profile_transport transport;
	struct profile_ports ports;
};

/** Walks the flows in the order of the document; start from {0}. */
struct profile_iter {
	size_t row, port;
	unsigned transport_bit;
};

/** @return false at the end; @p flow is then untouched. */
bool profile_flow_next(struct profile_flow *flow, const struct profile *p,
                       struct profile_iter *it);

size_t profile_n_flows(const struct profile *p);

/** "sip", "rtp"...; as in the YAML, never translated. */
const char *profile_class_name(enum profile_class c);

/** "udp", "tcp" or "tls". */
const char *profile_transport_name(enum profile_transport t);

/** "udp-session"...; as in the YAML. */
const char *profile_timer_name(enum profile_timer_kind k);
