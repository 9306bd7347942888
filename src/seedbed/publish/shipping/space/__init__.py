"""The page of a Space: `app.py.txt` is copied as `app.py`, which imports what lies above this room."""
