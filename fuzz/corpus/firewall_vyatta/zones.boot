firewall {
    name LAN-WAN {
        default-action drop
        rule 10 {
            action accept
            protocol tcp
            destination {
                port 80,443
            }
        }
    }
    name WAN-LAN {
        default-action drop
        rule 1 {
            action accept
            state {
                established enable
                related enable
            }
        }
    }
}
interfaces {
    ethernet eth0 {
        address dhcp
    }
    ethernet eth1 {
        address 192.168.1.1/24
    }
}
zone-policy {
    zone LAN {
        default-action drop
        from WAN {
            firewall {
                name WAN-LAN
            }
        }
        interface eth1
    }
    zone WAN {
        default-action drop
        from LAN {
            firewall {
                name LAN-WAN
            }
        }
        interface eth0
    }
}
/* Warning: Do not remove the following line. */
/* === vyatta-config-version: "config-management@1:conntrack@1:firewall@5:zone-policy@1" === */
/* Release version: v2.0.9 */
