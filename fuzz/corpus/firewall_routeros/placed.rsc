/ip firewall filter
add chain=forward action=drop in-interface-list=GUESTS
add chain=forward action=drop comment="x"
add chain=forward place-before=[find comment="x"] protocol=udp
add chain=forward place-before=[:pick [find where chain="forward" and !dynamic] 1] dst-port=1
remove 0
