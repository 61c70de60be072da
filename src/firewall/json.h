/* SPDX-License-Identifier: ISC */
/** JSON (RFC 8259) as a tree, value by value; the inside of dialects. */
#pragma once

#include "base/arena.h"

enum fw_json_kind {
	FW_JSON_NULL,
	FW_JSON_BOOL,
	FW_JSON_NUMBER,
	FW_JSON_STRING,
	FW_JSON_ARRAY,
	FW_JSON_OBJECT,
};

struct fw_json {
	struct fw_json *next; /**< in its array or object */
	enum fw_json_kind kind;
	struct slice key;      /**< of a member; else empty */
	struct slice text;     /**< of what has no members; a string's is
	                            without quotes and escapes */
	struct fw_json *first; /**< element or member */
};

enum {
	FW_JSON_MAX_DEPTH = 64,
	FW_JSON_MAX_MEMBERS = 64, /**< of one object; of arrays any number */
};

/** Where in a text reading goes on, or failed. */
struct fw_json_in {
	struct slice text; /**< borrowed, also by what is read */
	size_t at;
	const char *why; /**< behind EBADMSG: a sentence for gettext */
};

/** Skip blanks; then skip @p c. @return false: it is not there */
bool fw_json_eat(struct fw_json_in *in, char c);

/** Read a string. @return 0, EBADMSG: `at` is where it failed, or ENOMEM */
WARN_UNUSED int fw_json_string(struct slice *out, struct arena *a,
                               struct fw_json_in *in);

/** Read any value. A name twice in one object is a fault: readers differ in
 *  which of them counts (RFC 8259, section 4). @return as fw_json_string() */
WARN_UNUSED int fw_json_read(struct fw_json **out, struct arena *a,
                             struct fw_json_in *in);

/** @return the member of that name, or NULL; also of what is no object. */
const struct fw_json *fw_json_get(const struct fw_json *j, const char *key);

/** The text of a member that has no members of its own; or an empty one. */
struct slice fw_json_text(const struct fw_json *j, const char *key);

bool fw_json_is(const struct fw_json *j, const char *text);
