"""Search: expressions over the properties of SageMaker's resources."""
