"""From native measurements and dated prices to money, with every assumption told."""
