"""Which limits the plan presses against, and when each is reached."""
