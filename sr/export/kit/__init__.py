"""Phone kit of an export: what is pushed to a phone, what it is given, and what it has to return."""
