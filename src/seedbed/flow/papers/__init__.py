"""What a run leaves: its record, its folder, notices and waivers."""
