"""`python -m undersign.vectors.conform`: the library as a port, on standard input and output."""

from .port import main

main()
