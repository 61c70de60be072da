/* SPDX-License-Identifier: ISC */
/** Compiler attributes and the macros everyone needs. */
#pragma once

#include <stddef.h>

#define WARN_UNUSED      __attribute__((warn_unused_result))
#define PRINTF_FMT(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a)     (sizeof(a) / sizeof((a)[0]))
#define UNUSED(x)        ((void)(x))
