# 2024-05-01 10:00:00 by RouterOS 7.14.2
# software id = ABCD-EFGH
/interface list member
add interface=bridge list=LAN
add interface=ether1 list=WAN
/ip firewall address-list
add address=sip.example.net list=sbc
add address=192.0.2.0/28 list=sbc
/ip firewall connection tracking
set udp-timeout=10s
/ip firewall filter
add action=fasttrack-connection chain=forward connection-state=\
    established,related hw-offload=yes
add action=accept chain=forward connection-state=established,related
add action=drop chain=forward comment="no \"web\"" dst-port=80,8000-8080 \
    protocol=tcp
add action=accept chain=forward dst-address-list=sbc dst-port=5060-5061,5080 \
    in-interface-list=LAN out-interface=ether1 protocol=udp
add action=jump chain=forward jump-target=guests src-address=198.18.0.0/16
add action=return chain=guests
add action=drop chain=forward disabled=yes
/ip firewall nat
add action=masquerade chain=srcnat out-interface=ether1
