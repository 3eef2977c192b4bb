"""Runs the labs' notebooks one after the other and reports what came of it."""
