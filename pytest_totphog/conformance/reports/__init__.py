"""What the battery found, told: in the terminal, as an HTML page, as JSON and as SARIF."""
