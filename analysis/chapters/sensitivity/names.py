"""The words of the table of variants. Imports nothing, so that a process that draws figures loads no sampler."""

HEADLINE = "headline"
COMPUTED, NOT_COMPUTED = "computed", "not computed"

LABELS = {
    HEADLINE: "Headline", "prior": "Priors", "family": "Likelihood family",
    "family_prior": "Priors of the other family", "tiers": "Evidence tiers",
    "tier_row": "One row of a lower tier added", "study_set": "Set of studies", "timing": "Timing of the response",
    "grading": "Grading scale", "denominator": "Another denominator", "enrolled": "Patients enrolled as base",
    "definition": "Definition of survival", "statistic": "Statistic of a curve", "early": "Early extrapolations",
    "factor": "Error where no interval is printed",
}
"""What each dimension varies, in words."""
