"""Speed and arithmetic against a peer or a physical limit, measured in the same run and printed as ratios."""
