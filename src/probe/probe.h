/* SPDX-License-Identifier: ISC */
/**
 * What a probe is, and how probes are run.
 *
 * A probe asks the network one question and reports facts. A blocked port or
 * a rewritten header is an answer, hence a fact. Only what stopped the probe
 * from asking (no socket, no memory) is an `err`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "fact/fact.h"
#include "probe/ask.h"
#include "probe/plan.h"

enum probe_need {
	PROBE_NEEDS_EDGE = 1 << 0,   /**< the provider's responder */
	PROBE_NEEDS_SERVER = 1 << 1, /**< an ordinary SIP server */
	PROBE_NEEDS_PLAN = 1 << 2,   /**< questions to the profile's hosts */
};

enum {
	PROBE_MAX_SERVERS = 8,
	PROBE_MAX_DNS = 2,
};

/** The ports where SIP is spoken; 0: not at all. */
struct probe_ports {
	uint16_t sip;     /**< UDP and TCP */
	uint16_t sip_alt; /**< UDP and TCP */
	uint16_t tls;
	uint16_t control; /**< of an edge only: UDP, TCP and TLS */
};

/** What the user asked for. Names are resolved before. */
struct probe_conf {
	struct addr edge; /**< ADDR_NONE: there is none; its port is unused */
	struct addr servers[PROBE_MAX_SERVERS]; /**< ports are unused */
	size_t n_servers;
	struct probe_ports ports;
	int64_t limit_ns; /**< for each probe, which then reports what it knows;
	                       0: none */
	bool is_full;     /**< ask also what takes longer or many packets */
	struct plan *plan; /**< NULL: none; names are bound to it */
	struct plan_effort effort;
	const struct ask_ops *const *kinds; /**< by enum plan_kind; NULL: those
	                                         of probe/asks.h */
	struct addr dns[PROBE_MAX_DNS];     /**< who is asked for names, in this
	                                         order */
	size_t n_dns;
	struct ask_account account;
	const char *const *skip; /**< names of probes to leave out */
	size_t n_skip;
	const char *const *only; /**< ... and, when not empty, to run alone */
	size_t n_only;
	unsigned timer_wait_s; /**< compare UDP timers by port, waiting this
	                            long; 0: do not */
};

struct probe_list;

/** What a probe works with. */
struct probe_run {
	const struct probe_conf *conf;
	struct report *report;
	struct probe_list *list; /**< for probe_done() and probe_progress() */
};

struct probe_ops {
	const char *name;    /**< [a-z-]+: CLI argument and JSON id */
	const char *summary; /**< one line, N_() */
	unsigned needs;      /**< PROBE_NEEDS_* bits */
	size_t state_bytes;  /**< zeroed before start() */

	/**
	 * Begin. On 0 the probe later calls probe_done(run, err) exactly once;
	 * on error it has reported nothing and holds nothing.
	 */
	int (*start)(void *state, struct probe_run *run);

	/** Write down what is known so far: after probe_done(), or early,
	 *  when the user has had enough. Once, before stop(). */
	void (*report)(void *state);

	/** Let go of everything. Once per successful start(), done or not. */
	void (*stop)(void *state);
};

/** Every probe, in the order they run; ends with NULL. */
extern const struct probe_ops *const probes[];

/** For probes: the question is settled. The state is gone afterwards. */
void probe_done(const struct probe_run *run, int err);

/**
 * For probes: nothing has answered so far, and who waits for it only listens;
 * the others may run. What was left to ask, waits until probe_may_ask().
 *
 * @return whether it stands aside now
 */
bool probe_step_aside(const struct probe_run *run);

/** It has not stepped aside, or is the last one that is not over. */
bool probe_may_ask(const struct probe_run *run);

/** What is going on. */
struct probe_step {
	const char *text;       /**< N_() literal */
	unsigned n_done, n_all; /**< questions; n_all 0: it is not counted */
	int64_t left_ns;        /**< at most */
};

/** For probes. */
void probe_progress(const struct probe_run *run, const char *step);
void probe_progress_step(const struct probe_run *run,
                         const struct probe_step *step);

struct probe_list_ops {
	/** For a progress line; NULL: not wanted. Its text is not translated.
	 */
	void (*on_progress)(void *arg, const struct probe_step *step);
	/** All are done, or @p err stopped one. Once. */
	void (*on_done)(void *arg, int err);
};

/**
 * Run all probes whose needs @p conf meets, one after the other but for who
 * steps aside, inside net_run().
 *
 * @param lp    Out; untouched unless 0 is returned. Release:
 *              probe_list_stop().
 * @param conf  Borrowed, like @p report and @p ops; must outlive the list.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int probe_list_start(struct probe_list **lp,
                                 const struct probe_conf *conf,
                                 struct report *report,
                                 const struct probe_list_ops *ops, void *arg);

/** An errno that says: this computer does not let it out. */
bool probe_is_local(int err);

/** End it, early or not: what is known so far is in the report. NULL is
 *  fine. */
void probe_list_stop(struct probe_list *l);
