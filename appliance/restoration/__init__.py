"""What a restore means for the office: which states may come back, what was done since, and that no number is given twice."""
