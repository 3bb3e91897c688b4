"""Proposals for the national list (DTSEN): written in the village, agreed there in writing, checked, entered in SIKS-NG, answered."""
