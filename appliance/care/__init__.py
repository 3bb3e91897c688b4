"""The care of the machine: what its disks, its memory and its room are like, and what somebody is to do about it."""
