"""The jobs of the scheduler, by subject: the machine, the backups, the database, the office. Each file names its jobs and their times."""
