"""How far are objectives met, by design, by simulation and by drill, and what to do next?"""
