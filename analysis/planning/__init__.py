"""Planning the next trial: the predictive distribution as a prior, what it is worth, and how a rule would fare."""
