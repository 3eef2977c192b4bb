"""S3: moto's models with their objects on disk, and an own, short way for the requests that move objects."""
