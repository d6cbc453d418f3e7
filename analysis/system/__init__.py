"""What any part of the program needs of the system: files, streams, signals, errors in words."""
