"""What a person does: ask, run, browse."""
