"""A page on this computer that answers back: what is chosen on it, what it shows, and who serves it to whom."""
