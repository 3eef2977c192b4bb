"""SageMaker's API: requests checked against botocore's model and the service's rules, answers shaped by it."""
