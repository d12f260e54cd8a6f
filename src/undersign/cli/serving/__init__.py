"""`undersign serve`: a server of the standard library's that verifies what it gets."""
