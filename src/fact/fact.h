/* SPDX-License-Identifier: ISC */
/**
 * The one result model: facts, findings and the verdict.
 *
 * A fact is what was seen, with its evidence. A finding is a cause inferred
 * from facts, with who must act and how. Probes and the audit add facts,
 * diagnose/ adds findings, report/ writes both. All of it lives in the
 * arena of the report.
 */
#pragma once

#include "base/arena.h"
#include "fact/val.h"
#include "fact/words.h"

enum fact_state {
	FACT_PASS,
	FACT_WARN,
	FACT_FAIL,
	FACT_UNKNOWN, /**< asked, no answer that decides; `why` is set */
	FACT_SKIPPED, /**< not asked; `why` is set */
};

struct fact {
	struct fact *next;
	size_t index;   /**< position in the report, from 0 */
	const char *id; /**< [a-z0-9.-]+, stable for ever */
	enum fact_state state;
	const char *scope;   /**< "udp/5060/INVITE": what it is about */
	struct val value;    /**< VAL_NULL: none */
	const char *unit;    /**< "ms", "s", "hop", "count"...; NULL: none */
	struct val fields;   /**< map: what this kind of fact carries besides */
	struct val evidence; /**< map: bytes and addresses that prove it */
	struct words why;    /**< for unknown and skipped; of a
	                          remark: what is done about it */
	struct words summary; /**< one line for humans */
};

enum finding_severity {
	FINDING_NOTE, /**< changes no verdict */
	FINDING_WARN, /**< calls work, with remarks */
	FINDING_FAIL, /**< calls do not work */
};

enum segment {
	SEGMENT_UNKNOWN,
	SEGMENT_DEVICE,
	SEGMENT_LAN,
	SEGMENT_ROUTER,
	SEGMENT_CARRIER,
	SEGMENT_PROVIDER,
};

enum act {
	ACT_CUSTOMER,
	ACT_CARRIER,
	ACT_PROVIDER,
};

/** One step of a remedy; a list of them, in order. */
struct remedy_step {
	struct remedy_step *next;
	const char *id;    /**< [a-z0-9.-]+ */
	bool needs_router; /**< asks for the router's password */
	struct words text;
};

struct finding {
	struct finding *next;
	const char *id; /**< [a-z0-9.-]+, stable for ever */
	enum finding_severity severity;
	enum segment segment;
	enum act act;
	struct val facts;    /**< list of indexes */
	struct val evidence; /**< map */
	struct words title;  /**< one sentence: the cause */
	struct words detail; /**< what it means for calls; may be absent */
	struct remedy_step *remedy, *remedy_last;
};

enum verdict {
	VERDICT_READY,
	VERDICT_READY_WITH_REMARKS,
	VERDICT_NOT_READY,
	VERDICT_COULD_NOT_TEST,
};

struct report {
	struct arena arena;
	bool no_memory;     /**< sticky: something is missing from the report */
	struct val profile; /**< map: id, name, version, source */
	struct val run;     /**< map: what was asked, when, how long, traffic */
	struct fact *facts, *facts_last;
	size_t n_facts;
	struct finding *findings, *findings_last;
	size_t n_findings;
	bool is_tested;     /**< a question that decides was answered */
	bool is_incomplete; /**< what calls need was left unmeasured */
};

void report_init(struct report *r);

/** Frees everything that facts and findings hold. */
void report_fini(struct report *r);

/** A copy of text or bytes in the report's arena; "" without memory. */
const char *report_text(struct report *r, struct slice s);
struct slice report_bytes(struct report *r, struct slice s);
const char *report_fmt(struct report *r, const char *fmt, ...) PRINTF_FMT(2, 3);

/**
 * Append a fact.
 *
 * @param id     A literal.
 * @param scope  Copied; NULL: the network as a whole.
 *
 * @return to be filled further; never NULL: without memory a scratch fact
 *         that is in no report, and no_memory is set
 */
struct fact *report_fact(struct report *r, const char *id,
                         enum fact_state state, const char *scope);

/** Put a field or a piece of evidence. @return where it is stored. */
struct val *fact_field(struct report *r, struct fact *f, const char *key,
                       struct val v);
struct val *fact_evidence(struct report *r, struct fact *f, const char *key,
                          struct val v);

/** Append a finding; as report_fact(). */
struct finding *report_finding(struct report *r, const char *id,
                               enum finding_severity severity);

/** Say that @p fd follows from @p f. */
void finding_because(struct report *r, struct finding *fd,
                     const struct fact *f);

struct remedy_step *finding_remedy(struct report *r, struct finding *fd,
                                   const char *id, struct words text);

/** Worst finding decides; VERDICT_COULD_NOT_TEST when nothing failed, and
 *  nothing was tested or the test is incomplete. */
enum verdict report_verdict(const struct report *r);

/** Machine names: "pass", "not-ready", "router"... Never translated. */
const char *fact_state_name(enum fact_state s);
const char *finding_severity_name(enum finding_severity s);
const char *segment_name(enum segment s);
const char *act_name(enum act a);
const char *verdict_name(enum verdict v);
