/* SPDX-License-Identifier: ISC */
/** A proxy that nobody asked for, by what it does to an edge's web pages, or by
 *  where it opens connections. */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/** A box on the way has opened it, as a trace has proved, and it is not the
 *  web proxy of webproxy_find(). */
bool webproxy_takes_stream(const struct flows *fs, const struct flow *f);

/** Append the finding, if there is one. */
void webproxy_find(struct flows *fs, const struct ladder *l);
