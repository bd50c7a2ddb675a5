"""What can be said of an image to others: its parts (SBOM) and how it came to be (provenance)."""
