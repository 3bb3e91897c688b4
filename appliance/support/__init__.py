"""The support file: what somebody elsewhere needs in order to help, without a word about the people whose data are kept here."""
