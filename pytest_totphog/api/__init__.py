"""The TOTPHog API: tokens and codes over HTTP."""
