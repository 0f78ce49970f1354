"""What stands between a gradient and new weights beside AdamW itself: loss scaling for float16."""
