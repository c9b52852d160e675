"""The WSGI kit that every app of this package is made with: gate, routes, JSON, errors, OpenAPI, server."""
