"""The practice backend login-demo: a JSON login with access tokens, backup codes, and a page in two steps."""
