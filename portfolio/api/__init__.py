"""The API described: OpenAPI and its page."""
