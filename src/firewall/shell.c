/* SPDX-License-Identifier: ISC */
#include "firewall/shell.h"

#include <string.h>

struct fw_shell_step {
	struct fw_shell_step *prev;
	const char *command;
};

struct fw_move {
	struct fw_move *next;
	const void *chain;
	size_t at;
	bool is_delete;
};

static bool is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];
		const bool is_alnum = (c >= 'a' && c <= 'z') ||
		                      (c >= 'A' && c <= 'Z') ||
		                      (c >= '0' && c <= '9');

		if (!is_alnum && (c == 0 || !strchr("_./:,+-=@%", c)))
			return false;
	}
	return s.n > 0;
}

void fw_shell_put(struct wr *w, struct slice word)
{
	if (is_plain(word)) {
		wr_put(w, word);
		return;
	}
	wr_str(w, "'");
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\'')
			wr_str(w, "'\\''");
		else
			wr_u8(w, word.p[i]);
	}
	wr_str(w, "'");
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

void fw_shell_put_words(struct wr *w, struct slice line)
{
	const char *sep = "";
	size_t i = 0;

	while (i < line.n) {
		struct wr word = wr_init_heap();
		bool is_quoted = false;

		while (i < line.n && is_blank(line.p[i]))
			i++;
		if (i == line.n)
			break;
		for (; i < line.n && (is_quoted || !is_blank(line.p[i])); i++) {
			if (line.p[i] == '"') {
				is_quoted = !is_quoted;
				continue;
			}
			if (is_quoted && line.p[i] == '\\' && i + 1 < line.n)
				i++;
			wr_u8(&word, line.p[i]);
		}
		wr_str(w, sep);
		fw_shell_put(w, wr_slice(&word));
		w->bad |= word.bad;
		wr_fini(&word);
		sep = " ";
	}
}

void fw_shell_undo_add(struct fw_shell_undo *u, struct slice command)
{
	struct fw_shell_step *st = arena_alloc(u->arena, sizeof(*st));

	if (st)
		st->command = arena_dup(u->arena, command);
	if (!st || !st->command) {
		u->no_memory = true;
		return;
	}
	st->prev = u->last;
	u->last = st;
}

void fw_shell_undo_put(struct wr *w, const struct fw_shell_undo *u)
{
	for (const struct fw_shell_step *st = u->last; st; st = st->prev)
		wr_str(w, st->command);
}

size_t fw_places_now(const struct fw_places *p, const void *c, size_t at)
{
	size_t now = at;

	for (const struct fw_move *m = p->first; m; m = m->next) {
		if (m->chain != c)
			continue;
		if (m->is_delete && m->at < at)
			now--;
		else if (!m->is_delete && m->at <= at)
			now++;
	}
	return now;
}

static void add(struct fw_places *p, const void *c, size_t at, bool is_delete)
{
	struct fw_move *m = arena_alloc(p->arena, sizeof(*m));

	if (!m) {
		p->no_memory = true;
		return;
	}
	*m = (struct fw_move){p->first, c, at, is_delete};
	p->first = m;
}

void fw_places_insert(struct fw_places *p, const void *c, size_t at)
{
	add(p, c, at, false);
}

void fw_places_delete(struct fw_places *p, const void *c, size_t at)
{
	add(p, c, at, true);
}
