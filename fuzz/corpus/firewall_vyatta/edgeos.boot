firewall {
    all-ping enable
    group {
        address-group PBX {
            address 192.0.2.1
            address 192.0.2.4-192.0.2.9
            description "hosted calls"
        }
        network-group NETS {
            network 198.51.100.0/24
        }
        port-group SIP {
            port 5060-5061
            port 5080
        }
    }
    ipv6-name LAN6_IN {
        default-action drop
        rule 10 {
            action accept
            destination {
                group {
                    ipv6-address-group NONE6
                }
            }
        }
    }
    name LAN_IN {
        default-action drop
        description "LAN to anywhere"
        rule 30 {
            action drop
            destination {
                group {
                    network-group NETS
                }
            }
            log enable
        }
        rule 10 {
            action accept
            description "Answers"
            state {
                established enable
                invalid disable
                related enable
            }
        }
        rule 20 {
            action accept
            destination {
                group {
                    address-group PBX
                    port-group SIP
                }
            }
            protocol tcp_udp
        }
        rule 40 {
            action accept
            destination {
                port 80,443
            }
            disable
            protocol tcp
        }
    }
    name WAN_IN {
        default-action drop
        rule 10 {
            action accept
            state {
                established enable
                related enable
            }
        }
        rule 20 {
            action accept
            protocol icmp
            limit {
                rate 5/second
            }
        }
    }
}
interfaces {
    ethernet eth0 {
        address dhcp
        firewall {
            in {
                name WAN_IN
            }
        }
    }
    ethernet eth1 {
        address 198.18.0.1/24
        firewall {
            in {
                ipv6-name LAN6_IN
                name LAN_IN
            }
        }
        vif 10 {
            firewall {
                in {
                    name LAN_IN
                }
            }
        }
    }
}
service {
    gui {
        https-port 443
    }
    nat {
        rule 5010 {
            description "to the Internet"
            outbound-interface eth0
            type masquerade
        }
    }
}
system {
    conntrack {
        timeout {
            udp {
                other 30
                stream 120
            }
        }
    }
    host-name ubnt
    offload {
        hwnat enable
    }
}
protocols {
    static {
    }
}


/* Warning: Do not remove the following line. */
/* === vyatta-config-version: "config-management@1:conntrack@1:firewall@5:ubnt-util@1" === */
/* Release version: v1.10.11.5274269.200221.1028 */
