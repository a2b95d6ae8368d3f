"""HTTP as the admin interface speaks it: what is read strictly, problems, pages, tags of versions."""
