"""Are numbers, months and demand in range, and do those that belong together agree?"""
