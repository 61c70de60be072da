/* SPDX-License-Identifier: ISC */
/** The kinds of questions; what each tells is at the top of its file. */
#pragma once

#include "probe/ask.h"

extern const struct ask_ops ask_dns;
extern const struct ask_ops ask_http;
extern const struct ask_ops ask_mtu;
extern const struct ask_ops ask_ntp;
extern const struct ask_ops ask_range;
extern const struct ask_ops ask_sip_options;
extern const struct ask_ops ask_sip_register;
extern const struct ask_ops ask_stun;
extern const struct ask_ops ask_tcp;
extern const struct ask_ops ask_tls;
extern const struct ask_ops ask_turn;
extern const struct ask_ops ask_xmpp;
extern const struct ask_ops ask_xmpp_bosh;
extern const struct ask_ops ask_xmpp_ws;
