# 2026-01-02 10:00:00 by RouterOS 7.14.2
/ip firewall address-list
add list=cp address=198.51.100.1
add list=old address=192.0.2.1
set [find list=old] disabled=yes
remove [find list~"^ol"]
/ip firewall filter
add chain=forward comment=a connection-state=""
add chain=input comment="b b"
add action=drop chain=forward comment=c disabled=yes
add chain=forward place-before=[:pick [find where chain="forward" and !dynamic] 1] dst-port=1 protocol=udp
set 0 comment=z
set numbers=1,2 !comment log=yes
unset 1 value-name=log
move 3 0
move [find comment=c] [find comment=z]
enable [find where action=drop and disabled]
comment 1 "x \" y"
disable 9
print
remove [find chain!=forward]
/ip firewall service-port
disable ftp,sip
