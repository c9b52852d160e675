"""The practice backend vault: every user's TOTP credentials and their current codes, behind bearer tokens."""
