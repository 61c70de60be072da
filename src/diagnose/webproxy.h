/* SPDX-License-Identifier: ISC */
/** A proxy that nobody asked for, by what it does to an edge's web pages. */
#pragma once

#include "diagnose/flows.h"
#include "diagnose/ladder.h"

/** Append the finding, if there is one. */
void webproxy_find(struct flows *fs, const struct ladder *l);
