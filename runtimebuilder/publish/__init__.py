"""Publishing: [BuiltImage] → registry. Speaks the OCI distribution API itself; only `ecr` knows AWS."""
