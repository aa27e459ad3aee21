"""How harm is judged: stopping boundaries, adverse events, reporting deadlines, dictionaries.

Pure rules. Nothing here reads the ledger or a clock; `conduct` asks these rules and records what they say.
"""
