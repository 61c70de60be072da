/* SPDX-License-Identifier: ISC */
/**
 * A profile as questions.
 *
 * Every atomic flow of the profile becomes a question to each address of its
 * host, in the protocol that its class and port ask for. Rows overlap, so one
 * question may decide many flows; a host name has to be resolved first, and
 * of all questions to one address and port the first is asked alone: what
 * does not open for it opens for none.
 *
 * Pure: no sockets, no clock. The plan says what there is to ask, and what
 * that may cost at most; probe/reach.h asks.
 */
#pragma once

#include "probe/ask.h"
#include "probe/srv.h"
#include "profile/map.h"
#include "profile/profile.h"

enum {
	PLAN_NAME_ADDRS = 8,   /**< of one name */
	PLAN_TARGET_ADDRS = 4, /**< that are asked of one target of a service */
	PLAN_FLOW_QUESTIONS = SRV_TARGETS_MAX * PLAN_TARGET_ADDRS,
	PLAN_WAYS = 3,
	PLAN_RANGE_FLOWS = 28, /**< that an open range costs as a rule */
	PLAN_RANGE_SHARE = 50, /**< of a run's flows, in percent: for ranges */
	PLAN_FLOWS_PER_S = 68, /**< what small routers bear (16 384 entries,
	                            60 s) */
};

#define PLAN_NONE SIZE_MAX

/** Kinds of questions: probe/asks.h has the ops of each. */
enum plan_kind {
	PLAN_NO_KIND,
	PLAN_DNS,
	PLAN_TCP,
	PLAN_TLS,
	PLAN_HTTP,
	PLAN_SIP,
	PLAN_STUN,
	PLAN_TURN,
	PLAN_XMPP,
	PLAN_XMPP_BOSH,
	PLAN_XMPP_WS,
	PLAN_NTP,
	PLAN_RANGE,
	PLAN_REGISTER,
	PLAN_MTU,
	PLAN_KINDS,
};

struct plan_way {
	enum plan_kind kind;
	enum ask_via via;
};

/** What a class speaks on a port. */
struct plan_service {
	unsigned classes;                /**< 1 << PROFILE_SIP...; 0: any */
	unsigned transports;             /**< PROFILE_UDP...; 0: any */
	uint16_t port;                   /**< 0: any */
	struct plan_way ways[PLAN_WAYS]; /**< the next one when the port opens
	                                      and speaks something else */
	unsigned flags;                  /**< PLAN_OF_HOST... */
};

enum {
	PLAN_OF_HOST = 1 << 0,  /**< the answer depends on the host's name */
	PLAN_DOUBTFUL = 1 << 1, /**< without an edge nobody has to answer there:
	                             silence proves nothing */
};

/** Why a flow is not asked. */
enum plan_skip {
	PLAN_ASKED,
	PLAN_NOT_WANTED,  /**< --only, --skip */
	PLAN_FAMILY,      /**< -4, -6: the host has no such address */
	PLAN_HOME,        /**< the guard of net/ would refuse the address */
	PLAN_HOME_NAME,   /**< the same, for whoever could resolve the name */
	PLAN_NOT_NAMED,   /**< no service record leads to that port */
	PLAN_NOT_OFFERED, /**< the service's record says that there is none */
	PLAN_NO_ADDRESS,  /**< the name has none, or nobody says */
	PLAN_NO_ROOM,     /**< out of memory */
};

struct plan_question {
	const struct plan_service *service;
	const char *host;
	struct addr addr;
	uint16_t last;
	size_t leader; /**< who is asked before, at the same port; PLAN_NONE:
	                    this one is asked first */
	size_t n_flows;
	bool is_extra; /**< decides no flow */
};

struct plan_flow {
	struct profile_flow flow;
	const char *scope; /**< "addresses/2/udp/5060" */
	size_t name;       /**< of plan_names; PLAN_NONE: numeric, or a service
	                    */
	size_t service;    /**< of plan_services; PLAN_NONE: a host */
	enum plan_skip skip;
	size_t questions[PLAN_FLOW_QUESTIONS];
	size_t n_questions;
};

/** Where a service record leads. */
struct plan_target {
	size_t name;
	uint16_t port;    /**< 0: that of each flow */
	bool is_unlisted; /**< no row of the service has that port: the first
	                       flow takes it */
};

/** A service record of the profile (RFC 2782). */
struct plan_srv {
	const char *host;   /**< as printed: "_sips._tcp.example.com" */
	const char *domain; /**< "example.com": whom certificates name */
	const char *naptr;  /**< "SIPS+D2T"; NULL: it has no such record */
	bool is_wanted, is_given; /**< as of a name */
	bool is_bound;            /**< plan_srv_bind() was called */
	bool is_fallback; /**< there was no record: the domain itself is asked
	                   */
	struct plan_target targets[SRV_TARGETS_MAX];
	size_t n_targets;
};

struct plan_name {
	const char *host;
	bool is_wanted; /**< a flow that is wanted has it */
	bool is_given;  /**< by --resolve: there is nothing to ask */
	bool is_bound;  /**< plan_bind() was called */
	struct addr addrs[PLAN_NAME_ADDRS]; /**< after --map */
	size_t n_addrs;
};

struct plan_conf {
	const struct profile_map *maps;
	size_t n_maps;
	const struct profile_alias *aliases;
	size_t n_aliases;
	enum addr_family family; /**< ADDR_NONE: both */
	const char *const *only; /**< see plan_word_is_known() */
	size_t n_only;
	const char *const *skip;
	size_t n_skip;
	bool may_resolve; /**< there is somebody to ask for names */
	bool has_extras;  /**< --full, or an account */
	/** Whether the guard lets packets go there; NULL: everywhere. */
	bool (*may_go)(const struct addr *to);
};

struct plan;

/**
 * Read a profile. Flows to numeric hosts, and to names that the conf
 * resolves, have their questions at once; others wait for plan_bind().
 *
 * @param pp    Out; untouched unless 0 is returned. Release: plan_free().
 * @param p     Borrowed, like all that @p conf points to.
 * @param conf  Copied.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int plan_alloc(struct plan **pp, const struct profile *p,
                           const struct plan_conf *conf);

/** NULL is fine. */
void plan_free(struct plan *p);

/**
 * A name was resolved, or was not (@p n 0): questions are added behind those
 * that are there. Once per name that is not given.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int plan_bind(struct plan *p, size_t name, const struct addr *addrs,
                          size_t n);

/**
 * A service was looked up: names are added behind those that are there, and
 * questions to those that are known. Without targets, and unless the service
 * is refused, its domain is the target (RFC 3263 section 4.2, RFC 6120
 * section 3.2.2). Once per service that is not given.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int plan_srv_bind(struct plan *p, size_t srv,
                              const struct srv_list *l);

size_t plan_n_flows(const struct plan *p);
const struct plan_flow *plan_flow(const struct plan *p, size_t i);
size_t plan_n_names(const struct plan *p);
const struct plan_name *plan_name(const struct plan *p, size_t i);
/** As many as there may be once all services are bound. */
size_t plan_max_names(const struct plan *p);
size_t plan_n_srvs(const struct plan *p);
const struct plan_srv *plan_srv(const struct plan *p, size_t i);
size_t plan_n_questions(const struct plan *p);
/** Valid until the next plan_bind(). */
const struct plan_question *plan_question(const struct plan *p, size_t i);

/** What the profile says that a name may lead to, after --map.
 *  @return how many, at most @p max; 0: it says nothing */
size_t plan_name_expected(struct addr *out, size_t max, const struct plan *p,
                          size_t name);

/** Whether the profile knows who signs the certificates of @p host.
 *  @param names  The issuer's names: one of the profile's words must be in one
 *                of them; empty ones are passed over */
bool plan_is_other_issuer(const struct plan *p, const char *host,
                          const struct slice *names, size_t n_names);

/** A flow that is wanted, of that name, is of class sip. */
bool plan_name_is_sip(const struct plan *p, size_t name);

/** The address that --map makes of @p a. */
struct addr plan_mapped(const struct plan *p, const struct addr *a);

/** What a flow of class, transport and port is asked. */
const struct plan_service *plan_service_for(const struct profile_flow *f);

/** What the questions may cost, sent by this side. */
struct plan_cost {
	unsigned n_questions; /**< names included */
	unsigned n_flows;     /**< new mappings in a NAT */
	unsigned n_packets;
	uint64_t n_bytes; /**< with IP headers */
	int64_t time_ns;
};

/** How much is asked, and how hard. */
struct plan_effort {
	int64_t patience_ns, again_ns, trace_ns; /**< 0: not done */
	unsigned flows;                          /**< of the run */
	bool is_full_range;
	unsigned flows_per_s; /**< of that, new ones; 0: PLAN_FLOWS_PER_S */
};

/** New flows in a second, of all ranges that are visited in full. */
unsigned plan_flows_per_s(const struct plan_effort *e);

/**
 * @param open  Out: when everything answers; NULL: not wanted
 * @param most  Out: whatever happens
 *
 * Names that are not resolved yet are counted with one address.
 */
void plan_costs(struct plan_cost *open, struct plan_cost *most,
                const struct plan *p, const struct plan_effort *e);

/**
 * Words for --only and --skip: a class, transport or service of the profile,
 * a table or a row ("addresses/2"), a host, or a kind of question.
 */
bool plan_word_is_known(const struct profile *p, const char *word);
bool plan_flow_has_word(const struct profile_flow *f, const char *word);

/** "sip-options", "http"...: as the ops of probe/asks.h are named. */
const char *plan_kind_name(enum plan_kind k);
