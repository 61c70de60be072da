"""ttl.py TTL...: for each, who sent the ICMP error and what it quotes."""
import socket
import sys

IP_RECVERR, MSG_ERRQUEUE = 11, 0x2000
PROBE = (b"OPTIONS sip:198.51.100.10 SIP/2.0\r\n"
         b"Via: SIP/2.0/UDP 192.0.2.33:5060;branch=z9hG4bK1\r\n"
         b"From: <sip:a@192.0.2.33:5060>;tag=1\r\nTo: <sip:198.51.100.10>\r\n"
         b"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
s.bind(("192.0.2.33", 5060))
for ttl in map(int, sys.argv[1:]):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    s.sendto(PROBE, ("198.51.100.10", 5060))
    s.settimeout(0.5)
    try:
        s.recv(1)  # raises the error, or times out
    except OSError:
        pass
    try:
        quote, control, _, _ = s.recvmsg(2048, 512, MSG_ERRQUEUE)
        # struct sock_extended_err, then the offender's sockaddr_in
        print(socket.inet_ntoa(control[0][2][20:24]),
              "same" if quote == PROBE[:len(quote)] else "edited")
    except OSError:
        print("silent")
