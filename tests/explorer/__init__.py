"""The explorer: what is chosen, what it shows, who may ask, and the page in a browser."""
