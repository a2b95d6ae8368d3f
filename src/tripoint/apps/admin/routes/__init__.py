"""The route table: every operation the admin interface has, with the right it needs."""
