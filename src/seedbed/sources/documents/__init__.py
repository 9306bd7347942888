"""What sources of pages and documents share."""
