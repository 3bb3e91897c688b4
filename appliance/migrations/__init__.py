"""The steps that bring the tables of an older version to this one. `appliance.database.upgrade` runs them."""
