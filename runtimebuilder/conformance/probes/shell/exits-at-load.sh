# A handler whose file ends the process while it is loaded.
exit 7
