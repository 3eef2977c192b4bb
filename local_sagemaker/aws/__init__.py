"""The AWS services beside SageMaker: moto in this process, with S3's objects on disk."""
