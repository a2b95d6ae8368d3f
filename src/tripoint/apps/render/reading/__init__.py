"""How every face reads a plan: headline, decisions in time, who lives where, money by cause, doubt.

The text and the HTML report are drawn from these values, so they cannot disagree.
"""
