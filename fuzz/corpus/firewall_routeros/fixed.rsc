/ip firewall service-port
remove [find name=sip]
add name=sip
set sip disabled=yes
move sip 0
