"""await_sip.py PORT COMMAND...: run a SIP server; say ready when it is."""
import signal
import socket
import subprocess
import sys

ADDRESS = ("198.51.100.10", int(sys.argv[1]))
server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL)
signal.signal(signal.SIGTERM, lambda *_: server.terminate())
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.10", 0))
s.settimeout(0.2)
ASK = ("OPTIONS sip:ready@{0}:{1} SIP/2.0\r\n"
       "Via: SIP/2.0/UDP {0}:{2};rport;branch=z9hG4bKready{3}\r\n"
       "Max-Forwards: 70\r\nFrom: <sip:test@{0}>;tag=1\r\n"
       "To: <sip:ready@{0}>\r\nCall-ID: ready{3}\r\nCSeq: 1 OPTIONS\r\n"
       "Content-Length: 0\r\n\r\n")
for i in range(100):
    try:
        s.sendto(ASK.format(*ADDRESS, s.getsockname()[1], i).encode(),
                 ADDRESS)
        s.recv(65535)
        print("ready", flush=True)
        break
    except (TimeoutError, ConnectionRefusedError):
        if server.poll() is not None:
            sys.exit(f"{sys.argv[2]} ended with {server.returncode}")
sys.exit(server.wait())
