"""What may come, done to one estate: which of its things are struck, when, and how hard."""
