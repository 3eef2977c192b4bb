"""A channel's data: which objects it has, and how they come to the container: as files or through pipes."""
