"""The pages, one module each; their common context is in `portfolio.web.page_context`."""
