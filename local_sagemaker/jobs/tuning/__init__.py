"""Hyperparameter tuning: what to try next, which training jobs to stop early, one tuning job's life."""
