"""From a gradient to new weights: AdamW with moments of float32 or 8 bits, and loss scaling for float16."""
