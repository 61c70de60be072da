/* SPDX-License-Identifier: ISC */
/**
 * The one rule model: what any firewall's configuration says.
 *
 * Rules are kept as they were written, in their order, with names symbolic
 * and every line quotable. space.h gives them their exact meaning. A tree of
 * rules lives in the arena of its `struct fw_rules` and borrows the text it
 * was parsed from, which must live as long.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"

/** An address as a number; an IPv4 address is ::ffff:a.b.c.d. */
struct fw_ip {
	uint64_t hi, lo;
};

enum fw_addr_kind {
	FW_ADDR_RANGE,
	FW_ADDR_NAME,    /**< a host name (FQDN), resolved by the firewall */
	FW_ADDR_UNKNOWN, /**< an object or set whose members are not known */
};

struct fw_addr {
	struct fw_addr *next;
	enum fw_addr_kind kind;
	struct fw_ip lo, hi; /**< both included; FW_ADDR_RANGE */
	const char *name;    /**< NULL for a bare range; else FQDN or object */
	bool is_stray;       /**< nobody has it, so no name leads there */
};

/** Empty and not negated: any address. */
struct fw_addrs {
	struct fw_addr *first, *last;
	bool is_negated;
};

/** Interfaces or zones. "eth*" (one star, at the end) is a pattern. */
struct fw_zone {
	struct fw_zone *next;
	const char *name;
	bool is_unknown; /**< a group whose members are not known */
	bool is_group;   /**< the first: a list's name, before its members */
};

/** Empty and not negated: any. */
struct fw_zones {
	struct fw_zone *first, *last;
	bool is_negated;
};

enum {
	FW_PROTO_ANY = -1,
	FW_PROTO_TCP = 6,
	FW_PROTO_UDP = 17,
	FW_PORT_MAX = 65535,
};

/** One alternative: a protocol with its ports (0 to 65535 when any). */
struct fw_service {
	struct fw_service *next;
	int proto; /**< 0..255 or FW_PROTO_ANY */
	uint16_t sport_lo, sport_hi, dport_lo, dport_hi;
	const char *name; /**< service object; NULL: written in place */
};

/** Empty: any. Negations are resolved by the parser. */
struct fw_services {
	struct fw_service *first, *last;
};

enum {
	FW_IP4 = 1 << 0,
	FW_IP6 = 1 << 1,
};

enum { /* connection states, as bits; a stateless rule has all of them */
	FW_STATE_NEW = 1 << 0,
	FW_STATE_ESTABLISHED = 1 << 1,
	FW_STATE_RELATED = 1 << 2,
	FW_STATE_INVALID = 1 << 3,
	FW_STATE_UNTRACKED = 1 << 4,
	FW_STATE_ALL = 0x1f,
};

enum fw_action {
	FW_CONTINUE, /**< sets attributes, counts, logs; the next rule decides
	              */
	FW_ACCEPT,
	FW_DROP,
	FW_REJECT,
	FW_JUMP, /**< to `target`; comes back at its end */
	FW_GOTO, /**< to `target`; its end is the end of this chain too */
	FW_RETURN,
};

/** "on" for an ALG means that it acts on SIP: that is the bad news. */
enum fw_tri {
	FW_UNSET, /**< the rule does not say */
	FW_OFF,
	FW_ON,
	FW_UNKNOWN,
};

enum {
	FW_IDLE_UNSET = -1,
	FW_IDLE_UNKNOWN = -2,      /**< set, to a value that is not said */
	FW_IDLE_NEVER = INT32_MAX, /**< an idle session stays */
	FW_DSCP_UNSET = -1,
};

/** What a rule, or the firewall as a whole, does to the flows it matches. */
struct fw_attrs {
	enum fw_tri alg;        /**< SIP helper, ALG, inspection, proxy */
	const char *helper;     /**< name of the helper or profile, or NULL */
	const char *alg_source; /**< id of the fact that says so, or NULL */
	int64_t udp_idle_s;     /**< session time once answered; _UNSET */
	int64_t tcp_idle_s;     /**< the same for TCP */
	enum fw_tri offload;    /**< ASIC, flowtable, fasttrack */
	enum fw_tri consistent_nat; /**< one inside port, one outside port;
	                                 on is good; of the box only */
	int dscp;                   /**< 0..63 or FW_DSCP_UNSET */
};

enum fw_nat_kind {
	FW_NAT_NONE,
	FW_NAT_SOURCE,   /**< SNAT or masquerade */
	FW_NAT_DEST,     /**< DNAT */
	FW_NAT_REDIRECT, /**< to this box itself: a transparent proxy */
};

struct fw_nat {
	enum fw_nat_kind kind;
	const char *to; /**< as written; NULL: the interface's own address */
};

struct fw_rule {
	struct fw_rule *next;
	struct fw_chain *chain; /**< where it stands */
	const char *id;         /**< what its vendor calls it; never NULL */
	const char *name;       /**< comment or title, or NULL */
	unsigned line;          /**< from 1; 0: made, not parsed */
	struct slice raw;       /**< its text, for quoting and for patches */
	bool is_disabled;
	unsigned families; /**< FW_IP4 | FW_IP6 */
	struct fw_zones in, out;
	struct fw_addrs src, dst;
	struct fw_services services;
	unsigned states;         /**< FW_STATE_* bits */
	const char *schedule;    /**< NULL: always */
	const char *conditional; /**< what else it asks that the model cannot
	                              say ("limit rate 5/second"), or NULL */
	bool is_of_dnat;  /**< only packets whose destination was translated */
	bool is_notrack;  /**< with FW_CONTINUE: no state for these packets */
	bool is_template; /**< its helper, time or notrack are a template for
	                       conntrack: the first that matches is the only
	                       one, and it comes before conntrack */
	enum fw_action action;
	const char *target; /**< FW_JUMP, FW_GOTO: name of the chain */
	struct fw_nat nat;
	struct fw_attrs attrs;
};

/** Where the firewall consults a chain. */
enum fw_hook {
	FW_HOOK_NONE, /**< only by jumps */
	FW_HOOK_PREROUTING,
	FW_HOOK_INPUT,
	FW_HOOK_FORWARD,
	FW_HOOK_OUTPUT,
	FW_HOOK_POSTROUTING,
};

enum fw_chain_kind {
	FW_CHAIN_FILTER,
	FW_CHAIN_NAT,
	FW_CHAIN_ROUTE,
};

/** An ordered list of rules; a vendor with one policy list has one chain,
 *  hook FW_HOOK_FORWARD. */
struct fw_chain {
	struct fw_chain *next;
	const char *name; /**< unique in its table */
	const char
		*table; /**< "inet filter", "filter"; "" when there is none */
	unsigned families; /**< FW_IP4 | FW_IP6: whose packets it sees */
	enum fw_hook hook;
	enum fw_chain_kind kind;
	int priority;          /**< lower runs first at the same hook */
	enum fw_action policy; /**< FW_ACCEPT or FW_DROP */
	unsigned line;
	struct slice raw; /**< from its first byte to its last */
	struct fw_rule *first, *last;
	size_t n_rules;
	struct fw_chain *same_hash; /**< of fw_chain_find() */
};

enum fw_object_kind {
	FW_OBJECT_ADDRS,
	FW_OBJECT_SERVICES,
	FW_OBJECT_ZONES,
	FW_OBJECT_HELPER,  /**< attrs.alg, attrs.helper */
	FW_OBJECT_TIMEOUT, /**< attrs.udp_idle_s, attrs.tcp_idle_s */
};

/** A named thing that rules refer to. Rules hold its content already. */
struct fw_object {
	struct fw_object *next;
	enum fw_object_kind kind;
	const char *name;
	const char *table; /**< as in fw_chain */
	unsigned line;
	struct slice raw;
	struct fw_addrs addrs;
	struct fw_services services;
	struct fw_zones zones;
	struct fw_attrs attrs;
	unsigned families; /**< FW_OBJECT_HELPER: whose packets it acts on */
	struct fw_object *same_hash; /**< of fw_object_find() */
};

/** A line that the parser keeps without knowing what it does. */
struct fw_kept {
	struct fw_kept *next;
	unsigned line;
	struct slice raw;
};

/** A statement about the whole box, with its proof: ALG switches, default
 *  timers. The audit shows `why` and quotes `raw`. */
struct fw_setting {
	struct fw_setting *next;
	const char *id; /**< [a-z0-9.-]+: "session-helper.sip" */
	struct fw_attrs attrs;
	bool is_default; /**< the configuration does not say: vendor's own */
	const char
		*source; /**< id of the fact in the dialect's table, or NULL */
	unsigned line;   /**< 0 when is_default */
	struct slice raw;
};

enum {
	FW_RULES_MAX = 1 << 22, /**< some gigabytes; a box has fewer by far */
};

struct fw_rules {
	struct arena arena;
	const char *dialect; /**< name in the registry */
	const char *version; /**< "7.0.14", or NULL: not said */
	struct slice text;   /**< the whole input; borrowed */
	unsigned families;   /**< whose packets the text speaks for */
	unsigned no_names;   /**< of them, those that a name is not asked for:
	                          fw_rules_note_names() */
	bool is_last_first;  /**< of chains at one hook with one priority the
	                          last runs first */
	struct fw_chain *chains, *chains_last;
	struct fw_index *index; /**< of both find functions */
	size_t n_rules;         /**< at most FW_RULES_MAX */
	bool is_full;           /**< there would have been more */
	struct fw_object *objects, *objects_last;
	struct fw_setting *settings, *settings_last;
	struct fw_kept *kept, *kept_last;
	struct fw_attrs defaults; /**< of the box, from its settings */
	const char *title; /**< what words call it, where a report is about
	                        several; or NULL */
	bool is_stateless; /**< nothing on the box keeps connections, so none
	                        is forgotten */
	int64_t offload_idle_s; /**< UDP time in the table of what a rule
	                             offloads, which then has the box's own,
	                             whatever other rules give it; _UNSET: it
	                             keeps what it has */
	int64_t helper_idle_s;  /**< what a helper gives the UDP sessions that
	                             it acts on; _UNSET: nothing of its own */
	struct fw_addrs strays; /**< sources that the text itself takes for
	                             nobody's: no phone has one of them, where
	                             nothing is said about phones */
	struct fw_addrs peers;  /**< of rules made from flows: whom they call */
	bool is_inbound;        /**< and who may call */
	struct fw_zones inside; /**< interfaces with a private address that
	                             the text gives them */
};

void fw_rules_init(struct fw_rules *r);
void fw_rules_fini(struct fw_rules *r);

/** Nothing said: every member is unset. */
struct fw_attrs fw_attrs_unset(void);

/**
 * Append. All of them return NULL without memory, and fw_rule_add() where
 * there are FW_RULES_MAX; texts are borrowed, so arena_dup() into r->arena what
 * does not outlive it.
 */
WARN_UNUSED struct fw_chain *fw_chain_add(struct fw_rules *r, const char *name);
WARN_UNUSED struct fw_rule *fw_rule_add(struct fw_rules *r, struct fw_chain *c);
WARN_UNUSED struct fw_object *
fw_object_add(struct fw_rules *r, enum fw_object_kind kind, const char *name);
WARN_UNUSED struct fw_setting *fw_setting_add(struct fw_rules *r,
                                              const char *id);
WARN_UNUSED struct fw_kept *fw_kept_add(struct fw_rules *r, unsigned line,
                                        struct slice raw);

WARN_UNUSED struct fw_addr *fw_addrs_add_range(struct arena *a,
                                               struct fw_addrs *set,
                                               struct fw_ip lo,
                                               struct fw_ip hi);
WARN_UNUSED struct fw_addr *fw_addrs_add_name(struct arena *a,
                                              struct fw_addrs *set,
                                              enum fw_addr_kind kind,
                                              const char *name);
WARN_UNUSED struct fw_zone *fw_zones_add(struct arena *a, struct fw_zones *set,
                                         const char *name);
WARN_UNUSED struct fw_service *fw_services_add(struct arena *a,
                                               struct fw_services *set,
                                               int proto, uint16_t dport_lo,
                                               uint16_t dport_hi);

/** @return the first of that name (and table, unless NULL), or NULL. What
 *  was found once keeps its name and table. */
struct fw_chain *fw_chain_find(const struct fw_rules *r, const char *table,
                               const char *name);
struct fw_object *fw_object_find(const struct fw_rules *r,
                                 enum fw_object_kind kind, const char *table,
                                 const char *name);

/** "on", "off", "unknown" or "unset"; never translated. */
const char *fw_tri_name(enum fw_tri t);

struct fw_ip fw_ip_of(const struct addr *a);
struct addr fw_ip_addr(struct fw_ip ip);
int fw_ip_cmp(struct fw_ip a, struct fw_ip b);
bool fw_ip_is4(struct fw_ip ip);

/** Where rules accept names in IPv4 and nothing in IPv6, the box is not made
 *  for IPv6: a name is not blocked because its addresses there, if it has any,
 *  would be. */
void fw_rules_note_names(struct fw_rules *rules);

/** The first and last address of a family or of a prefix. */
void fw_ip_family(struct fw_ip *lo, struct fw_ip *hi, unsigned families);
void fw_ip_prefix(struct fw_ip *lo, struct fw_ip *hi, const struct prefix *p);

/**
 * Read "192.0.2.1", "192.0.2.0/24" (host bits are cleared, as firewalls do),
 * "192.0.2.0/255.255.255.0", "192.0.2.1-192.0.2.9", the same in IPv6.
 *
 * @return 0, or EBADMSG; outs untouched then
 */
WARN_UNUSED int fw_ip_parse(struct fw_ip *lo, struct fw_ip *hi,
                            struct slice text);

/** Write a number, without what printf() costs. */
void fw_dec_put(struct wr *w, uint64_t v);

/** Write a range the shortest way: address, prefix, or "lo-hi". */
void fw_ip_put(struct wr *w, struct fw_ip lo, struct fw_ip hi);

/** @return prefix length (0..32 for IPv4, 0..128), or -1: not a prefix. */
int fw_ip_prefix_len(struct fw_ip lo, struct fw_ip hi);

/** "udp" and such, or a number 0..255. @return 0 or EBADMSG. */
WARN_UNUSED int fw_proto_parse(int *proto, struct slice text);
/** @return the name, or NULL when only the number will do. */
const char *fw_proto_name(int proto);

/** A number or a well-known service name ("sip", "https").
 *  @return 0 or EBADMSG */
WARN_UNUSED int fw_port_parse(uint16_t *port, struct slice text);
