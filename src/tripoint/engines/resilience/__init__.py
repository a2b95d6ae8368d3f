"""What can an estate survive, how fast does it recover, and what does it lean on?"""
