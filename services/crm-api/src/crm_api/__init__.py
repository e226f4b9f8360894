"""REST for agents, leads and CRMs."""
