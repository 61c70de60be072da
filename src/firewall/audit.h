/* SPDX-License-Identifier: ISC */
/**
 * What a configuration does to every required flow, as facts and findings of
 * the one result model.
 */
#pragma once

#include "fact/fact.h"
#include "firewall/dialect.h"
#include "firewall/space.h"

struct fw_question {
	const struct fw_flow *flows;
	size_t n_flows;
	struct fw_place place;
	const struct fw_host *hosts; /**< names known by now; may be empty */
	size_t n_hosts;
};

/** One flow, judged both ways; session time and ALG with defaults applied. */
struct fw_answer {
	struct fw_judgement out, back;
	enum fw_verdict verdict; /**< of both directions together */
	enum fw_tri alg;         /**< FW_OFF is good */
	int64_t udp_idle_s;      /**< or FW_IDLE_UNKNOWN */
	bool is_idle_default;    /**< nothing in the text sets it */
	bool is_idle_by_offload; /**< what offloads it, and not what the rules
	                              give it otherwise (out.attrs) */
};

/**
 * Where nothing is said about interfaces, the way out is the interface that
 * is masqueraded, if there is exactly one; where nothing is translated, the
 * one that all rules lead to which accept new connections.
 *
 * @return its name, of the rules' arena, or NULL
 */
const char *fw_guess_wan(const struct fw_rules *rules);

/** Where phones are, if all rules that accept towards @p wan agree on it; or
 *  else those that drop all that comes from elsewhere; or else by addresses.
 *  @return its name, of the rules' arena, or NULL */
const char *fw_guess_lan(const struct fw_rules *rules, const char *wan);

/**
 * The addresses of phones, where nothing is said about them: those that all
 * rules agree on which translate at @p place; or else which accept new
 * connections there.
 *
 * @param out  Of @p a; empty when they do not agree, or limit none.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_guess_src(struct fw_addrs *out, struct arena *a,
                             const struct fw_rules *rules,
                             const struct fw_place *place);

/** Where phones are, for people: "eth1 (192.168.1.0/24)". */
void fw_place_put(struct wr *w, const struct fw_place *place);

/** Answers of the arena, one per flow. @return 0, ENOMEM or E2BIG. */
WARN_UNUSED int fw_answer_all(struct fw_answer **answers, struct arena *a,
                              const struct fw_rules *rules,
                              const struct fw_question *q);

/**
 * Judge, and say it all: audit.place, audit.flow, audit.alg, audit.udp-idle and
 * audit.offload per flow, audit.rule for rules that never match or that open
 * too much, and what follows from them.
 *
 * @param file  Name of the configuration, for places; NULL: none.
 *
 * @return 0, ENOMEM or E2BIG
 */
WARN_UNUSED int fw_audit(struct report *r, const struct fw_rules *rules,
                         const struct fw_question *q, const char *file);

/**
 * The smallest patch that makes every flow pass: what to type, how to take
 * it back, what to clear, and the configuration after it, which was parsed
 * and judged again.
 *
 * @param out    Its writers are heap writers, empty; released by
 *               fw_patch_fini() in any case.
 * @param left   Out: flows that the patch does not mend.
 *
 * @return 0; ENOTSUP: the dialect cannot write it; EPROTO: the patched text
 *         did not read back as intended (it must not be shown); out->why
 *         says why in both cases; ENOMEM; E2BIG
 */
WARN_UNUSED int fw_patch_make(struct fw_patch_out *out, size_t *left,
                              const struct fw_rules *rules,
                              const struct fw_question *q);
/**
 * Tell of a patch: the fact audit.patch, and a step of remedy in the findings
 * that it mends.
 *
 * @param patch  After fw_patch_make(), also when it made none and says why.
 * @param left   Flows that it does not mend.
 */
void fw_audit_patch(struct report *r, const struct fw_patch_out *patch,
                    size_t left, const struct fw_rules *rules,
                    const char *file);
void fw_patch_init(struct fw_patch_out *out);
void fw_patch_fini(struct fw_patch_out *out);
