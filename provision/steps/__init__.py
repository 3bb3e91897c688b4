"""The steps, a module a subject: each turns the site into the changes of its subject."""
