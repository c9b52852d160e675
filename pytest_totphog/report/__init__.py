"""The report on the battery and on failed tests: terminal, HTML, JSON, SARIF."""
