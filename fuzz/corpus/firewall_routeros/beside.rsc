# 2024-05-02 10:00:00 by RouterOS 7.14.2
/interface bridge
add name=bridge
/interface list
add name=WAN
add include=WAN name=ALL
/interface bridge filter
add action=drop chain=input dst-port=5060 ip-protocol=udp mac-protocol=ip
add action=drop chain=output in-bridge=!bridge mac-protocol=!arp
add action=drop chain=input dst-mac-address=01:80:C2:00:00:00/FF:FF:FF:FF:FF:FF
/ip hotspot
add interface=bridge name=hotspot1
/interface list member
add interface=ether1 list=WAN
add list=WAN
/ip address
add address=192.0.2.1/24 interface=bridge
/ip firewall connection tracking
set enabled=no
/ip firewall filter
add action=drop chain=forward src-address=127.0.0.0/8
add action=drop chain=forward dst-address-type=!unicast
add action=drop chain=forward protocol=tcp tcp-flags=fin,!ack
add action=drop chain=forward in-interface=all-ppp connection-state=invalid
add chain=forward protocol=ipsec-esp
/ip firewall nat
add action=masquerade chain=srcnat out-interface-list=WAN
/ipv6 firewall address-list
add address=::ffff:0.0.0.0/96 list=bad_ipv6
add address=fec0::/10 list=bad_ipv6
/ipv6 firewall filter
add action=drop chain=forward src-address-list=bad_ipv6
add action=drop chain=forward in-interface-list=!WAN
/ipv6 settings
set disable-ipv6=yes
#interrupted
