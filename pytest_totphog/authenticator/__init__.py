"""The user's phone: tokens that hand out codes."""
