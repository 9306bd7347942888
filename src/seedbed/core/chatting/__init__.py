"""What services that fine-tune chat models take: rules of an example, limits of a model, and what tokens cost."""
