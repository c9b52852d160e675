"""What a set-up page shows, turned into credentials: text, pages, pictures."""
