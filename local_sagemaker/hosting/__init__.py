"""Endpoints: a model's serve program behind InvokeEndpoint."""
