"""`python -m undersign` is `undersign`."""

from .cli import main

main()
