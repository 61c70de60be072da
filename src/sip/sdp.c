/* SPDX-License-Identifier: ISC */
#include "sip/sdp.h"

#include <errno.h>

#include "sip/value.h"

bool sip_sdp_next(struct sip_sdp_line *line, struct rd *r)
{
	struct rd was = *r;
	struct sip_sdp_line l = {0};

	if (!rd_line(r, &l.text))
		return false;
	l.raw = rd_take(&was, was.left - r->left);
	if (l.raw.n == l.text.n + 2)
		l.eol = SIP_EOL_CRLF;
	else if (l.raw.n > l.text.n)
		l.eol = l.raw.p[l.text.n] == '\n' ? SIP_EOL_LF : SIP_EOL_CR;
	l.value = l.text;
	if (l.text.n >= 2 && l.text.p[1] == '=' && l.text.p[0] >= 'a' &&
	    l.text.p[0] <= 'z') {
		l.type = (char)l.text.p[0];
		l.value = slice_sub(l.text, 2, SIZE_MAX);
	}
	*line = l;
	return true;
}

struct slice sip_sdp_word(struct slice value, size_t nth)
{
	size_t i = 0, start;

	for (;;) {
		while (i < value.n && value.p[i] == ' ')
			i++;
		start = i;
		while (i < value.n && value.p[i] != ' ')
			i++;
		if (nth-- == 0 || start == value.n)
			return slice_sub(value, start, i - start);
	}
}

/** The value of "name:value", if the attribute has that name. */
static bool attr_value(struct slice *out, struct slice value, const char *name)
{
	struct slice key = slice_str(name);

	if (!slice_eq(slice_sub(value, 0, key.n), key))
		return false;
	*out = slice_sub(value, key.n, SIZE_MAX);
	return true;
}

static void read_media(struct sip_sdp *s, const struct sip_sdp_line *l)
{
	if (s->n_media == SIP_SDP_MAX_MEDIA) {
		s->n_more++;
		return;
	}
	s->media[s->n_media++] = (struct sip_sdp_media){
		.text = l->text,
		.kind = sip_sdp_word(l->value, 0),
		.port = sip_sdp_word(l->value, 1),
		.proto = sip_sdp_word(l->value, 2),
	};
}

static void read_attr(struct sip_sdp_media *m, struct slice value)
{
	struct slice v;

	if (attr_value(&v, value, "rtcp:"))
		m->rtcp = v;
	else if (attr_value(&v, value, "candidate:") && m->n_candidates++ == 0)
		m->candidate = v;
}

void sip_sdp_read(struct sip_sdp *s, struct slice body)
{
	struct rd r = rd_init(body);
	struct sip_sdp_line l;
	struct sip_sdp_media *m;

	*s = (struct sip_sdp){0};
	while (sip_sdp_next(&l, &r)) {
		/* what belongs to media that did not fit belongs to nobody */
		m = s->n_media ? &s->media[s->n_media - 1] : NULL;
		if (l.type == 0) {
			s->n_odd++;
		} else if (l.type == 'm') {
			read_media(s, &l);
		} else if (s->n_more) {
			continue;
		} else if (l.type == 'o') {
			s->origin = l.text;
			s->o_addr = sip_sdp_word(l.value, 5);
		} else if (l.type == 'c' && m) {
			m->c_addr = sip_sdp_word(l.value, 2);
		} else if (l.type == 'c') {
			s->conn = l.text;
			s->c_addr = sip_sdp_word(l.value, 2);
		} else if (l.type == 'a' && m) {
			read_attr(m, l.value);
		}
	}
}

int sip_sdp_media_addr(struct addr *a, const struct sip_sdp *s,
                       const struct sip_sdp_media *m)
{
	return sip_host_addr(a, m->c_addr.n ? m->c_addr : s->c_addr, m->port);
}
