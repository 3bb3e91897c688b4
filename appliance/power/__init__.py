"""The UPS and the way to a clean power-off. Knows neither Flask nor a database: it must work when they do not."""
