/* SPDX-License-Identifier: ISC */
/*
 * Design: each configuration is the least that makes the program serve what
 * a provider serves, on the addresses that it was given and on no others, as
 * the one user that exists in a lab: it looks like root in there, has no
 * other to become, and may not change its groups. Hence the words against
 * daemons, workers and users.
 */
#include "lab/service.h"

#include <string.h>

#include "base/i18n.h"

const char *const lab_cert_names[LAB_N_CERTS] = {"valid", "expired",
                                                 "wrong-name", "self-signed"};

static void put_word(struct wr *w, const char *word)
{
	wr_str(w, word);
	wr_u8(w, 0);
}

static void put_words(struct wr *w, const char *const *words)
{
	for (; *words; words++)
		put_word(w, *words);
}

/* Go through every address with every port of a slot. */
static bool next_at(struct addr *a, size_t *n, const struct lab_server *s,
                    size_t slot)
{
	size_t n_ports = s->n_ports[slot];

	if (*n >= s->n_at * n_ports)
		return false;
	*a = s->at[*n / n_ports];
	a->port = s->ports[slot][*n % n_ports];
	(*n)++;
	return true;
}

enum kamailio_slot {
	KAMAILIO_UDP,
	KAMAILIO_TCP,
	KAMAILIO_TLS,
	KAMAILIO_WS,
	KAMAILIO_WSS,
};

static void kamailio_conf(struct wr *w, const struct lab_site *site)
{
	static const char *const protos[] = {"udp", "tcp", "tls", "tcp", "tls"};
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];
	struct addr a;

	wr_fmt(w,
	       "debug=1\nlog_stderror=yes\nfork=yes\nchildren=1\n"
	       "tcp_children=2\nauto_aliases=no\ndns=no\nrev_dns=no\n"
	       "enable_tls=yes\ntcp_accept_no_cl=yes\nalias=\"%s\"\n",
	       s->host);
	for (size_t slot = 0; slot < ARRAY_LEN(protos); slot++)
		for (size_t n = 0; next_at(&a, &n, s, slot);)
			wr_fmt(w, "listen=%s:%s\n", protos[slot],
			       addr_text(&a, text));
	wr_fmt(w,
	       "loadmodule \"tm.so\"\nloadmodule \"sl.so\"\n"
	       "loadmodule \"pv.so\"\nloadmodule \"textops.so\"\n"
	       "loadmodule \"usrloc.so\"\nloadmodule \"registrar.so\"\n"
	       "loadmodule \"xhttp.so\"\nloadmodule \"tls.so\"\n"
	       "loadmodule \"websocket.so\"\n"
	       "modparam(\"tls\", \"certificate\", \"%s\")\n"
	       "modparam(\"tls\", \"private_key\", \"%s\")\n"
	       "modparam(\"tls\", \"tls_method\", \"TLSv1.2+\")\n"
	       "modparam(\"registrar\", \"max_expires\", 3600)\n",
	       site->cert, site->key);
	wr_str(w, "request_route {\n"
	          "\tforce_rport();\n"
	          "\tif (method == \"OPTIONS\") {\n"
	          "\t\tsl_send_reply(\"200\", \"OK\");\n\t\texit;\n\t}\n"
	          "\tif (method == \"REGISTER\") {\n"
	          "\t\tsave(\"location\");\n\t\texit;\n\t}\n"
	          "\tif (method != \"ACK\")\n"
	          "\t\tsl_send_reply(\"404\", \"Not Found\");\n}\n"
	          "event_route[xhttp:request] {\n"
	          "\tif ($hdr(Upgrade) =~ \"[Ww]eb[Ss]ocket\") {\n"
	          "\t\tws_handle_handshake();\n\t\texit;\n\t}\n"
	          "\txhttp_reply(\"404\", \"Not Found\", \"\", \"\");\n}\n");
}

static void kamailio_argv(struct wr *w, const struct lab_site *site)
{
	static const char *const words[] = {
		"kamailio", "-DD", "-E", "-m",           "16", "-M", "4",
		"-n",       "1",   "-f", "kamailio.cfg", "-Y", NULL};

	put_words(w, words);
	put_word(w, site->dir);
}

enum coturn_slot {
	COTURN_STUN,
	COTURN_STUNS,
};

static void coturn_conf(struct wr *w, const struct lab_site *site)
{
	static const char *const keys[] = {"listening-port",
	                                   "tls-listening-port"};
	static const char *const without[] = {"no-udp\nno-tcp\n",
	                                      "no-tls\nno-dtls\n"};
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];
	struct addr a;

	for (size_t at = 0; at < s->n_at; at++) {
		const char *ip = addr_ip_text(&s->at[at], text);

		wr_fmt(w, "listening-ip=%s\nrelay-ip=%s\n", ip, ip);
	}
	for (size_t slot = 0; slot < ARRAY_LEN(keys); slot++) {
		if (s->n_ports[slot])
			wr_fmt(w, "%s=%u\n", keys[slot], s->ports[slot][0]);
		else
			wr_str(w, without[slot]);
	}
	for (size_t n = 0; next_at(&a, &n, s, COTURN_STUN);) {
		if (a.port != s->ports[COTURN_STUN][0])
			wr_fmt(w, "aux-server=%s\n", addr_text(&a, text));
	}
	wr_fmt(w,
	       "realm=%s\nlt-cred-mech\nuser=prumo:prumo\nfingerprint\n"
	       "cert=%s\npkey=%s\nuserdb=%s/db\npidfile=%s/pid\n"
	       "log-file=stdout\nsimple-log\nno-cli\n",
	       s->host, site->cert, site->key, site->dir, site->dir);
}

static void coturn_argv(struct wr *w, const struct lab_site *site)
{
	static const char *const words[] = {"turnserver", "-c",
	                                    "turnserver.conf", NULL};

	UNUSED(site);
	put_words(w, words);
}

enum prosody_slot {
	PROSODY_C2S,
	PROSODY_HTTP,
	PROSODY_HTTPS,
};

static void put_lua_ports(struct wr *w, const char *key,
                          const struct lab_server *s, size_t slot)
{
	wr_fmt(w, "%s = {", key);
	for (size_t i = 0; i < s->n_ports[slot]; i++)
		wr_fmt(w, " %u;", s->ports[slot][i]);
	wr_str(w, " }\n");
}

static void prosody_conf(struct wr *w, const struct lab_site *site)
{
	static const char *const keys[] = {"interfaces", "local_interfaces",
	                                   "http_interfaces",
	                                   "https_interfaces"};
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		wr_fmt(w, "%s = {", keys[i]);
		for (size_t at = 0; at < s->n_at; at++)
			wr_fmt(w, " \"%s\";", addr_ip_text(&s->at[at], text));
		wr_str(w, " }\n");
	}
	put_lua_ports(w, "c2s_ports", s, PROSODY_C2S);
	put_lua_ports(w, "http_ports", s, PROSODY_HTTP);
	put_lua_ports(w, "https_ports", s, PROSODY_HTTPS);
	wr_fmt(w,
	       "c2s_direct_tls_ports = {}\ns2s_ports = {}\n"
	       "run_as_root = true\ndaemonize = false\n"
	       "modules_enabled = { \"roster\"; \"saslauth\"; \"tls\"; "
	       "\"disco\"; \"bosh\"; \"websocket\"; \"posix\" }\n"
	       "modules_disabled = { \"s2s\"; \"offline\"; \"admin_shell\" }\n"
	       "c2s_require_encryption = true\n"
	       "authentication = \"internal_hashed\"\n"
	       "http_default_host = \"%s\"\n"
	       "pidfile = \"%s/pid\"\ndata_path = \"%s\"\n"
	       "log = { info = \"*console\" }\n"
	       "ssl = { certificate = \"%s\"; key = \"%s\" }\n"
	       "https_ssl = { certificate = \"%s\"; key = \"%s\" }\n"
	       "VirtualHost \"%s\"\n",
	       s->host, site->dir, site->dir, site->cert, site->key, site->cert,
	       site->key, s->host);
}

static void prosody_argv(struct wr *w, const struct lab_site *site)
{
	static const char *const words[] = {"prosody", "-F", "--config", NULL};

	put_words(w, words);
	/* From elsewhere, since it changes its directory first. */
	wr_fmt(w, "%s/prosody.cfg.lua", site->dir);
	wr_u8(w, 0);
}

enum nginx_slot {
	NGINX_HTTP,
	NGINX_HTTPS,
};

static void nginx_conf(struct wr *w, const struct lab_site *site)
{
	static const char *const temps[] = {"client_body", "proxy", "fastcgi",
	                                    "uwsgi", "scgi"};
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];
	struct addr a;

	wr_fmt(w,
	       "user root root;\ndaemon off;\nmaster_process off;\npid %s/pid;\n"
	       "error_log stderr;\nevents { worker_connections 256; }\n"
	       "http {\naccess_log off;\ndefault_type text/plain;\n",
	       site->dir);
	for (size_t i = 0; i < ARRAY_LEN(temps); i++)
		wr_fmt(w, "%s_temp_path %s/%s;\n", temps[i], site->dir,
		       temps[i]);
	wr_fmt(w, "server {\nserver_name %s;\n", s->host);
	for (size_t slot = NGINX_HTTP; slot <= NGINX_HTTPS; slot++)
		for (size_t n = 0; next_at(&a, &n, s, slot);)
			wr_fmt(w, "listen %s%s;\n", addr_text(&a, text),
			       slot == NGINX_HTTPS ? " ssl" : "");
	wr_fmt(w,
	       "ssl_certificate %s;\nssl_certificate_key %s;\n"
	       "location / { return 200 \"%s\\n\"; }\n}\n}\n",
	       site->cert, site->key, s->host);
}

static void nginx_argv(struct wr *w, const struct lab_site *site)
{
	static const char *const words[] = {"nginx", "-e", "stderr", "-p",
	                                    NULL};

	put_words(w, words);
	put_word(w, site->dir);
	put_word(w, "-c");
	wr_fmt(w, "%s/nginx.conf", site->dir);
	wr_u8(w, 0);
}

/* An endpoint that answers OPTIONS, and knows nothing of rport. */
static void sipp_conf(struct wr *w, const struct lab_site *site)
{
	UNUSED(site);
	wr_str(w, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n"
	          "<scenario name=\"OPTIONS\">\n"
	          "<recv request=\"OPTIONS\"/>\n<send><![CDATA[\n\n"
	          "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n"
	          "[last_To:];tag=sipp[call_number]\n[last_Call-ID:]\n"
	          "[last_CSeq:]\nContent-Length: 0\n\n"
	          "]]></send>\n</scenario>\n");
}

static void sipp_argv(struct wr *w, const struct lab_site *site)
{
	static const char *const words[] = {
		"sipp", "-sf", "uas.xml", "-t", "u1", "-nostdin", "-i", NULL};
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];

	put_words(w, words);
	put_word(w, addr_ip_text(&s->at[0], text));
	put_word(w, "-p");
	wr_fmt(w, "%u", s->ports[0][0]);
	wr_u8(w, 0);
}

static void dnsmasq_conf(struct wr *w, const struct lab_site *site)
{
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];

	wr_fmt(w,
	       "port=%u\nbind-interfaces\nno-resolv\nno-hosts\nno-poll\n"
	       "pid-file=%s/pid\nlocal-ttl=60\nlocal=/#/\n",
	       s->ports[0][0], site->dir);
	for (size_t at = 0; at < s->n_at; at++)
		wr_fmt(w, "listen-address=%s\n",
		       addr_ip_text(&s->at[at], text));
	for (size_t i = 0; i < site->n_names; i++)
		wr_fmt(w, "host-record=%s,%s\n", site->names[i].name,
		       addr_ip_text(&site->names[i].addr, text));
}

static void dnsmasq_argv(struct wr *w, const struct lab_site *site)
{
	/* As for debugging: it then becomes nobody else. */
	static const char *const words[] = {"dnsmasq", "--no-daemon", "-C",
	                                    "dnsmasq.conf", NULL};

	UNUSED(site);
	put_words(w, words);
}

static void edge_argv(struct wr *w, const struct lab_site *site)
{
	static const char *const options[] = {"--sip-port", "--sip-alt-port",
	                                      "--tls-port", "--stun-port",
	                                      "--control-port"};
	/* The one identity that exists in there is already an unprivileged
	 * one outside; there is no other to drop to. */
	static const char *const words[] = {"edge", "--user", "root", NULL};
	const struct lab_server *s = site->server;
	char text[ADDR_TEXT_BYTES];

	put_word(w, site->prumo);
	put_words(w, words);
	for (size_t at = 0; at < s->n_at; at++) {
		put_word(w, "--listen");
		put_word(w, addr_ip_text(&s->at[at], text));
	}
	for (size_t slot = 0; slot < ARRAY_LEN(options); slot++) {
		if (!s->n_ports[slot])
			continue;
		put_word(w, options[slot]);
		wr_fmt(w, "%u", s->ports[slot][0]);
		wr_u8(w, 0);
	}
	if (s->has_cert) {
		put_word(w, "--cert");
		put_word(w, site->cert);
		put_word(w, "--key");
		put_word(w, site->key);
	}
	if (s->words)
		put_words(w, s->words);
}

enum {
	BOTH = LAB_SLOT_UDP | LAB_SLOT_TCP,
	SOLE = LAB_SLOT_ONE | LAB_SLOT_NEEDED,
};

const struct lab_service lab_services[] = {
	{.name = "edge",
         .summary = N_("the responder of this project"),
         .takes_cert = true,
         .slots = {{"sip", {5060}, LAB_ASK_SIP, BOTH | SOLE},
                   {"alt", {5080}, LAB_ASK_SIP, BOTH | SOLE},
                   {"tls", {5061}, LAB_ASK_TLS, LAB_SLOT_TCP | SOLE},
                   {"stun", {3478}, LAB_ASK_STUN, BOTH | SOLE},
                   {"control", {10443}, LAB_ASK_TLS, LAB_SLOT_TCP | SOLE}},
         .argv = edge_argv},
	{.name = "kamailio",
         .program = "kamailio",
         .package = "kamailio kamailio-tls-modules "
                    "kamailio-websocket-modules",
         .summary = N_("a SIP proxy and registrar"),
         .takes_cert = true,
         .slots = {[KAMAILIO_UDP] =
                           {"udp", {5060, 5080}, LAB_ASK_SIP, LAB_SLOT_UDP},
                   [KAMAILIO_TCP] =
                           {"tcp", {5060, 5080}, LAB_ASK_SIP, LAB_SLOT_TCP},
                   [KAMAILIO_TLS] = {"tls", {5061}, LAB_ASK_TLS, LAB_SLOT_TCP},
                   [KAMAILIO_WS] = {"ws", {8088}, LAB_ASK_HTTP, LAB_SLOT_TCP},
                   [KAMAILIO_WSS] = {"wss", {8089}, LAB_ASK_TLS, LAB_SLOT_TCP}},
         .file = "kamailio.cfg",
         .conf = kamailio_conf,
         .argv = kamailio_argv},
	{.name = "coturn",
         .program = "turnserver",
         .package = "coturn",
         .summary = N_("a STUN and TURN server"),
         .takes_cert = true,
         .slots = {[COTURN_STUN] = {"stun", {3478}, LAB_ASK_STUN, BOTH},
                   [COTURN_STUNS] = {"stuns",
                                     {5349},
                                     LAB_ASK_TLS,
                                     LAB_SLOT_TCP | LAB_SLOT_ONE}},
         .file = "turnserver.conf",
         .conf = coturn_conf,
         .argv = coturn_argv},
	{.name = "prosody",
         .program = "prosody",
         .package = "prosody",
         .summary = N_("a chat server (XMPP, BOSH, WebSocket)"),
         .takes_cert = true,
         .slots =
                 {[PROSODY_C2S] = {"c2s", {5222}, LAB_ASK_XMPP, LAB_SLOT_TCP},
                  [PROSODY_HTTP] = {"http", {5280}, LAB_ASK_HTTP, LAB_SLOT_TCP},
                  [PROSODY_HTTPS] =
                          {"https", {5281}, LAB_ASK_TLS, LAB_SLOT_TCP}},
         .file = "prosody.cfg.lua",
         .conf = prosody_conf,
         .argv = prosody_argv},
	{.name = "nginx",
         .program = "nginx",
         .package = "nginx-light",
         .summary = N_("a web server"),
         .takes_cert = true,
         .slots = {[NGINX_HTTP] = {"http", {80}, LAB_ASK_HTTP, LAB_SLOT_TCP},
                   [NGINX_HTTPS] = {"https", {443}, LAB_ASK_TLS, LAB_SLOT_TCP}},
         .file = "nginx.conf",
         .conf = nginx_conf,
         .argv = nginx_argv},
	{.name = "sipp",
         .program = "sipp",
         .package = "sip-tester",
         .summary = N_("an endpoint that answers OPTIONS"),
         .slots = {{"udp", {5060}, LAB_ASK_SIP, LAB_SLOT_UDP | SOLE}},
         .file = "uas.xml",
         .conf = sipp_conf,
         .argv = sipp_argv},
	{.name = "dnsmasq",
         .program = "dnsmasq",
         .package = "dnsmasq-base",
         .summary = N_("a name server that knows the names of the scenario"),
         .slots = {{"dns", {53}, LAB_ASK_DNS, BOTH | SOLE}},
         .file = "dnsmasq.conf",
         .conf = dnsmasq_conf,
         .argv = dnsmasq_argv},
	{0},
};

const struct lab_service *lab_service_find(struct slice name)
{
	for (const struct lab_service *s = lab_services; s->name; s++) {
		if (slice_eq_str(name, s->name))
			return s;
	}
	return NULL;
}

void lab_server_init(struct lab_server *server,
                     const struct lab_service *service)
{
	*server = (struct lab_server){.service = service, .host = "sip.test"};
	for (size_t slot = 0; service->slots[slot].name; slot++) {
		const uint16_t *usual = service->slots[slot].usual;
		size_t n = 0;

		for (; n < LAB_MAX_PORTS && usual[n]; n++)
			server->ports[slot][n] = usual[n];
		server->n_ports[slot] = n;
	}
}

static bool is_on(const struct lab_server *s, const struct addr *a)
{
	for (size_t i = 0; i < s->n_at; i++) {
		if (addr_ip_eq(&s->at[i], a))
			return true;
	}
	/* this project's own may be on every address */
	return !s->n_at && !s->service->program;
}

static bool is_met(const struct lab_server *a, const struct lab_server *b)
{
	for (size_t i = 0; i < a->n_at; i++) {
		if (is_on(b, &a->at[i]))
			return true;
	}
	return !a->n_at && !a->service->program &&
	       (b->n_at || !b->service->program);
}

static bool has_port(const struct lab_server *s, unsigned flags, uint16_t port)
{
	for (size_t slot = 0; s->service->slots[slot].name; slot++) {
		if (!(s->service->slots[slot].flags & flags))
			continue;
		for (size_t i = 0; i < s->n_ports[slot]; i++) {
			if (s->ports[slot][i] == port)
				return true;
		}
	}
	return false;
}

unsigned lab_server_clash(const struct lab_server *a,
                          const struct lab_server *b)
{
	const struct lab_slot *slots = a->service->slots;

	for (size_t slot = 0; slots[slot].name && is_met(a, b); slot++) {
		unsigned flags =
			slots[slot].flags & (LAB_SLOT_UDP | LAB_SLOT_TCP);

		for (size_t i = 0; i < a->n_ports[slot]; i++) {
			if (has_port(b, flags, a->ports[slot][i]))
				return a->ports[slot][i];
		}
	}
	return 0;
}
