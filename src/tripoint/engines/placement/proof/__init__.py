"""What a plan proves, kept with it, and carried over to a program that changed since."""
