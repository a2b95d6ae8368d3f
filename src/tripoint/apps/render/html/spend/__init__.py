"""The report of what was spent: one self-contained HTML page, in the style of the plan's."""
