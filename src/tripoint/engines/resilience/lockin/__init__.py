"""How hard is each dependency to leave?"""
