"""The embedded SageMaker."""
