"""Last step: everything that is shown, on the terminal and as JSON, HTML, Markdown or SARIF."""
