"""From outcomes of trials to verdicts: what was reached, against what was asked."""
