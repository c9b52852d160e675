"""Running things: the TOTP server, the shared server, practice backends, workers."""
