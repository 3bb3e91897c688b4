"""Who lives here: areas, people, families, and finding them. One public function is one transaction and one fact in the journal."""
