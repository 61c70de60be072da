/* SPDX-License-Identifier: ISC */
/** How an audit says what it found; for the files that say it. */
#pragma once

#include "firewall/audit.h"

/** A finding, once there is a cause for it; from {0}. */
struct fw_told {
	struct finding *finding;
	struct val *rules; /**< in its evidence: where the text says so */
};

struct fw_tell {
	struct report *r;
	const struct fw_rules *rules;
	const struct fw_question *q;
	const char *file; /**< or NULL */
	struct fw_told blocked, doubtful, alg, half, idle, offload, dead, wide,
		nat;
	struct fw_tell_from *from; /**< of fw_tell_from(); or NULL */
	bool is_lan_asked;
};

/** The finding of that id, made at the first time. */
struct finding *fw_tell_cause(struct fw_tell *au, struct fw_told *told,
                              const char *id);

/** That finding follows from @p f, and what @p f quotes is shown with it. */
void fw_tell_because(struct fw_tell *au, struct fw_told *told, const char *id,
                     const struct fact *f);

/** Quote the settings that turn the ALG on, with a finding that is made. */
void fw_tell_switches(struct fw_tell *au, struct fw_told *told);

/** Evidence: file, line and quote. */
void fw_tell_place(struct fw_tell *au, struct fact *f, unsigned line,
                   struct slice raw);

/** The rule that decides, or whose policy does; either may be NULL. */
void fw_tell_rule(struct fw_tell *au, struct fact *f,
                  const struct fw_rule *rule, const struct fw_chain *chain);
void fw_tell_packet(struct fw_tell *au, struct fact *f,
                    const struct fw_packet *p);
void fw_tell_int(struct fw_tell *au, struct val *into, const char *key,
                 int64_t v);

/** For words: "12", with the file where there are several. */
const char *fw_tell_line(struct fw_tell *au, unsigned line);

/** The part to show: a failing one, else a doubtful one, else the first. */
const struct fw_part *fw_tell_part(const struct fw_judgement *j);

/** Does flow @p i pass from some addresses of phones, or between some
 *  interfaces, and not from others? Only where nobody said where phones are.
 *  @return 0, ENOMEM or E2BIG */
WARN_UNUSED int fw_tell_from(struct fw_tell *au, struct fact *f, size_t i,
                             const struct fw_answer *an);
void fw_tell_from_fini(struct fw_tell *au);

/** Rules that are dead, and those that open too much. @return 0, ENOMEM or
 *  E2BIG */
WARN_UNUSED int fw_tell_rules(struct fw_tell *au);
