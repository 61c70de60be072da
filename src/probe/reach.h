/* SPDX-License-Identifier: ISC */
/**
 * The inside of the asker; for reach*.c only.
 *
 * A plan's questions are put to the network: names first, of each port the
 * first question alone, the others of that port when it has opened; ranges
 * when the round trip is known. What stays silent is asked once more, and
 * then followed to where it ends.
 */
#pragma once

#include "net/dns.h"
#include "probe/inward.h"
#include "probe/plan.h"
#include "probe/probe.h"
#include "probe/range_board.h"
#include "probe/trace.h"

enum {
	REACH_RUNNING_MAX = 128, /**< questions at a time */
	REACH_BURST = 8,         /**< started per turn */
	REACH_TURN_MS = 4,
	REACH_TRACES_MAX = 32,
	REACH_TRACES_RUNNING = 6,
	REACH_CONTROLS = 2,
	REACH_HERE_EACH = 2,  /**< ports of a transport and family */
	REACH_HERE_PORTS = 8, /**< of all */
	REACH_SERVERS = PROBE_MAX_DNS,
	REACH_TYPES = 2,                 /**< A, AAAA */
	REACH_TRIES = REACH_SERVERS + 1, /**< of a name: each server, and the
	                                     first one by TCP */
	REACH_LOOKS = 4,
	REACH_PIN_BYTES = 32,
};

enum reach_stage {
	REACH_WAITING,
	REACH_RUNNING,
	REACH_DOUBTED, /**< silent so far: asked again, or believed */
	REACH_OVER,
};

/** A question of the plan, being asked. */
struct reach_ask {
	struct reach *reach;
	size_t no; /**< in the plan */
	enum reach_stage stage;
	unsigned way, n_asks;
	bool is_inherited; /**< the first question at this port has settled it
	                    */
	bool is_lossy;     /**< answered only when asked again */
	unsigned kept;     /**< a range: flows that wait for its beginning */
	struct ask *ask;
	struct ask_target target;
	struct ask_conf conf;
	struct ask_result result; /**< once REACH_OVER, or REACH_DOUBTED */
	struct ask_result first;  /**< of the first way */
	size_t trace;             /**< PLAN_NONE: not followed */
};

/** A fresh flow to a port that has answered before. */
struct reach_control {
	struct reach *reach;
	struct ask *ask;
	struct ask_conf conf;
	const struct reach_ask *of; /**< NULL: none was needed */
	bool is_over, has_passed;
};

struct reach_lookup;

/** Keep what an answer has; sets `has_content` if that is of use. */
typedef void reach_take_fn(struct reach_lookup *l, const struct net_dns_msg *m);

/** A name, and who keeps what is said of it. */
struct reach_topic {
	const char *host; /**< NULL: not to be asked */
	enum net_dns_type type;
	reach_take_fn *take;
	const char *naptr; /**< the service that NAPTR is read for */
	bool is_decisive;  /**< the other's answer does not replace its own */
};

/** What one server said to one question. */
struct reach_lookup {
	struct reach *reach;
	struct reach_topic topic;
	struct net_dns *dns; /**< NULL: over, or not asked */
	struct addr server;
	bool has_content; /**< there is something to go on with */
	bool is_asked, is_over, is_tcp;
	bool is_cname_only; /**< an alias that leads nowhere */
	int err;            /**< as in struct net_dns_answer */
	uint8_t rcode;
	struct addr offender;
	bool is_truncated;
	int64_t rtt_ns, took_ns;
	struct addr addrs[PLAN_NAME_ADDRS];
	size_t n_addrs;
	struct srv_list list; /**< SRV, NAPTR */
	struct val records;   /**< the same, to be told */
};

/** Every server is asked for both types, the first also by TCP. */
struct reach_tries {
	struct reach_lookup at[REACH_TRIES][REACH_TYPES];
};

/** A name of the plan, being looked up. */
struct reach_name {
	struct reach *reach;
	size_t no;
	bool is_asked, is_over;
	struct reach_tries lookups;
	struct ask *look; /**< everything that DNS says of it; NULL: over, or
	                       not asked */
	bool has_look;
	struct ask_target look_target;
	struct ask_conf look_conf;
	struct val look_fields; /**< once it is over */
};

/** A service of the plan, being looked up (RFC 3263). */
struct reach_service {
	struct reach *reach;
	size_t no;
	bool is_asked, is_over;
	struct reach_tries lookups; /**< NAPTR of its domain, SRV of itself */
	struct reach_lookup led[SRV_NAMES_MAX]; /**< SRV of what NAPTR names */
	size_t n_led;
	bool has_led;         /**< `led` were asked */
	struct srv_list list; /**< once it is over */
};

struct reach_trace {
	struct reach *reach;
	size_t ask; /**< whose flow is followed */
	struct trace *trace;
	struct trace_result result;
	bool has_control; /**< its own, or a sibling's since it was judged */
	const struct fact *near; /**< path.accepts; NULL: none */
	bool is_started, is_over;
};

/** So late, a question's patience may be over. */
#define REACH_LATE_NS (100 * NS_PER_MS)

/** Whether this computer drops what comes back: port after port. */
struct reach_here {
	struct reach *reach;
	struct net_timer *timer;
	struct net_timer *beat;
	int64_t beat_ns;   /**< when it is due */
	int64_t late_ns;   /**< how late it was at most */
	int64_t before[2]; /**< of IPv4, IPv6, as reach began; -1: not known */
	int64_t count;     /**< as the moment began */
	int64_t due_ns;    /**< when it ends */
	struct inward inward;
	size_t ask; /**< that is asked */
	struct ask *asks[INWARD_ASKS_MAX];
	struct ask_conf conf;
	unsigned flows; /**< left, of those that are kept for this */
	bool is_heard;  /**< something was: nothing is dropped */
	bool is_running, is_over;
	size_t ports[REACH_HERE_PORTS]; /**< asks */
	bool is_proved[REACH_HERE_PORTS];
	size_t n_ports;
};

struct reach {
	const struct probe_run *run;
	struct report *report;
	struct plan *plan;
	struct plan_effort effort;
	struct net_timer *timer;
	int64_t start_ns;
	struct reach_ask **asks; /**< as in the plan */
	size_t n_asks, cap_asks;
	struct reach_name *names;       /**< as in the plan */
	struct reach_service *services; /**< as in the plan */
	size_t n_looks, n_looking;
	size_t n_running, n_over;
	struct range_board board;
	unsigned flows, range_flows;  /**< left, but for what is kept */
	int64_t rtt_ns;               /**< the shortest; 0: none yet */
	uint8_t pin[REACH_PIN_BYTES]; /**< of the edge's certificate */
	bool has_pin;
	struct ask *pin_ask;  /**< asks the edge for it; NULL: over */
	bool is_pin_doubtful; /**< nobody waits for it any more */
	struct ask_target pin_target;
	char pin_host[ADDR_TEXT_BYTES];
	struct ask_conf pin_conf;
	bool is_tracing; /**< nothing is asked any more but ranges */
	struct reach_trace traces[REACH_TRACES_MAX];
	size_t n_traces;
	int64_t trace_ns;  /**< when the first one began; 0: none has */
	int64_t rewalk_ns; /**< when doubtful ones go again; 0: not yet */
	struct reach_control controls[REACH_CONTROLS];
	struct reach_here here;
	bool is_over; /**< probe_done() was called */
	bool is_cut;  /**< by the user: what runs is not known */
};

/** Something has ended: look what comes next, soon. */
void reach_wake(struct reach *r);

/** reach_lookup.c: ask all servers. */
void reach_tries_start(struct reach *r, struct reach_tries *t,
                       const struct reach_topic topics[REACH_TYPES]);
/** The first server's word is enough; without it, all are waited for, and at
 *  last TCP. */
bool reach_tries_known(struct reach *r, struct reach_tries *t);
/** A server has said something, if only that there is no such name; to what is
 *  decisive, where that is one of both. */
bool reach_tries_have_answer(const struct reach_tries *t);
/** The server that speaks for all: the first one that answered; NULL: none. */
const struct reach_lookup *reach_tries_speaker(const struct reach_tries *t);
void reach_tries_stop(struct reach_tries *t);
/** Ask one. @p t  With its server and `is_tcp` */
void reach_lookup_start(struct reach *r, struct reach_lookup *l,
                        const struct reach_topic *topic);

/** reach_services.c: the same for services. */
bool reach_services_go(struct reach *r);
WARN_UNUSED int reach_services_start(struct reach *r);
void reach_services_stop(struct reach *r);

/** reach_names.c: start what is left to look up; true: all are known. */
bool reach_names_go(struct reach *r);
WARN_UNUSED int reach_names_start(struct reach *r);
/** Nobody looks into a name any more. */
bool reach_looks_over(const struct reach *r);
void reach_names_stop(struct reach *r);

/** reach_pin.c: the edge's certificate, which is good whatever is wrong with
 *  it. Ask for it, unless the SIP probe has left it. */
WARN_UNUSED int reach_pin_find(struct reach *r);
void reach_pin_take(struct reach *r, struct slice hex);
/** Where nothing is heard, the edge's port is shut like the others. */
void reach_pin_doubt(struct reach *r, int64_t now_ns);
/** When to doubt it; 0: it is not waited for */
int64_t reach_pin_due_ns(const struct reach *r);

/** The kind of question that it asks at present. */
enum plan_kind reach_kind_of(const struct reach_ask *a);
/** What is asked of a kind. */
const struct ask_ops *reach_ops_of(const struct reach *r, enum plan_kind kind);

/** reach_trace.c: follow what has failed. @return true: no trace runs */
bool reach_traces_go(struct reach *r, bool with_ranges);
void reach_traces_stop(struct reach *r);

/** Once it is over: what other traces to that host know helps to judge it. */
void reach_trace_judge(struct reach *r, struct reach_trace *t);

/** reach_here.c: look whether silence is this computer's own doing.
 *  @return true: that is known, or cannot be. */
bool reach_here_go(struct reach *r);
WARN_UNUSED int reach_here_start(struct reach *r);
void reach_here_stop(struct reach *r);

/** reach_near.c: it opened much sooner than anything by UDP was answered: no
 *  proof that a box has done it, but worth a trace. */
bool reach_is_early(const struct reach *r, const struct reach_ask *a);
/** The facts of boxes that open connections in servers' stead. */
void reach_put_near(struct reach *r);
/** The box, by such a trace, that has opened it; NULL: none known */
const struct fact *reach_near_of(const struct reach *r,
                                 const struct reach_ask *a);

/** They failed in the same way, by the same transport. */
bool reach_is_alike(const struct reach_ask *a, const struct reach_ask *b,
                    bool is_same_host);

/** reach_facts.c */
void reach_facts(struct reach *r);
/** A range has met the limit of a router's table. */
bool reach_is_table_met(const struct reach *r);
struct val *reach_put(struct reach *r, struct val *into, const char *key,
                      struct val v);
void reach_field(struct reach *r, struct fact *f, const char *key,
                 struct val v);
/** How a question with that result fared; its arguments: ports, host, for what.
 */
struct words reach_summary(const char *result);
/** @param text  Copied; NULL: no field */
void reach_field_text(struct reach *r, struct fact *f, const char *key,
                      const char *text);

/** reach_name_facts.c */
void reach_put_name(struct reach *r, size_t i);
/** How a lookup went: server, rcode, ms... @param types  Of one server */
void reach_put_lookup(struct reach *r, struct val *map,
                      const struct reach_lookup *types, size_t n_types);

/** reach_skip_facts.c: what is said of a flow that was not asked. */
void reach_put_skipped(struct reach *r, struct fact *f,
                       const struct plan_flow *pf);

/** reach_service_facts.c */
void reach_put_service(struct reach *r, size_t i);
/** The target of a flow's service that has that address. */
const char *reach_target_at(const struct reach *r, const struct plan_flow *f,
                            const struct addr *at);
/** All names that a flow waits for are looked up, in vain or not. */
bool reach_is_looked_up(const struct reach *r, const struct plan_flow *f);

/** The question failed on its way: it may be asked again, and followed. */
bool reach_is_lost(const struct ask_result *res);

/** @p a is this computer's own, towards @p to. */
bool reach_is_self(const struct addr *a, const struct addr *to);

bool reach_has_passed(const struct ask_result *res);

/** Whether an edge is at that address, or at every other one that told. */
bool reach_is_edge_at(const struct reach *r, const struct addr *at);

bool reach_is_range(const struct reach_ask *a);

bool reach_is_udp(const struct reach_ask *a);
