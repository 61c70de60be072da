/* SPDX-License-Identifier: ISC */
/** What an XMPP server said, as fields: see ask_xmpp.c. */
#pragma once

#include "probe/ask.h"
#include "xmpp/stream.h"

void xmpp_put_said(struct ask *a, const struct xmpp_said *said);
