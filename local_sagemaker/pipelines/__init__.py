"""SageMaker Pipelines: definitions (schema 2020-12-01), what they refer to, and the engine that runs them."""
