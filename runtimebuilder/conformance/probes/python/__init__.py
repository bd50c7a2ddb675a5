"""The Python probe: files for the subject. Nothing here is imported by the tool."""
