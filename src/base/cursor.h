/* SPDX-License-Identifier: ISC */
/**
 * Bounds-checked readers and writers.
 *
 * Every read of network or file bytes goes through `struct rd`, every
 * message is built through `struct wr`. Both are sticky: the first access
 * past the end sets `bad`, and all later ones do nothing, so a codec handles
 * a whole record and tests `bad` once, at the end.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/** Borrowed bytes or text; never NUL-terminated, never freed through. */
struct slice {
	const uint8_t *p;
	size_t n;
};

/** A slice of a string, without its NUL. NULL gives an empty slice. */
struct slice slice_str(const char *s);

bool slice_eq(struct slice a, struct slice b);

/** ASCII case-insensitive equality. */
bool slice_ieq(struct slice a, struct slice b);

bool slice_eq_str(struct slice a, const char *s);

/** @return where @p needle starts in @p hay, or SIZE_MAX. An empty needle
 *  is at 0. */
size_t slice_find(struct slice hay, struct slice needle);

/** The part from @p from, at most @p n bytes; both are clipped. */
struct slice slice_sub(struct slice s, size_t from, size_t n);

/** Without blanks (space, tab, CR, LF) at either end. */
struct slice slice_trim(struct slice s);

struct rd {
	const uint8_t *p;
	size_t left; /**< bytes not yet read */
	bool bad;    /**< a read ran past the end */
};

static inline struct rd rd_init(struct slice in)
{
	return (struct rd){.p = in.p, .left = in.n};
}

/** Take @p n bytes; an empty slice once the reader is bad. */
struct slice rd_take(struct rd *r, size_t n);

/** Big-endian integers; 0 once the reader is bad. */
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);

/**
 * Take one line. The terminator (CRLF, LF or a lone CR; absent on the last
 * line) is consumed and left out of the result.
 *
 * @return false when nothing is left; @p line is then untouched.
 */
bool rd_line(struct rd *r, struct slice *line);

/** Writes into a caller's buffer, or into one that grows on the heap. */
struct wr {
	uint8_t *p;
	size_t n;   /**< bytes written */
	size_t cap; /**< bytes that fit */
	bool grows;
	bool bad; /**< something did not fit, or no memory was left */
};

/** Into @p cap bytes at @p buf, which the caller keeps. */
static inline struct wr wr_init(void *buf, size_t cap)
{
	return (struct wr){.p = buf, .cap = cap};
}

/** Into memory that grows; release it by wr_fini(). */
static inline struct wr wr_init_heap(void)
{
	return (struct wr){.grows = true};
}

/** Frees what wr_init_heap() grew; harmless on the other kind. */
void wr_fini(struct wr *w);

/** What was written so far. Borrows: valid until the next write. */
static inline struct slice wr_slice(const struct wr *w)
{
	return (struct slice){w->p, w->n};
}

void wr_put(struct wr *w, struct slice s);
void wr_str(struct wr *w, const char *s);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_fmt(struct wr *w, const char *fmt, ...) PRINTF_FMT(2, 3);
void wr_vfmt(struct wr *w, const char *fmt, va_list ap) PRINTF_FMT(2, 0);
