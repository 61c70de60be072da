"""terminal.py COMMAND...: type into a shell as somebody at a terminal does.

What it showed goes to stdout; the exit status is its own.
"""
import os
import pty
import select
import sys

# A key that comes before its program has the terminal goes to the shell.
TYPED = [b"echo st''ill $((6*7))\n", b"sh -c \"echo g''o; exec sleep 100\"\n",
         b"\x03", b"exit 9\n"]
WAIT_FOR = [b"$ ", b"still 42", b"go\r\n", b"^C"]

pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
shown, at = b"", 0
while select.select([fd], [], [], 20)[0]:
    try:
        more = os.read(fd, 4096)
    except OSError:
        break
    if not more:
        break
    shown += more
    while TYPED and WAIT_FOR[0] in shown[at:]:
        at += shown[at:].index(WAIT_FOR.pop(0))
        os.write(fd, TYPED.pop(0))
sys.stdout.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
