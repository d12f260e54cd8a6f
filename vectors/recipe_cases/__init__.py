"""The cases that `vectors/make_recipes.py` writes, by what of a recipe they are about."""
