"""Who is calling the admin interface."""
