"""What a test orders of the offline KMS: its clock, faults, earlier states, and the calls made so far."""
