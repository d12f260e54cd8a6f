"""What the page asks, answered: one function, so that page, command line and library cannot differ.

The page is JavaScript that shows and sends. `undersign inspect` answers it on loopback, and in the documentation the
same function runs in the browser. Its rules are those of every other room; here they are put into words.
"""

from .answering import answer

__all__ = ["answer"]
