"""An image as a function on this machine, and what this machine has for it."""
