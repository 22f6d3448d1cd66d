"""SOAP, an optimizer that torch does not have, and a check of learning rate schedules."""
