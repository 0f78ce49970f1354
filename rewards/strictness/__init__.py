"""Was a pass earned? Decides whether tests that passed could have failed; cargo's word alone is cheap to buy."""
