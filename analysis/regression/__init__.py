"""Meta-regression: outcomes of the studies on their covariates, with missing cells modelled and few studies refused."""

CAVEAT = ("Associations between studies, not effects in patients: studies differ in more than one covariate, and a "
          "slope over studies need not hold within any of them.")
