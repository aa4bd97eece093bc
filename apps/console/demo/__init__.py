"""The demonstration city: pure plans of what it holds, and the loaders that bring it to life."""
