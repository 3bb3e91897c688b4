"""The UPS: reading it, deciding, handing over. Knows neither Flask nor the database."""
