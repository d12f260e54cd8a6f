"""Ctrl-C that is not lost.

Python drops what a destructor raises, and an interrupt is raised wherever the program is just then. One that falls into
a destructor would leave the command waiting, with a traceback on the terminal; so it is sent once more.
"""

from __future__ import annotations

import sys
from typing import Any

_SOON = 0.01  # seconds, in which the destructor ends


def send_lost_interrupts_again() -> None:
    """From now on, in this process; what else destructors raise is shown as before."""
    shown = sys.unraisablehook
    sending: list[Any] = []

    def hook(unraisable: Any) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            shown(unraisable)
            return
        if sending and sending[-1].is_alive():
            return  # several destructors, one interrupt
        import threading

        sending[:] = [threading.Timer(_SOON, _interrupt)]
        sending[0].daemon = True
        sending[0].start()

    sys.unraisablehook = hook


def _interrupt() -> None:
    import signal
    import threading

    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # so that a call which waits is interrupted too
    else:
        signal.raise_signal(signal.SIGINT)
