"""Letters, slips and other papers of the office: their wording, their life, their numbers, and how they are printed."""
