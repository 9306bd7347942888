"""Other datasets inside a step's options: reading them, looking rows up, and finding what rows share with them."""
