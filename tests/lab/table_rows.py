"""What the phone sends for each row of the table of netfilter's behaviour.

{c} is the phone's address with its port, {h} the address alone. The rows are
in an order: what one opens, a later one may meet.
"""
import base64
import json

CLIENT, SECOND = "192.0.2.33", "192.0.2.34"
URI = "sip:b@198.51.100.10"


def sdp(port, c="{h}", o="{h}", more="", kind="audio"):
    c_line = f"c=IN IP4 {c}\r\n" if c else ""
    return (f"v=0\r\no=- 1 1 IN IP4 {o}\r\ns=-\r\n{c_line}t=0 0\r\n"
            f"m={kind} {port} RTP/AVP 0\r\n{more}")


def sip(start, body="", cseq=None, via="{c}", sender="<sip:a@{c}>;tag=1",
        to="<sip:b@198.51.100.10>", contact="<sip:a@{c}>", more="",
        names=("Via", "Contact", "Content-Length"), transport="UDP"):
    cseq = cseq or "7 " + start.split(" ")[0]
    return (f"{start}\r\n{names[0]}: SIP/2.0/{transport} {via};"
            f"branch=z9hG4bKrow;rport\r\n{{do}}Max-Forwards: 70\r\nFrom: {sender}\r\n"
            f"To: {to}\r\nCall-ID: row@{{h}}\r\nCSeq: {cseq}\r\n"
            f"{names[1]}: {contact}\r\n{more}"
            f"Content-Type: application/sdp\r\n"
            f"{names[2]}: {{length}}\r\n\r\n{{body}}"), body


def reply(start="SIP/2.0 200 OK", method="REGISTER",
          via="{p};received=203.0.113.2;rport=5060"):
    return (f"{start}\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKrow\r\n"
            "From: <sip:a@{p}>;tag=1\r\nTo: <sip:b@198.51.100.10>;tag=2\r\n"
            f"Call-ID: row@x\r\nCSeq: 7 {method}\r\n"
            "Contact: <sip:a@{p}>;expires=60\r\nContent-Length: 0\r\n\r\n")


INBOUND = ("OPTIONS sip:a@{p} SIP/2.0\r\nVia: SIP/2.0/UDP "
           "198.51.100.10:5060;branch=z9hG4bKin\r\n"
           "From: <sip:b@198.51.100.10>;tag=3\r\nTo: <sip:a@{p}>\r\n"
           "Call-ID: in@x\r\nCSeq: 1 OPTIONS\r\n"
           "Contact: <sip:b@198.51.100.10:5060>\r\nContent-Length: 0\r\n"
           "\r\n")
UNTOUCHED = ("Record-Route: <sip:{c};lr>\r\nRoute: <sip:{c};lr>\r\n"
             "Path: <sip:{c};lr>\r\nP-Asserted-Identity: <sip:a@{c}>\r\n"
             "Reply-To: <sip:a@{c}>\r\nWarning: 399 {c} \"x\"\r\n"
             "Authorization: Digest uri=\"sip:{c}\"\r\nX-Own: {c}\r\n")
ROWS = []


def row(name, message, port=5060, source_port=5060, source=CLIENT, back=(),
        tcp=None, knock=()):
    """tcp: where the message is cut in two; 0: whole; None: over UDP
    knock: ports of the phone's that the server then sends to"""
    ROWS.append({"name": name, "message": message, "port": port,
                 "source_port": source_port, "source": source,
                 "back": [list(b) for b in back], "tcp": tcp is not None,
                 "cut": tcp, "knock": list(knock)})


OPTIONS = f"OPTIONS {URI} SIP/2.0"
INVITE = f"INVITE {URI} SIP/2.0"
row("options", sip(OPTIONS))
row("other-source-port", sip(OPTIONS), source_port=6070)
row("other-port", sip(OPTIONS), port=5062)
row("request-uri", sip("OPTIONS sip:b@{c} SIP/2.0"))
row("inbound", sip(OPTIONS), back=[(5060, INBOUND)])
row("via-no-port", sip(OPTIONS, via="{h}"))
row("via-compact", sip(OPTIONS, names=("v", "m", "l")))
row("via-lower", sip(OPTIONS,
                     more="Via: SIP/2.0/UDP {c};branch=z9hG4bKlow\r\n"))
row("contact-list", sip(OPTIONS, contact="<sip:a@{c};ob>;q=1, "
                        "<sip:b@203.0.113.77:5060>, <sip:c@{c}>;q=0.5"))
row("contact-sips", sip(OPTIONS, contact="<sips:a@{c}>"))
row("contact-host", sip(OPTIONS, contact="<sip:a@phone.example.com>"))
row("to", sip(OPTIONS, to="<sip:b@{c}>"))
row("from-host", sip(OPTIONS, sender="<sip:a@example.com>;tag=1"))
row("untouched", sip(OPTIONS, more=UNTOUCHED))
row("sdp", sip(INVITE, sdp(46000)))
row("sdp-media-c", sip(INVITE, sdp(46002, more="c=IN IP4 {h}\r\n")))
row("sdp-foreign-c", sip(INVITE, sdp(46004, c="198.18.88.88")))
row("sdp-foreign-o", sip(INVITE, sdp(46006, o="198.18.99.99")))
row("sdp-odd-port", sip(INVITE, sdp(46009)))
row("sdp-stale", sip(INVITE, sdp(46010, more="a=rtcp:46011 IN IP4 {h}\r\n"
                                 "a=candidate:1 1 UDP 1 {h} 46010 typ host"
                                 "\r\n")))
row("length-text", sip(f"MESSAGE {URI} SIP/2.0", "hello {h}\r\nv=1\r\n"))
row("register", sip(f"REGISTER {URI} SIP/2.0", more="Expires: 60\r\n"),
    back=[(5060, reply())])
row("from-registrar", sip(OPTIONS), back=[(5070, INBOUND)])
row("from-other-phone", sip(OPTIONS), source_port=5067,
    back=[(5070, INBOUND)])
row("tcp-whole", sip(OPTIONS, transport="TCP"), tcp=0)
row("tcp-via-udp", sip(OPTIONS), source_port=5061, tcp=0)
row("tcp-split-early", sip(OPTIONS, transport="TCP"), source_port=5064,
    tcp=60)
row("tcp-split-late", sip(OPTIONS, transport="TCP"), source_port=5065,
    tcp=-2)
row("fragments", sip(OPTIONS, more=f"X-Pad: {'x' * 2400}\r\n"))
row("junk", ("plain {c}", ""))
row("low-port", sip(INVITE, sdp(1000)))
row("high-port", sip(INVITE, sdp(70000)))
row("no-c", sip(INVITE, sdp(46020, c="")))
row("bad-cseq", sip(INVITE, sdp(46022), cseq="x INVITE"))
row("port-announced", sip(INVITE, sdp(46030)))
row("port-taken", sip(INVITE, sdp(46030)), source_port=5066)
row("port-of-other-host", sip(INVITE, sdp(46030)), source=SECOND)
row("odd-port-of-other-host", sip(INVITE, sdp(46031)), source=SECOND)
row("port-of-its-own", sip(INVITE, sdp(46034)), source=SECOND)
row("subscribe", sip(f"SUBSCRIBE {URI} SIP/2.0"))
row("pinhole-even", sip(INVITE, sdp(46050)),
    knock=(46049, 46050, 46051, 46052))
row("pinhole-odd", sip(INVITE, sdp(46061)),
    knock=(46059, 46060, 46061, 46062))
row("pinhole-foreign-c", sip(INVITE, sdp(46070, c="198.18.88.88")),
    knock=(46070,))
row("sdp-application", sip(INVITE, sdp(46080, kind="application")),
    knock=(46080,))
row("invite-to-cancel", sip(INVITE, sdp(46090)))
row("cancel", sip(f"CANCEL {URI} SIP/2.0"), knock=(46090,))
row("cancelled-port", sip(INVITE, sdp(46090)), source_port=5068)
row("invite-to-end", sip(INVITE, sdp(46094)))
row("bye", sip(f"BYE {URI} SIP/2.0"))
row("ended-port", sip(INVITE, sdp(46094)), source_port=5068)
for nth, (number, status) in enumerate(
        [("7", "180 Ringing"), ("6", "486 Busy"), ("7", "486 Busy")]):
    row(f"invite-{nth}", sip(INVITE, sdp(46100 + 4 * nth)), back=[
        (5060, reply(f"SIP/2.0 {status}", "INVITE").replace(
            "CSeq: 7", f"CSeq: {number}"))], knock=(46100 + 4 * nth,))
row("second-phone", sip(OPTIONS), source=SECOND)


def bytes_of(r):
    text, body = r["message"]
    here = f"{r['source']}:{r['source_port']}"
    do = base64.b64encode(json.dumps(
        {"back": r["back"], "knock": r["knock"]}).encode()).decode()
    body = body.replace("{h}", r["source"])
    text = text.replace("{do}", f"X-Do: {do}\r\n").replace("{c}", here)
    text = text.replace("{h}", r["source"]).replace("{body}", body)
    return text.replace("{length}", str(len(body))).encode()


def pieces_of(r, data):
    return [data[:r["cut"]], data[r["cut"]:]] if r["cut"] else [data]
