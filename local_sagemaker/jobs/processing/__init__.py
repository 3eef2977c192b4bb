"""Processing jobs: a program over inputs in S3, its outputs back into S3."""
