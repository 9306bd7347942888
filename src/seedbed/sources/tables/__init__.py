"""What sources of databases and spreadsheets share."""
