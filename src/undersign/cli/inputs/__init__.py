"""What a request may be given as: raw HTTP, a HAR or a curl command, in a file or on standard input."""
