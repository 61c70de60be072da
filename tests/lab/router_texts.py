"""The messages on which the persona and the kernel must agree, byte by byte.

OUT is what the phone sends, BACK what the server says to it. {c} is the
phone's own address, {p} what the server sees; {n} the number.
"""


def sdp(port=46000, c="192.0.2.33", o="192.0.2.33", more=""):
    c_line = f"c=IN IP4 {c}\r\n" if c else ""
    return (f"v=0\r\no=- 1 1 IN IP4 {o}\r\ns=-\r\n{c_line}t=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtcp:{int(port) + 1} "
            f"IN IP4 192.0.2.33\r\n{more}")


def message(start, body="", via="{c}:5060", contact="<sip:a@{c}:5060>",
            sender="<sip:a@{c}:5060>;tag=1", to="<sip:b@198.51.100.10>",
            more="", kind="application/sdp", names=False):
    method = start.split(" ")[0]
    names = (("v", "f", "t", "i", "m", "c", "l") if names else
             ("Via", "From", "To", "Call-ID", "Contact", "Content-Type",
              "Content-Length"))
    return (f"{start}\r\n{names[0]}: SIP/2.0/UDP {via};branch=z9hG4bK{{n}};"
            f"rport\r\nX-N: {{n}}\r\nMax-Forwards: 70\r\n"
            f"{names[1]}: {sender}\r\n{names[2]}: {to}\r\n"
            f"{names[3]}: {{n}}@{{c}}\r\nCSeq: 7 {method}\r\n"
            f"{names[4]}: {contact}\r\n{more}{names[5]}: {kind}\r\n"
            f"{names[6]}: {len(body)}\r\n\r\n{body}")


URI = "sip:b@198.51.100.10"
OUT = [
    message(f"OPTIONS {URI} SIP/2.0"),
    message(f"REGISTER {URI} SIP/2.0"),
    message(f"SUBSCRIBE {URI} SIP/2.0", via="{c}"),
    message(f"OPTIONS {URI} SIP/2.0", contact="<sip:a@{c}>"),
    message(f"OPTIONS {URI} SIP/2.0", contact="<sip:a@{c}:5061>"),
    message(f"OPTIONS {URI} SIP/2.0", sender="<sip:a@example.com>;tag=1"),
    message(f"OPTIONS {URI} SIP/2.0",
            contact="<sip:a@{c}:5060>;q=1, <sip:a@203.0.113.77:5060>, "
            "\"x\" <sip:b@{c}:5060;transport=udp>"),
    message(f"OPTIONS {URI} SIP/2.0", contact="<sips:a@{c}:5060>"),
    message(f"OPTIONS {URI} SIP/2.0", names=True),
    message(f"OPTIONS {URI} SIP/2.0", to="<sip:b@{c}:5060>"),
    message(f"OPTIONS {URI} SIP/2.0",
            more="Record-Route: <sip:{c}:5060;lr>\r\nRoute: <sip:{c}:5060>"
            "\r\nP-Asserted-Identity: <sip:a@{c}:5060>\r\nX-A: {c}:5060\r\n"),
    message(f"OPTIONS {URI} SIP/2.0",
            more="Via: SIP/2.0/UDP {c}:5060;branch=z9hG4bKlow\r\n"),
    message(f"INVITE {URI} SIP/2.0", sdp()),
    message(f"INVITE {URI} SIP/2.0", sdp(46002, o="198.18.99.99")),
    message(f"INVITE {URI} SIP/2.0", sdp(46004, c="198.18.88.88")),
    message(f"INVITE {URI} SIP/2.0",
            sdp(46006, more="m=video 46008 RTP/AVP 31\r\n"
                "c=IN IP4 192.0.2.33\r\n")),
    message(f"INVITE {URI} SIP/2.0", sdp(46010, c="")),
    message(f"INVITE {URI} SIP/2.0", sdp(1000)),
    message(f"INVITE {URI} SIP/2.0", sdp(70000)),
    message(f"INVITE {URI} SIP/2.0", sdp(46013)),
    message(f"UPDATE {URI} SIP/2.0", sdp(46014)),
    message(f"MESSAGE {URI} SIP/2.0", "hello 192.0.2.33\r\nv=1\r\n",
            kind="text/plain"),
    message(f"ABCDEF {URI} SIP/2.0"),
    message(f"ACK {URI} SIP/2.0"),
    message(f"BYE {URI} SIP/2.0"),
    message(f"INVITE {URI} SIP/2.0", sdp(46016, more="a=candidate:1 1 UDP 1 "
            "192.0.2.33 46016 typ host\r\n")),
]


def reply(start, body="", via="{p};received=203.0.113.2;rport=5060",
          method="REGISTER"):
    return (f"{start}\r\nVia: SIP/2.0/UDP {via}\r\nX-N: {{n}}\r\n"
            "From: <sip:a@{p}>;tag=1\r\nTo: <sip:b@{p}>;tag=2\r\n"
            f"Call-ID: 1@{{p}}\r\nCSeq: 7 {method}\r\n"
            "Contact: <sip:a@{p}>;expires=60\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


BACK = {
    0: reply("SIP/2.0 200 OK", method="OPTIONS"),
    1: reply("SIP/2.0 200 OK"),
    2: reply("SIP/2.0 401 Unauthorized", via="{p}"),
    3: reply("SIP/2.0 200 OK", via="192.0.2.33:5060;received=203.0.113.2"),
    5: ("INVITE sip:a@{p} SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.10:5060;"
        "branch=z9hG4bKx\r\nFrom: <sip:b@198.51.100.10>;tag=3\r\n"
        "To: <sip:a@{p}>\r\nCall-ID: in@x\r\nCSeq: 1 INVITE\r\n"
        "Contact: <sip:b@198.51.100.10:5060>\r\nContent-Length: 0\r\n\r\n"),
    12: reply("SIP/2.0 200 OK", sdp(40000, c="198.51.100.10",
                                    o="198.51.100.10"), method="INVITE"),
}


def out(number):
    return (OUT[number].replace("{c}", "192.0.2.33")
            .replace("{n}", str(number)).encode())


def back(number, here):
    if number not in BACK:
        return None
    return BACK[number].replace("{p}", here).replace("{n}",
                                                     str(number)).encode()
