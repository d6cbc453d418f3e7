"""A question, ready for a model: which rows answer it, and what they say about each study."""
