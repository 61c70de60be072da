/* SPDX-License-Identifier: ISC */
/**
 * Writers over a finished report: text for people, JSON and JUnit for
 * machines.
 *
 * Pure: everything goes into a `struct wr`, nothing is printed. They know the
 * model of fact/fact.h and no probe; a fact or finding with an id that is
 * unknown here is shown like any other. Bytes from the network reach the
 * output escaped, so they cannot drive a terminal or break JSON.
 *
 * Errors of all writers: 0, or ENOMEM when @p out went bad. What was written
 * until then is then of no use.
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"
#include "base/diag.h"
#include "fact/fact.h"

/** What the terminal can show. */
struct report_style {
	bool has_color;  /**< ANSI colours */
	bool is_utf8;    /**< otherwise: ASCII marks, transliterated words */
	unsigned width;  /**< columns to wrap to; 0: 80. At least 40. */
	bool is_verbose; /**< all facts singly, with evidence and reasons */
};

/** The report in the user's language (through gettext, which must give
 *  UTF-8: bind_textdomain_codeset()): the verdict, the
 *  causes with evidence and remedy, then a line per fact. */
WARN_UNUSED int report_write_text(struct wr *out, const struct report *r,
                                  const struct report_style *st);

/** docs/report.schema.json, schema "prumo/report/1": English words, C locale,
 *  stable order, two spaces of indent, a newline at the end. */
WARN_UNUSED int report_write_json(struct wr *out, const struct report *r);

/** JUnit XML as build servers read it: a suite of causes and one of facts;
 *  English words. Unknown is "skipped" with its reason, a remark passes. */
WARN_UNUSED int report_write_junit(struct wr *out, const struct report *r);

/** Faults in the user's text: "file:line:column: error: message", the quoted
 *  line and a caret under the bytes at fault. */
WARN_UNUSED int report_write_diag(struct wr *out, const struct diag *dg,
                                  const struct report_style *st);
