"""Steps after the split: what they learn and make, on the whole run's rows, and again on some rows in memory."""
