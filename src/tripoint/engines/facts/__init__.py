"""Facts: every figure from the estate, a catalogue or a default, with its source and its grade."""
