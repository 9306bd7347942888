"""`seedbed review`: builds the queues of a run, and puts preferences into numbers."""
