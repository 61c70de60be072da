/* SPDX-License-Identifier: ISC */
/*
 * Design: the program is written here instruction by instruction for the
 * ranges at hand, so that no BPF compiler is needed to build, and no map is
 * asked but the one that holds the sockets. For each packet that would open
 * something new it compares family, protocol, port and address with each
 * range, and gives the packet to the range's socket; what it does not know
 * goes the kernel's way (BPF_PROG_TYPE_SK_LOOKUP, Linux 5.9).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "net/steer_priv.h"

enum {
	/* of a range without its holes; and of the frame around all */
	RANGE_INSNS = 32,
	FRAME_INSNS = 16,
	KEY_AT = -4, /* on the stack */
};

/* Jumps forward to a place not yet written: patched when it is. */
struct label {
	size_t *from;
	size_t n;
};

struct program {
	struct bpf_insn *insns;
	size_t n;
	size_t *jumps; /* memory of both labels */
	struct label pass, next;
};

static void emit(struct program *p, int code, int dst, int src, int off,
                 int imm)
{
	p->insns[p->n++] = (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = (uint8_t)(dst & 0xf),
		.src_reg = (uint8_t)(src & 0xf),
		.off = (int16_t)off,
		.imm = imm,
	};
}

static void jump(struct program *p, struct label *to, int op, int reg,
                 uint32_t value)
{
	int imm;

	memcpy(&imm, &value, sizeof(imm));
	to->from[to->n++] = p->n;
	emit(p, BPF_JMP32 | op | BPF_K, reg, 0, 0, imm);
}

static void land(struct program *p, struct label *l)
{
	while (l->n > 0) {
		size_t at = l->from[--l->n];

		p->insns[at].off = (int16_t)(p->n - at - 1);
	}
}

static void load(struct program *p, int reg, size_t offset)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_6, (int)offset, 0);
}

/* Addresses are compared as the kernel stores them: network order. */
static void match_address(struct program *p, const struct addr *a)
{
	size_t offset = offsetof(struct bpf_sk_lookup, local_ip4);
	struct slice ip = addr_ip(a);
	uint32_t word;

	if (addr_is_wildcard(a))
		return;
	if (a->family == ADDR_IP6)
		offset = offsetof(struct bpf_sk_lookup, local_ip6);
	for (size_t i = 0; i < ip.n; i += sizeof(word)) {
		memcpy(&word, ip.p + i, sizeof(word));
		load(p, BPF_REG_0, offset + i);
		jump(p, &p->next, BPF_JNE, BPF_REG_0, word);
	}
}

/* BPF_LD, BPF_IMM and BPF_W are all 0, and part of the instruction's name:
 * NOLINTBEGIN(misc-redundant-expression) */
static void assign(struct program *p, int map_fd, int key)
{
	emit(p, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, KEY_AT, key);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	emit(p, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, KEY_AT);
	emit(p, BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
	     map_fd);
	emit(p, 0, 0, 0, 0, 0); /* its upper half */
	emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	p->pass.from[p->pass.n++] = p->n;
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_7, BPF_REG_0, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_7, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0);
	emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_assign);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_7, 0, 0);
	emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_release);
	p->pass.from[p->pass.n++] = p->n;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}
/* NOLINTEND(misc-redundant-expression) */

static void put_range(struct program *p, const struct net_steer_conf *conf,
                      size_t i, int map_fd)
{
	const struct net_steer_range *r = &conf->ranges[i];

	load(p, BPF_REG_0, offsetof(struct bpf_sk_lookup, family));
	jump(p, &p->next, BPF_JNE, BPF_REG_0,
	     r->at.family == ADDR_IP6 ? AF_INET6 : AF_INET);
	load(p, BPF_REG_0, offsetof(struct bpf_sk_lookup, protocol));
	jump(p, &p->next, BPF_JNE, BPF_REG_0,
	     r->is_tcp ? IPPROTO_TCP : IPPROTO_UDP);
	load(p, BPF_REG_0, offsetof(struct bpf_sk_lookup, local_port));
	jump(p, &p->next, BPF_JLT, BPF_REG_0, r->first);
	jump(p, &p->next, BPF_JGT, BPF_REG_0, r->last);
	for (size_t k = 0; k < conf->n_holes; k++) {
		const struct net_steer_hole *h = &conf->holes[k];

		if (h->is_tcp == r->is_tcp && h->port >= r->first &&
		    h->port <= r->last)
			jump(p, &p->next, BPF_JEQ, BPF_REG_0, h->port);
	}
	match_address(p, &r->at);
	assign(p, map_fd, (int)i);
	land(p, &p->next);
}

static size_t room_for(const struct net_steer_conf *conf)
{
	return conf->n_ranges * (RANGE_INSNS + conf->n_holes) + FRAME_INSNS;
}

static int program_alloc(struct program *p, const struct net_steer_conf *conf)
{
	size_t room = room_for(conf);

	*p = (struct program){0};
	if (room > INT16_MAX)
		return EINVAL; /* further than a jump reaches */
	p->insns = calloc(room, sizeof(*p->insns));
	p->jumps = calloc(2 * room, sizeof(*p->jumps));
	if (!p->insns || !p->jumps)
		return ENOMEM;
	p->pass.from = p->jumps;
	p->next.from = p->jumps + room;
	return 0;
}

static void program_write(struct program *p, const struct net_steer_conf *conf,
                          int map_fd)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	for (size_t i = 0; i < conf->n_ranges; i++)
		put_range(p, conf, i, map_fd);
	land(p, &p->pass);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, SK_PASS);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int make_map(struct net_steer *s, const struct net_steer_conf *conf)
{
	s->map_fd = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, NULL, sizeof(uint32_t),
	                           sizeof(uint64_t), (uint32_t)conf->n_ranges,
	                           NULL);
	if (s->map_fd < 0)
		return errno;
	for (uint32_t i = 0; i < conf->n_ranges; i++) {
		uint64_t fd = (uint64_t)conf->ranges[i].fd;

		if (bpf_map_update_elem(s->map_fd, &i, &fd, BPF_ANY))
			return errno;
	}
	return 0;
}

static int load_program(struct net_steer *s, const struct program *p)
{
	struct bpf_prog_load_opts opts = {
		.sz = sizeof(opts),
		.expected_attach_type = BPF_SK_LOOKUP,
	};

	s->prog_fd = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "prumo_edge",
	                           "Dual BSD/GPL", p->insns, p->n, &opts);
	return s->prog_fd < 0 ? errno : 0;
}

static int attach(struct net_steer *s)
{
	int netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (netns_fd < 0)
		return errno;
	s->link_fd = bpf_link_create(s->prog_fd, netns_fd, BPF_SK_LOOKUP, NULL);
	if (s->link_fd < 0)
		err = errno;
	(void)close(netns_fd);
	return err;
}

int net_steer_lookup(struct net_steer *s, const struct net_steer_conf *conf)
{
	struct program p;
	int err;

	err = program_alloc(&p, conf);
	if (!err)
		err = make_map(s, conf);
	if (!err) {
		program_write(&p, conf, s->map_fd);
		err = load_program(s, &p);
	}
	if (!err)
		err = attach(s);
	free(p.jumps);
	free(p.insns);
	return err;
}
