"""How things look, whatever they show."""
