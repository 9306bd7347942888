"""What `generate` is made of: prompts, the calls, what comes back, and what it is too like to."""
