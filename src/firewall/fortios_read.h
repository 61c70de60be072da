/* SPDX-License-Identifier: ISC */
/** Reading a FortiOS tree: what fortios.c and its objects share. */
#pragma once

#include "firewall/fortios.h"

struct fw_forti_svc {
	struct fw_object *object;
	int64_t udp_idle_s, ttl_s; /* _UNSET: the box's */
	bool is_helper_off;
	bool is_any;
	bool is_doubtful; /* matches less than its ports say */
	bool has_icmp_type;
	bool is_busy;
	const struct fw_forti_node *why; /* is_doubtful: the line, or NULL */
};

struct fw_forti_adr {
	struct fw_object *object;
	bool is_all[2]; /* IPv4, IPv6 */
	bool is_busy;
	bool is_guess; /* not in the text: read from its name */
	const struct fw_forti_node *why; /* a line that may narrow it */
};

struct fw_forti_group {
	const struct fw_forti_node *why; /* a line that may narrow it */
};

struct fw_forti_port_ttl {
	struct fw_forti_port_ttl *next;
	const struct fw_forti_node *at;
	int proto;
	uint16_t lo, hi;
	int64_t ttl_s;
};

/* What holds for one VDOM. */
struct fw_forti_scope {
	const char *name; /* "" when there are none */
	struct fw_forti_node *node;
	enum fw_forti_mode mode;
	bool is_ngfw, is_flow;
	enum fw_tri default_profile;
	struct fw_forti_port_ttl *ttls; /* the longest first */
	int64_t default_ttl_s;
	const char *decides_first; /* what comes before the policies */
};

struct fw_forti_ctx {
	struct fw_forti_tree t;
	struct fw_rules *rules;
	struct diag *dg;
	struct arena scratch;
	struct fw_forti_node *global;
	struct fw_dict adrs, svcs; /* by scope node */
	struct fw_dict apps;       /* by name: does the list block calls? */
	struct fw_dict groups;     /* of services: struct fw_forti_group */
	long version;
	enum fw_tri helper;
	int64_t udp_idle_s;
	size_t n_copies;
	unsigned n_new; /* entries "edit 0" */
	int err;
};

struct fw_forti_words {
	const struct fw_forti_node *at;
	struct slice name, rest;
};

/** Values of the last `set` of a name, then of what was appended to it. */
struct fw_forti_words fw_forti_words_of(const struct fw_forti_node *entry,
                                        const char *name);
bool fw_forti_word_next(struct fw_forti_words *w, struct slice *word);

/** Into the rules; "" and an error without memory. */
const char *fw_forti_dup(struct fw_forti_ctx *c, struct slice s);
/** NULL is lack of memory. */
void fw_forti_check(struct fw_forti_ctx *c, const void *made);
/** A number of seconds and such, or @p fallback. */
int64_t fw_forti_number(struct slice word, int64_t fallback);

/** The same, where "never" may stand for it: FW_IDLE_NEVER. */
int64_t fw_forti_seconds(struct slice word, int64_t fallback);

/** Count a copy; false, and said once, when there were too many. */
bool fw_forti_budget(struct fw_forti_ctx *c, const struct fw_forti_node *at);
void fw_forti_put_adr(struct fw_forti_ctx *c, struct fw_addrs *to,
                      const struct fw_forti_adr *a,
                      const struct fw_forti_node *at);

/** @return the entry of a table below a scope, or NULL. */
struct fw_forti_node *fw_forti_find_entry(const struct fw_forti_ctx *c,
                                          const struct fw_forti_scope *sc,
                                          const char *path, struct slice name);

/** The address or group of that name, read on first use; NULL: nested too
 *  deeply, or no memory. */
struct fw_forti_adr *fw_forti_find_adr(struct fw_forti_ctx *c,
                                       const struct fw_forti_scope *sc,
                                       struct slice name, bool is6,
                                       unsigned depth);
/** The same for a service that is no group; NULL: no memory. */
struct fw_forti_svc *fw_forti_find_svc(struct fw_forti_ctx *c,
                                       const struct fw_forti_scope *sc,
                                       struct slice name);

/** Session times, switches and SIP of a scope, into @p sc and the rules'
 *  settings. */
void fw_forti_read_settings(struct fw_forti_ctx *c, struct fw_forti_scope *sc);
/** The same of the box: its timer and its session helpers. */
void fw_forti_read_global(struct fw_forti_ctx *c);

/** Is SIP on in the VoIP profile of that name? @p at is set to the line that
 *  says so, where there is one; unknown: no such profile in the text. */
enum fw_tri fw_forti_profile_state(struct fw_forti_ctx *c,
                                   const struct fw_forti_scope *sc,
                                   struct slice name,
                                   const struct fw_forti_node **at);

struct fw_forti_used {
	struct fw_forti_used *next;
	const struct fw_forti_svc *svc;
};

/* What the services of one policy say of its session times; _UNSET. */
struct fw_forti_times {
	struct fw_forti_used *used;
	size_t n_used;
	int64_t udp_lo_s, udp_hi_s; /* of any of its packets */
	int64_t own_s;              /* shortest that a service itself has */
	int64_t tcp_s;              /* shortest */
};

void fw_forti_times_init(struct fw_forti_times *t);
/** Count a service in. */
void fw_forti_times_use(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                        struct fw_forti_times *t, const struct fw_forti_svc *s);
/** Give the policy @p e its times, when all else of its rule is read and it is
 *  the last of its chain: rules that only set a time may come before it, and
 *  @p policy is one of them then. */
void fw_forti_times_put(struct fw_forti_ctx *c, const struct fw_forti_times *t,
                        const struct fw_forti_node *e, struct fw_rule *policy);

/** `config system session-ttl`, into the scope; and as rules that set times,
 *  before all policies. */
void fw_forti_times_read(struct fw_forti_ctx *c, struct fw_forti_scope *sc);
void fw_forti_times_table(struct fw_forti_ctx *c,
                          const struct fw_forti_scope *sc, struct fw_chain *ch);

enum fw_forti_when {
	FW_FORTI_SOMETIMES, /* a clock decides, or a line that is not there */
	FW_FORTI_ALWAYS,
	FW_FORTI_NEVER,
};

/** When is a schedule on? */
enum fw_forti_when fw_forti_schedule(struct fw_forti_ctx *c,
                                     const struct fw_forti_scope *sc,
                                     struct slice name);

/** Whose keys are known. */
enum fw_forti_table {
	FW_FORTI_POLICY,
	FW_FORTI_ADDRESS,
	FW_FORTI_ADDRGRP,
	FW_FORTI_SERVICE,
	FW_FORTI_SERVICE_GROUP,
};

/** Are these the values that full-configuration writes for what is not used?
 */
bool fw_forti_is_unused(struct slice values);

/** The line of an entry that narrows it in a way which addresses and ports
 *  cannot say, or whose meaning is not known; NULL: none. Keys that are not
 *  known are kept and told. */
const struct fw_forti_node *fw_forti_doubt_of(struct fw_forti_ctx *c,
                                              enum fw_forti_table table,
                                              const struct fw_forti_node *e);

/** The name of a profile of a kind that a policy uses, itself or by a group.
 *  @p is_missing: its group is not in the text, and is what is returned. */
struct slice fw_forti_profile_word(const struct fw_forti_ctx *c,
                                   const struct fw_forti_scope *sc,
                                   const struct fw_forti_node *policy,
                                   const char *name, bool *is_missing);

/** May application control block calls in this policy? Told once a list. */
bool fw_forti_apps_block(struct fw_forti_ctx *c,
                         const struct fw_forti_scope *sc,
                         const struct fw_forti_node *policy);

/** Tables that the box asks before its policies: of what they let through, the
 *  policies alone are no proof. */
void fw_forti_read_first(struct fw_forti_ctx *c, struct fw_forti_scope *sc);

/** Tell of DoS policies that drop UDP by its rate. */
void fw_forti_warn_rates(struct fw_forti_ctx *c,
                         const struct fw_forti_scope *sc);
