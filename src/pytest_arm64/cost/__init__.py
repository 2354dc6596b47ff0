"""Phase 4, money: from native measurements and dated prices, with every assumption shown."""
