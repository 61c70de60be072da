"""interrupt.py SEGMENTS COMMAND...: run it; as soon as this node has taken in
so many segments of TCP, send it SIGINT as a terminal and timeout(1) do: twice.
"""
import signal
import subprocess
import sys
import time


def taken():
    with open("/proc/self/net/snmp", encoding="ascii") as f:
        names, numbers = [x.split() for x in f if x.startswith("Tcp:")]
    return int(numbers[names.index("InSegs")])


wanted = taken() + int(sys.argv[1])
with subprocess.Popen(sys.argv[2:]) as run:
    while run.poll() is None and taken() < wanted:
        time.sleep(0.005)
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGINT)
    sys.exit(run.wait())
