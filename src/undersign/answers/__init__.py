"""What the APIs answer, read: their envelopes, results and errors."""
