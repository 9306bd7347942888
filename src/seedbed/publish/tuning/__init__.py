"""Fine-tuning at a service: its protocol, what was asked of it so far, and following what it does."""
