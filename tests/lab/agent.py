"""agent.py SOCKET: run in this node what is asked for, until stdin ends.

A path reaches across network namespaces, so the test steers every node of a
lab that stays open, and what it asks for takes effect before it goes on.
"""
import json
import os
import socket
import subprocess
import sys
import threading


def serve(conn):
    with conn, conn.makefile("rw") as stream:
        asked = json.loads(stream.readline())
        try:
            done = subprocess.run(
                asked["argv"], input=asked["input"], capture_output=True,
                text=True, errors="surrogateescape", check=False,
                env={**os.environ, **asked["env"]}, timeout=asked["timeout"])
            told = [done.returncode, done.stdout, done.stderr]
        except (OSError, subprocess.TimeoutExpired) as error:
            told = [None, "", str(error)]
        stream.write(json.dumps(told) + "\n")


def listen(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen()
    print("ready", flush=True)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=listen, args=(sys.argv[1],), daemon=True).start()
sys.stdin.read()
