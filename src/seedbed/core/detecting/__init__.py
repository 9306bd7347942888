"""What a text holds, told by rules and small models: its language, its tone, personal data, units behind numbers."""
