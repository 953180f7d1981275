"""The pages, one module each; what stands around them is in `portfolio.web.frame`."""
