"""What `check_scheme` tries: requests of all shapes, and one trial of a scheme with them."""
