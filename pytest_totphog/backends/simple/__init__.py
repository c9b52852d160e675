"""The practice backend simple: users with a secret, their codes, and whether a code is right."""
