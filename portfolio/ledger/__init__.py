"""The long lists: orders and what happened, page by page and as files."""
