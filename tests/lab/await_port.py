"""await_port.py PORT COMMAND...: run a server; say ready when PORT accepts."""
import signal
import socket
import subprocess
import sys
import time

server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL)
signal.signal(signal.SIGTERM, lambda *_: server.terminate())
for _ in range(200):
    try:
        socket.create_connection(("198.51.100.10", int(sys.argv[1]))).close()
        print("ready", flush=True)
        break
    except OSError:
        if server.poll() is not None:
            sys.exit(f"{sys.argv[2]} ended with {server.returncode}")
        time.sleep(0.05)
sys.exit(server.wait())
