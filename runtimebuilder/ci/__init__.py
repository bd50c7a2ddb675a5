"""What to build: how the runtimes of this working tree differ from those of a revision."""
