"""What recipes are made of: parts of a string to sign, MACs and encodings, forms of a time, templates and carriers.

Each module turns the words of a recipe into functions once, when the recipe is made, so that a signature costs no more
than one that is written by hand.
"""
