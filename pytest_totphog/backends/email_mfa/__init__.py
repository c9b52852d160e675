"""The practice backend email-mfa: codes and reset links by mail, a JWT after login."""
