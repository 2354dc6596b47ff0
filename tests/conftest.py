"""What holds for all tests."""

from __future__ import annotations

import signal

# Started in the background by a shell, this process ignores Ctrl-C, and so would every process
# that a test starts to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
