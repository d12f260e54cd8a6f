"""What a request may be given as: raw HTTP, a HAR, a command or a call that sends it. Text in, a request out.

Nothing here runs anything, and a file is read only where a command names one and the caller allows it.
"""
