-- Chat as a provider runs it; the directory of certificates, and a place to
-- write, come from the environment.
daemonize = false
run_as_root = true
pidfile = ENV_PROSODY_DATA .. "/prosody.pid"
data_path = ENV_PROSODY_DATA
log = { error = "*console" }
modules_enabled = { "saslauth", "tls", "bosh", "websocket" }
modules_disabled = { "s2s", "offline" }
interfaces = { "198.51.100.10" }
c2s_ports = { 5222 }
c2s_direct_tls_ports = { 5422 }
http_ports = { 5280 }
http_interfaces = { "198.51.100.10" }
https_ports = { 5281 }
https_interfaces = { "198.51.100.10" }
http_default_host = "chat.example.com"
c2s_require_encryption = true
consider_bosh_secure = true
consider_websocket_secure = true
authentication = "internal_plain"
ssl = {
	certificate = ENV_PROSODY_CERTS .. "/good.pem";
	key = ENV_PROSODY_CERTS .. "/good.key";
}
certificates = ENV_PROSODY_DATA
https_ssl = ssl
c2s_direct_tls_ssl = ssl
VirtualHost "chat.example.com"
VirtualHost "old.example.com"
ssl = {
	certificate = ENV_PROSODY_CERTS .. "/old.pem";
	key = ENV_PROSODY_CERTS .. "/old.key";
}
