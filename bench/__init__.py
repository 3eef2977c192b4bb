"""Measurements by command: `python -m bench [NAME ...]`. They print medians; nothing here is a test."""
