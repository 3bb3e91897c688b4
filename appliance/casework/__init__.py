"""Services, a file a subject, and the pure rules beside them."""
