"""What formats share that say rows as trainers want them: conversations, prompts and completions, questions."""
