"""Running things: the TOTP server and its two places, practice backends, workers."""
