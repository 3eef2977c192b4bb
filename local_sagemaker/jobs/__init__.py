"""Containers without Docker: a job's folder, environment, channels and process."""
