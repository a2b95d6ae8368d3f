"""What the decisions mean: summaries, break-even, roadmap, advice and assumptions."""
