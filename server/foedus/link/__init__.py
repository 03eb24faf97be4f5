"""Comparing the record with Wikidata: what is stated there of the members of alliances, and what here."""
