"""How long does each step of a recovery take, and what was asked?

Recovery time = detect + decide + provision + stage + load + warm up + shift + validate.
"""
