"""What a test does in a browser: Selenium's and Playwright's, told apart by what they can do; neither is imported."""
