/* SPDX-License-Identifier: ISC */
/** What parsers of vendors' configurations share; the inside of dialects. */
#pragma once

#include "base/diag.h"
#include "firewall/dialect.h"

struct fw_dict_entry;

/** Names to things, in an arena. Keys are borrowed. */
struct fw_dict {
	struct arena *arena;
	struct fw_dict_entry **slots;
	size_t n, cap;
	uint64_t seed;
	bool no_memory;
};

/** @param text  The whole input: it seeds the hash, so that no input can be
 *               made of keys that collide. */
void fw_dict_init(struct fw_dict *d, struct arena *a, struct slice text);

/** Another one in the arena of @p like, as safe: the text is not read again. */
void fw_dict_init_like(struct fw_dict *d, const struct fw_dict *like);

/** @return what was put under @p scope and @p key last, or NULL. */
void *fw_dict_get(const struct fw_dict *d, const void *scope, struct slice key);
void fw_dict_put(struct fw_dict *d, const void *scope, struct slice key,
                 void *value);

/** Take the next word off @p rest: between blanks, or within single or double
 *  quotes (they are left out). @return false when none is left. */
bool fw_word_next(struct slice *rest, struct slice *word);

/** Take what stands before the next @p sep. @return false at the end. */
bool fw_part_next(struct slice *rest, char sep, struct slice *part);

bool fw_has_prefix(struct slice s, const char *prefix);

/** "5060", "5060-5061". @return 0 or EBADMSG, outs untouched then. */
WARN_UNUSED int fw_ports_parse(uint16_t *lo, uint16_t *hi, struct slice s);

/** Major.minor.patch as one number that compares; -1 when not said. */
long fw_version_num(const char *version);

/** Append copies of all of @p from. @return 0 or ENOMEM. */
WARN_UNUSED int fw_addrs_copy(struct arena *a, struct fw_addrs *to,
                              const struct fw_addrs *from);
WARN_UNUSED int fw_services_copy(struct arena *a, struct fw_services *to,
                                 const struct fw_services *from);

/** Does a box that tracks connections need this rule said? The return half of
 *  a stateful rule set is built in. */
bool fw_is_return_rule(const struct fw_rule *r);

/** Prepend what such boxes do by themselves: answers pass. @return NULL: no
 *  memory. */
WARN_UNUSED struct fw_rule *fw_return_rule_add(struct fw_rules *r,
                                               struct fw_chain *c);

/** Can a stateful box say these states? Adds to @p dg when not. */
bool fw_states_fit(const struct fw_rule *r, struct diag *dg);

/** Can it not end a quotation or a line? NULL can not. */
bool fw_name_is_clean(const char *name);
/** Nothing but letters, digits and "-_./:@+": a word in any shell. */
bool fw_name_is_word(const char *name);
/** Are all host names among them just that? "*.example.net" is. */
bool fw_hosts_are_plain(const struct fw_addrs *set);

enum {
	FW_MARK_BYTES = 16,
};

/** What the names of new things begin with, "prumo" or "prumo2" and so on:
 *  nothing that @p rules were read from has such a name, or an undo would take
 *  that away too. */
void fw_mark_choose(char mark[FW_MARK_BYTES], const struct fw_rules *rules);

/** Text for a comment: control characters and quotes become '?'. */
void fw_clean_put(struct wr *w, const char *text);

/** An IPv4 mask of @p n_bits. */
void fw_mask_put(struct wr *w, int n_bits);

/** A fact about a vendor's product: what an absent line means, or how its
 *  lines work together. */
struct fw_vendor_fact {
	const char *id;       /**< fw_setting.source */
	const char *title;    /**< what is so, in English, N_() */
	const char *document; /**< who says so: page, section or file */
};

/** What offload does to calls there, and why a patch changes it or leaves
 *  it. @return NULL: not known. */
const struct fw_vendor_fact *fw_vendor_fact_offload(const char *dialect);

/** @return the fact of that id, or NULL. */
const struct fw_vendor_fact *fw_vendor_fact_find(const char *id);
