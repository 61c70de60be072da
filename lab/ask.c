/* SPDX-License-Identifier: ISC */
/*
 * Design: an open port proves little (a server listens before it has read
 * its users), so each protocol's own question is asked, in its smallest
 * form, with the socket in the server's node: no router is in between.
 */
#include "lab/ask.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/world.h"

enum {
	PAUSE_MS = 50,
	ANSWER_MS = 300,
	ANSWER_BYTES = 1500,
	STUN_SUCCESS = 0x0101,
	STUN_BYTES = 20,
	TLS_HANDSHAKE = 22,
	DNS_ID = 0x7072,
};

/* TLS 1.2 (RFC 5246, section 7.4.1.2) as any server of today takes it: four
 * suites, two curves, four signatures, no name. */
static const uint8_t client_hello[] = {
	22,  3,   1,   0,    83,      /* record */
	1,   0,   0,   79,   3,    3, /* handshake, version */
	'p', 'r', 'u', 'm',  'o',  ' ',  'l',  'a',  'b',  ' ',  'a',
	's', 'k', 's', ' ',  'w',  'h',  'e',  't',  'h',  'e',  'r',
	' ', 'y', 'o', 'u',  ' ',  'a',  'r',  'e',  ' ',  'u', /* random */
	0,   0,   8,   0xc0, 0x2b, 0xc0, 0x2c, 0xc0, 0x2f, 0xc0, 0x30,
	1,   0,   0,   30,                                     /* extensions */
	0,   10,  0,   6,    0,    4,    0,    29,   0,    23, /* curves */
	0,   11,  0,   2,    1,    0, /* point formats */
	0,   13,  0,   10,   0,    8,    4,    3,    5,    3,    8,
	4,   4,   1, /* signatures */
};

static const uint8_t stun_binding[STUN_BYTES] = {
	0,   1,   0,   0,   0x21, 0x12, 0xa4, 0x42, 'p', 'r',
	'u', 'm', 'o', ' ', 'l',  'a',  'b',  0,    0,   0};

static void put_sip(struct wr *w, const struct addr *to, bool is_tcp)
{
	static const char call[] = "ready";
	char text[ADDR_TEXT_BYTES];
	const char *at = addr_text(to, text);

	wr_fmt(w,
	       "OPTIONS sip:%s@%s SIP/2.0\r\n"
	       "Via: SIP/2.0/%s %s;rport;branch=z9hG4bK%s\r\n"
	       "Max-Forwards: 70\r\nFrom: <sip:lab@%s>;tag=1\r\n"
	       "To: <sip:%s@%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
	       "Content-Length: 0\r\n\r\n",
	       call, at, is_tcp ? "TCP" : "UDP", at, call, at, call, at, call);
}

/* RFC 1035, section 4.1 */
static void put_dns(struct wr *w, bool is_tcp)
{
	static const uint8_t rest[] = {
		1,   0,   0,   1, 0,   0,   0,   0,   0, 0, 5, 'r', 'e',
		'a', 'd', 'y', 4, 't', 'e', 's', 't', 0, 0, 1, 0,   1};

	if (is_tcp)
		wr_u16(w, sizeof(rest) + 2);
	wr_u16(w, DNS_ID);
	wr_put(w, (struct slice){rest, sizeof(rest)});
}

void lab_ask_put(struct wr *w, enum lab_ask ask, const struct addr *to,
                 bool is_tcp)
{
	switch (ask) {
	case LAB_ASK_SIP:
		put_sip(w, to, is_tcp);
		break;
	case LAB_ASK_STUN:
		wr_put(w, (struct slice){stun_binding, sizeof(stun_binding)});
		break;
	case LAB_ASK_HTTP:
		wr_str(w, "GET / HTTP/1.1\r\nHost: ready.test\r\n"
		          "Connection: close\r\n\r\n");
		break;
	case LAB_ASK_XMPP:
		wr_str(w, "<?xml version='1.0'?><stream:stream "
		          "to='ready.test' version='1.0' xmlns='jabber:client' "
		          "xmlns:stream='http://etherx.jabber.org/streams'>");
		break;
	case LAB_ASK_DNS:
		put_dns(w, is_tcp);
		break;
	case LAB_ASK_TLS:
		wr_put(w, (struct slice){client_hello, sizeof(client_hello)});
		break;
	}
}

static bool starts(struct slice in, const char *text)
{
	return slice_eq_str(slice_sub(in, 0, strlen(text)), text);
}

bool lab_ask_is_answer(enum lab_ask ask, bool is_tcp, struct slice in)
{
	struct rd r = rd_init(in);

	switch (ask) {
	case LAB_ASK_SIP:
		return starts(in, "SIP/2.0 ");
	case LAB_ASK_STUN:
		return rd_u16(&r) == STUN_SUCCESS && in.n >= STUN_BYTES;
	case LAB_ASK_HTTP:
		return starts(in, "HTTP/1.");
	case LAB_ASK_XMPP:
		return slice_find(in, slice_str("<stream:stream")) != SIZE_MAX;
	case LAB_ASK_DNS:
		if (is_tcp)
			(void)rd_u16(&r);
		return rd_u16(&r) == DNS_ID && rd_u8(&r) & 0x80;
	case LAB_ASK_TLS:
		return rd_u8(&r) == TLS_HANDSHAKE;
	}
	return false;
}

/* A socket stays where it was made. */
static int socket_at_server(int *fdp, struct lab *lab, const struct addr *to,
                            bool is_tcp)
{
	int family = to->family == ADDR_IP6 ? AF_INET6 : AF_INET;
	int type = is_tcp ? SOCK_STREAM : SOCK_DGRAM, fd, err, back;

	err = lab_world_visit(lab, lab->spec.n_hops + 1);
	if (err)
		return err;
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err = errno;
	back = lab_world_return(lab);
	if (!err)
		err = back;
	if (!err)
		*fdp = fd;
	else if (fd >= 0)
		(void)close(fd);
	return err;
}

static bool await(int fd, short events, int64_t until_ns)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left_ns = until_ns - clock_mono_ns();

	return left_ns > 0 && poll(&p, 1, (int)(left_ns / NS_PER_MS) + 1) > 0;
}

/* One try. */
static bool answers(int fd, enum lab_ask ask, const struct addr *to,
                    bool is_tcp)
{
	int64_t until_ns = clock_mono_ns() + ANSWER_MS * NS_PER_MS;
	uint8_t question[1024], in[ANSWER_BYTES];
	struct wr w = wr_init(question, sizeof(question));
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&ss, to);
	size_t got = 0;

	if (connect(fd, (struct sockaddr *)&ss, n) != 0 && errno != EINPROGRESS)
		return false;
	lab_ask_put(&w, ask, to, is_tcp);
	if (w.bad || !await(fd, POLLOUT, until_ns) ||
	    send(fd, w.p, w.n, MSG_NOSIGNAL) != (ssize_t)w.n)
		return false;
	while (got < sizeof(in) && await(fd, POLLIN, until_ns)) {
		ssize_t more = recv(fd, in + got, sizeof(in) - got, 0);

		if (more <= 0)
			return false;
		got += (size_t)more;
		if (lab_ask_is_answer(ask, is_tcp, (struct slice){in, got}))
			return true;
	}
	return false;
}

int lab_ask_until(struct lab *lab, enum lab_ask ask, const struct addr *to,
                  bool is_tcp, pid_t pid, int64_t until_ns)
{
	int life = pidfd_open(pid, 0), fd, err = 0;
	bool is_answered = false;

	if (life < 0)
		return errno;
	while (!err && !is_answered) {
		err = socket_at_server(&fd, lab, to, is_tcp);
		if (err)
			break;
		is_answered = answers(fd, ask, to, is_tcp);
		(void)close(fd);
		if (is_answered)
			break;
		if (clock_mono_ns() > until_ns)
			err = ETIMEDOUT;
		else if (await(life, POLLIN,
		               clock_mono_ns() + PAUSE_MS * NS_PER_MS))
			err = ESRCH;
	}
	(void)close(life);
	return err;
}
