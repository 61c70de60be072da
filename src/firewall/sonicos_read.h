/* SPDX-License-Identifier: ISC */
/** SonicOS: its commands, line by line; the inside of the dialect. */
#pragma once

#include "firewall/sonicos.h"

enum fw_sonic_block {
	FW_SONIC_BLOCK_NONE,
	FW_SONIC_BLOCK_OTHER, /* what is not about calls */
	FW_SONIC_BLOCK_RULE,
	FW_SONIC_BLOCK_ADDR,
	FW_SONIC_BLOCK_ADDR_GROUP,
	FW_SONIC_BLOCK_SERVICE,
	FW_SONIC_BLOCK_SERVICE_GROUP,
	FW_SONIC_BLOCK_INTERFACE,
	FW_SONIC_BLOCK_NAT,
	FW_SONIC_BLOCK_VOIP,
	FW_SONIC_BLOCK_SIP, /* inside of VOIP */
	FW_SONIC_BLOCK_H323,
};

struct fw_sonic_reader {
	struct fw_sonic *s;
	enum fw_sonic_block block;
	size_t indent;                   /* of the line */
	size_t head_indent, body_indent; /* SIZE_MAX: no body yet */
	struct fw_sonic_rule *rule;
	struct fw_sonic_obj *obj;
	struct fw_sonic_nat *nat;
	struct slice interface;
	struct fw_kept *kept;
	struct slice line; /* trimmed */
	unsigned n;        /* its number */
	size_t n_other;
	bool is6;
	bool is_typed;               /* on a box, not listed by it */
	struct fw_sonic_rule *below; /* that a box has which commands follow */
	struct fw_dict rules, uuids; /* to rules, once a command asks */
	struct fw_dict pairs;
	bool has_learnt, has_places;
	size_t n_looks;
};

/** Take a word off @p rest; blanks in it stand in quotes or behind
 *  backslashes. It may lie in the scratch arena instead of the text. */
bool fw_sonic_word(struct fw_sonic_reader *r, struct slice *rest,
                   struct slice *w);
/** Is it that word, in any case? @p name is in small letters. */
bool fw_sonic_is(struct slice w, const char *name);
bool fw_sonic_is_one_of(struct slice w, const char *const *names, size_t n);
/** Take the next word if it is that one. */
bool fw_sonic_next_is(struct fw_sonic_reader *r, struct slice *rest,
                      const char *name);
/** Tell of the line, and keep it. */
void fw_sonic_warn(struct fw_sonic_reader *r, const char *why);
void fw_sonic_fault(struct fw_sonic_reader *r, const char *why);

/** "host A", "network A M", "range A B". @return false: it is none. */
bool fw_sonic_read_ip(struct fw_sonic_reader *r, struct slice *rest,
                      struct fw_ip *lo, struct fw_ip *hi);
/** "any", "name N", "group N", or as above. */
bool fw_sonic_read_side(struct fw_sonic_reader *r, struct slice *rest,
                        struct fw_sonic_side *side);
/** "UDP 5060 5061". @return 0, ENOENT: another protocol, or EBADMSG */
WARN_UNUSED int fw_sonic_read_ports(struct fw_sonic_reader *r,
                                    struct slice *rest, int *proto,
                                    uint16_t *lo, uint16_t *hi);
/** A number; without one, a fault is told. */
int64_t fw_sonic_number(struct fw_sonic_reader *r, struct slice *rest,
                        int64_t otherwise);

/** The rule that a command means which begins as @p like; NULL: none. */
struct fw_sonic_rule *fw_sonic_rule_find(struct fw_sonic_reader *r,
                                         const struct fw_sonic_rule *like);
/** Commands may mean this rule from here on. */
void fw_sonic_rule_learn(struct fw_sonic_reader *r, struct fw_sonic_rule *o);
/** The open rule is about to get that place: those behind it move down. Rules
 *  that were listed without places have those of their order. */
void fw_sonic_rule_move(struct fw_sonic_reader *r, int64_t to);
/** What follows "no access-rule". */
void fw_sonic_rule_remove(struct fw_sonic_reader *r, struct slice rest);
/** What follows "access-rule", into the open rule. */
void fw_sonic_rule_head(struct fw_sonic_reader *r, struct slice rest);

/** What follows "access-rule". */
void fw_sonic_rule_open(struct fw_sonic_reader *r, struct slice rest);
/** Clauses of the open rule. */
void fw_sonic_rule_read(struct fw_sonic_reader *r, struct slice rest);
/** Does the line belong to the open rule? */
bool fw_sonic_rule_has(struct fw_sonic_reader *r);
