/* SPDX-License-Identifier: ISC */
/**
 * Compare two values of one kind and note the edits; private to the folder.
 *
 * The field's name is set by the caller. Each function notes nothing when
 * the values mean the same; the caller sees to it that bytes which differ
 * leave some edit.
 */
#pragma once

#include "sip/edit.h"
#include "sip/value.h"

/** Any text: an address or port at the first difference, or @p cls. */
void sip_compare_text(struct sip_edits *e, struct slice a, struct slice b,
                      enum sip_edit_class cls);

/** One Via value. @p is_reply: what a server may do is no edit. */
void sip_compare_via(struct sip_edits *e, struct slice a, struct slice b,
                     bool is_reply);

/** One name-addr or addr-spec with parameters. */
void sip_compare_nameaddr(struct sip_edits *e, struct slice a, struct slice b);

void sip_compare_uri(struct sip_edits *e, struct slice a, struct slice b);

/** "Digest a=b, c=d": credentials. */
void sip_compare_auth(struct sip_edits *e, struct slice a, struct slice b);

/** Two SDP bodies, line by line. */
void sip_compare_sdp(struct sip_edits *e, struct slice a, struct slice b);

/** Other bodies. */
void sip_compare_body(struct sip_edits *e, struct slice a, struct slice b);
